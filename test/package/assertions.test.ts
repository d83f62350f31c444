import ts from 'typescript';
import { fs, path } from '../support/node-builtins';

/** Names of called functions: `expect` for `expect(x).toBe(y)`, and helpers with `expect` in their names. */
function callsIn(code: ts.Node): string[] {
	const names: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isCallExpression(node) && ts.isIdentifier(node.expression))
			names.push(node.expression.text);
		ts.forEachChild(node, visit);
	};
	visit(code);
	return names;
}

function nameOf(node: ts.Expression): string | undefined {
	if (ts.isIdentifier(node)) return node.text;
	if (ts.isCallExpression(node) || ts.isPropertyAccessExpression(node))
		return nameOf(node.expression);
	return ts.isTaggedTemplateExpression(node) ? nameOf(node.tag) : undefined;
}

/** Lines of the tests in a file that call no function whose name begins with `expect`. */
function withoutAssertion(text: string): number[] {
	const file = ts.createSourceFile('', text, ts.ScriptTarget.Latest);
	const lines: number[] = [];
	const visit = (node: ts.Node): void => {
		const isTest =
			ts.isCallExpression(node) && ['it', 'test'].includes(nameOf(node.expression) ?? '');
		const body = isTest ? node.arguments[1] : undefined;
		if (body === undefined || !(ts.isArrowFunction(body) || ts.isFunctionExpression(body)))
			return ts.forEachChild(node, visit);
		if (!callsIn(body).some((name) => name.startsWith('expect')))
			lines.push(file.getLineAndCharacterOfPosition(body.pos).line + 1);
	};
	visit(file);
	return lines;
}

const files = fs
	.readdirSync('test', { recursive: true, encoding: 'utf8' })
	.filter((name) => name.endsWith('.test.ts'));

test('every test has an assertion', () => {
	expect(files.length).toBeGreaterThan(300);
	const found = files.flatMap((name) =>
		withoutAssertion(fs.readFileSync(path.join('test', name), 'utf8')).map(
			(line) => `test/${name}:${line}`,
		),
	);
	expect(found).toEqual([]);
});

test('a test without an assertion is found', () => {
	const text = [
		"it('a', () => { expect(1).toBe(1); });",
		"test.each([1])('b', async (n) => { await expectRefused(n); });",
		"it('c', () => { run(); });",
		"describe('d', () => { test.each([1])('e', () => run()); });",
	];
	expect(withoutAssertion(text.join('\n'))).toEqual([3, 4]);
});
