import ts from 'typescript';

import { read, SOURCES } from './sources';

/**
 * Words that names must not contain, because the glossary in CONTRIBUTING.md has another word for each of their
 * meanings. A test and not a lint rule: n8n's strict lint accepts no other configuration than its own.
 */
const WORDS = [
	'advice',
	'ask',
	'behind',
	'fault',
	'given',
	'gone',
	'held',
	'kind',
	'least',
	'look',
	'most',
	'once more',
	'picture',
	'piece',
	'place',
	'quietly',
	'refusal',
	'refused',
	'remark',
	'remedy',
	'said',
	'sound',
	'tell',
	'told',
	'verdict',
];

const FORBIDDEN = new RegExp(` (?:${WORDS.join('|')})s? `);

/** Names that others chose: fields of n8n and OpenTelemetry, and Node's ECONNREFUSED. `kind` is a type of Dify's nodes. */
const ALLOWED: Readonly<Record<string, RegExp>> = {
	connectionRefused: /^lib\//,
	fieldWords: /^nodes\/shared\/dify\/run-request\.ts$/,
	kind: /^lib\/(?:dify\/(?:types|run\/[\w-]+)|tracing\/span)\.ts$/,
};

/** Whether a name is declared here. The names of other declarations that are used are checked where they are declared. */
function isDeclared(node: ts.Identifier): boolean {
	const parent = node.parent as { name?: unknown; label?: unknown; kind: number };
	if (parent.kind === ts.SyntaxKind.PropertyAccessExpression) return false;
	return parent.name === node;
}

function findForbiddenNames(file: string, text: string): string[] {
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
	const names: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isIdentifier(node) && isDeclared(node) && isForbidden(node.text))
			if (ALLOWED[node.text]?.test(file) !== true) {
				const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
				names.push(`${file}:${line + 1} ${node.text}`);
			}
		ts.forEachChild(node, visit);
	};
	visit(source);
	return names;
}

/** Splits camelCase and CONSTANT_CASE into words, so that `replace` and `task` are no matches. */
function isForbidden(name: string): boolean {
	const spacedName = name.replace(/([a-z\d])(?=[A-Z])/g, '$1 ').replace(/_+/g, ' ');
	return FORBIDDEN.test(` ${spacedName.toLowerCase()} `);
}

test('names of lib and nodes use the words of the glossary', () => {
	const files = SOURCES.filter((file) => /^(?:lib|nodes)/.test(file));
	expect(files.flatMap((file) => findForbiddenNames(file, read(file)))).toEqual([]);
});
