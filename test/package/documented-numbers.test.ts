/**
 * Limits and defaults that the pages name. Each row of the table has the documented number as a literal: a test that
 * compares with the constant that the code uses would pass with any number.
 */
import type { INodeProperties } from 'n8n-workflow';
import ts from 'typescript';

import { filesIn, loadNode, read } from './sources';

/**
 * Text of a page (empty: only the panel shows the number), and the number in the unit of the code (milliseconds, bytes)
 * with the locations that define it; `behavior` with the test of what the node does; or `other`: not a limit of this package.
 */
const ROWS = read(`${__dirname}/documented-numbers.tsv`)
	.trim()
	.split('\n')
	.slice(1)
	.map((line) => line.split('\t') as [page: string, words: string, number: string, where: string]);
const NUMBERS = ROWS.filter(([, , number]) => /^\d/.test(number));
const BEHAVIORS = ROWS.filter(([, , number]) => number === 'behavior');

const sources = new Map<string, ts.SourceFile>();

function sourceOf(file: string): ts.SourceFile {
	const source =
		sources.get(file) ?? ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
	sources.set(file, source);
	return source;
}

type Pick = (node: ts.Node) => ts.Expression | undefined;

function find(node: ts.Node | undefined, pick: Pick): ts.Expression | undefined {
	if (node === undefined) return undefined;
	return pick(node) ?? ts.forEachChild(node, (child) => find(child, pick));
}

/** A constant, a default of a parameter, or a field of a constant. */
const byName =
	(name: string): Pick =>
	(node) =>
		(ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isPropertyAssignment(node)) &&
		node.name.getText() === name
			? node.initializer
			: undefined;

/** The value of a literal, a product, or a constant of the same file. */
function numberOf(node: ts.Expression | undefined, file: string): number {
	if (node !== undefined && ts.isNumericLiteral(node)) return Number(node.text);
	if (node !== undefined && ts.isIdentifier(node))
		return numberOf(find(sourceOf(file), byName(node.text)), file);
	if (node !== undefined && ts.isBinaryExpression(node)) {
		expect(node.operatorToken.kind).toBe(ts.SyntaxKind.AsteriskToken);
		return numberOf(node.left, file) * numberOf(node.right, file);
	}
	throw new Error(`${file}: ${node?.getText() ?? 'nothing'} is not a number`);
}

/** The one default of all fields of a name in a node, or in the part of it for one resource. */
async function presetOf(folder: string, name: string, resource?: string): Promise<number> {
	const { properties } = (await loadNode(folder)).description;
	const visible = properties.filter(
		({ displayOptions }) =>
			resource === undefined || displayOptions?.show?.resource?.includes(resource),
	);
	const fields = visible.flatMap(fieldsIn).filter((field) => field.name === name);
	const defaults = new Set(fields.map((field) => field.default));
	expect([...defaults]).toHaveLength(1);
	return Number([...defaults][0]);
}

const fieldsIn = (field: INodeProperties): INodeProperties[] => [
	field,
	...(field.options ?? []).flatMap((option) => ('type' in option ? fieldsIn(option) : [])),
];

/** `lib/a.ts#NAME.field`, or `Node.field[resource]*1000`. */
async function readFrom(place: string): Promise<number> {
	if (place.includes('#')) {
		const [source, names] = place.split('#') as [string, string];
		const inside = names
			.split('.')
			.reduce<ts.Node | undefined>((node, name) => find(node, byName(name)), sourceOf(source));
		return numberOf(inside as ts.Expression, source);
	}
	const [, folder, name, resource, factor = '1'] = /^(\w+)\.(\w+)(?:\[(\w+)\])?(?:\*(\d+))?$/.exec(
		place,
	)!;
	return (await presetOf(folder!, name!, resource)) * Number(factor);
}

/** Without code, link targets and line ends. */
const proseOf = (page: string) =>
	read(page)
		.replace(/^```.*?^```/gms, '')
		.replace(/`[^`\n]*`/g, '`')
		.replace(/\]\([^)\n]*\)/g, ']')
		.replace(/\s+/g, ' ');

test.each(NUMBERS)('%s: "%s" is %s', async (page, words, number, where) => {
	expect(proseOf(page)).toContain(words);
	const places = where.split(' ');
	const found = await Promise.all(places.map(async (place) => [place, await readFrom(place)]));
	expect(found).toEqual(places.map((place) => [place, Number(number)]));
});

test.each(BEHAVIORS)('%s: "%s" is tested as %s: %s', (page, words, _behavior, where) => {
	expect(proseOf(page)).toContain(words);
	const [file, ...title] = where.split(': ') as [string, ...string[]];
	expect(read(file)).toContain(title.join(': '));
});

/** Numbers with a unit. */
const COUNTED =
	/\b(?:\d[\d.,]*|one|two|three|four|five|ten|hundred) (?:seconds?|minutes?|hours?|s|ms|MB|GB|kB|characters|tokens?|requests|values|digits|hits|bytes)\b|\bat most twice\b|\bup to \d[\d,]*\b/gi;

const PAGES = filesIn(['docs/nodes'], /^[a-z-]+\.md$/);

test.each([...PAGES, 'docs/operations.md', 'docs/troubleshooting.md', 'docs/security.md'])(
	'%s names no number that the table lacks',
	(page) => {
		const documented = ROWS.flatMap(([of, one]) => (of === page && one !== '' ? [one] : []));
		const prose = proseOf(page);
		expect(documented.filter((one) => !prose.includes(one))).toEqual([]);
		const rest = documented.reduce((text, one) => text.replaceAll(one, '…'), prose);
		const unlisted = [...rest.matchAll(COUNTED)].map(({ index }) =>
			rest.slice(Math.max(0, index - 30), index + 30),
		);
		expect(unlisted).toEqual([]);
	},
);
