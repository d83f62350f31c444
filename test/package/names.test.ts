/**
 * `lib` names only what `names.tsv` lists: a general mechanism needs no name of a server, and a special case has its evidence where
 * it stands. What is a name is found by its form, so a new one fails without being on any list of forbidden ones.
 */
import path from 'node:path';
import ts from 'typescript';
import { readRows } from '../support/files/rows';
import { read, SOURCES } from './sources';

/** Names by what they are. */
const LISTED: ReadonlySet<string> = new Set(
	readRows(path.join(__dirname, 'names.tsv')).flatMap(([, names = '']) => names.split(' ')),
);

/** A capital in the middle of a sentence, or inside of a word. Names of variables and constants of a system have underscores. */
const NAME =
	/(?<=[a-z,;(] ?\(?)(?<=[\s(])[A-Z][\w-]*\w|(?<![\w$./-])(?:[A-Z][a-z]+[A-Z]|[A-Z]{2,}[a-z]+|[a-z]+[A-Z]{2,})\w*/g;

/** Labels of fields, operations and options, as sentences quote them. */
const LABEL = /(?:displayName|label|name): '([^']+)'|\w*[fF]ield\(\s*'([^']+)'/g;

const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

const parse = (file: string, text: string) =>
	ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);

function visit(node: ts.Node, onNode: (node: ts.Node) => void) {
	onNode(node);
	ts.forEachChild(node, (child) => visit(child, onNode));
}

/** What a source says to people: its comments and its texts. */
function readTexts(file: string, text: string): string[] {
	const comments = Array.from(text.matchAll(COMMENT), ([comment]) =>
		comment.replace(/^\/\*+|\*\/$|\n\s*(?:\*|\/\/)/g, ' '),
	);
	const texts: string[] = [];
	visit(parse(file, text), (node) => {
		if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) texts.push(node.text);
		if (ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) texts.push(node.text);
	});
	return [...comments, ...texts];
}

function findNames(file: string, text: string, known: ReadonlySet<string>): string[] {
	const names = readTexts(file, text).flatMap((sentence) =>
		Array.from(sentence.matchAll(NAME), ([name]) => name),
	);
	return names.filter((name) => !name.includes('_') && !known.has(name));
}

/** Words of labels, and names of the code itself. */
function collectOwnWords(): Set<string> {
	const words = new Set<string>();
	for (const file of SOURCES) {
		const text = read(file);
		for (const [, label = '', title = ''] of text.matchAll(LABEL))
			for (const word of `${label} ${title}`.split(/[^\w-]+/)) words.add(word);
		visit(parse(file, text), (node) => {
			if (ts.isIdentifier(node)) words.add(node.text);
		});
	}
	return words;
}

const LIB = SOURCES.filter((file) => file.startsWith('lib/'));
const own = collectOwnWords();

test('lib names only what is listed', () => {
	const known = new Set([...own, ...LISTED]);
	const unlisted = LIB.flatMap((file) =>
		findNames(file, read(file), known).map((name) => `${name} in ${file}`),
	);
	expect([...new Set(unlisted)]).toEqual([]);
});

test('what is listed is named', () => {
	const named = new Set(LIB.flatMap((file) => findNames(file, read(file), own)));
	expect([...LISTED].filter((name) => !named.has(name))).toEqual([]);
});

test.each([
	{ text: '// The list of OpenRouter has no state.', name: 'OpenRouter' },
	{ text: "export const advice = 'Restart it, or use Lemonade.';", name: 'Lemonade' },
	{ text: '/** SGLang sends two of them. */', name: 'SGLang' },
	{
		text: 'export const advice = (name: string) => `Ask the log of ${name} in Groq.`;',
		name: 'Groq',
	},
])('a new name is found by its form: $name', ({ text, name }) => {
	expect(findNames('lib/planted.ts', text, new Set([...own, ...LISTED]))).toEqual([name]);
});
