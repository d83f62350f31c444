/**
 * What our own functions take and return has a name. `ReturnType<typeof ours>` sends a reader to another file, where the
 * type is inferred, and a wrong body then shows up as errors of its callers. Types of libraries may be derived.
 */
import ts from 'typescript';
import { read, SOURCES } from './sources';

const DERIVING = ['ReturnType', 'Parameters'];

/** Files that pass on libraries. */
const VENDOR = /(?:^|\/)vendor$/;

/** Names that a file declares, or imports from another file of this package. */
function findOwnNames(source: ts.SourceFile): Set<string> {
	const names = new Set<string>();
	const add = (name: ts.Node | undefined) => {
		if (name && ts.isIdentifier(name)) names.add(name.text);
	};
	for (const statement of source.statements) {
		if (ts.isFunctionDeclaration(statement)) add(statement.name);
		if (ts.isVariableStatement(statement))
			statement.declarationList.declarations.forEach(({ name }) => add(name));
		if (!ts.isImportDeclaration(statement)) continue;
		const { text } = statement.moduleSpecifier as ts.StringLiteral;
		const bindings = statement.importClause?.namedBindings;
		if (!text.startsWith('.') || VENDOR.test(text) || !bindings) continue;
		if (ts.isNamedImports(bindings)) bindings.elements.forEach(({ name }) => add(name));
	}
	return names;
}

function findDerivedTypes(file: string, text: string): string[] {
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
	const ownNames = findOwnNames(source);
	const found: string[] = [];
	const visit = (node: ts.Node) => {
		const [argument] = ts.isTypeReferenceNode(node) ? (node.typeArguments ?? []) : [];
		const isOwn =
			ts.isTypeReferenceNode(node) &&
			DERIVING.includes(node.typeName.getText()) &&
			argument !== undefined &&
			ts.isTypeQueryNode(argument) &&
			ownNames.has(argument.exprName.getText());
		if (isOwn) {
			const { line } = source.getLineAndCharacterOfPosition(node.getStart());
			found.push(`${file}:${line + 1} ${node.getText()}`);
		}
		node.forEachChild(visit);
	};
	visit(source);
	return found;
}

test('no type is derived from a function of this package: it is an interface', () => {
	expect(SOURCES.flatMap((file) => findDerivedTypes(file, read(file)))).toEqual([]);
});

test.each([
	'function read() {} type A = ReturnType<typeof read>;',
	'const read = () => 1; type A = Promise<Awaited<ReturnType<typeof read>>>;',
	"import { read } from './read'; type A = Parameters<typeof read>[0];",
])('%s is found', (code) => {
	expect(findDerivedTypes('x.ts', code)).toHaveLength(1);
});

test.each([
	"import { dereference } from '../vendor'; type A = ReturnType<typeof dereference>;",
	'type Timer = ReturnType<typeof setTimeout>;',
	'const ROWS = { a: 1 } as const; type Name = keyof typeof ROWS;',
])('%s is allowed', (code) => {
	expect(findDerivedTypes('x.ts', code)).toEqual([]);
});
