import ts from 'typescript';

import { read, SOURCES } from './sources';

/** Functions that take a whole list as arguments: more than about 120,000 of them overflow the stack. */
const TAKES_LIST =
	/(?:\.(?:push|unshift|splice|concat)|^Math\.(?:max|min)|fromCharCode|fromCodePoint)$/;

const isLoop = (node: ts.Node) =>
	ts.isForStatement(node) ||
	ts.isForOfStatement(node) ||
	ts.isForInStatement(node) ||
	ts.isWhileStatement(node) ||
	ts.isDoStatement(node);

const spreads = (node: ts.Node): string[] => {
	const all: string[] = [];
	const visit = (each: ts.Node) => {
		if (ts.isSpreadElement(each)) all.push(each.expression.getText());
		each.forEachChild(visit);
	};
	visit(node);
	return all;
};

/** The list that a statement copies to add to it: `list = [...list, x]`, `map.set(key, [...map.get(key), x])`. */
function copyOf(node: ts.Node): string | undefined {
	if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken)
		return spreads(node.right).find((text) => text === node.left.getText());
	if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression))
		return undefined;
	const { name, expression } = node.expression;
	if (name.text !== 'set') return undefined;
	return node.arguments
		.flatMap(spreads)
		.find((text) => text.includes(`${expression.getText()}.get(`));
}

/** The first name of the accumulator, if a `reduce` copies it for each element. */
function copiedInReduce(node: ts.Node): string | undefined {
	if (!ts.isCallExpression(node) || !/\.reduce(?:Right)?$/.test(node.expression.getText()))
		return undefined;
	const [callback] = node.arguments;
	if (callback === undefined || !ts.isArrowFunction(callback)) return undefined;
	const accumulator = callback.parameters[0]?.name.getText();
	return spreads(callback.body).find((text) => text === accumulator);
}

/** Locations at which a long list overflows the stack, or takes quadratic time. */
function faultsIn(file: string, text: string): string[] {
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
	const faults: string[] = [];
	const visit = (node: ts.Node, inLoop: boolean) => {
		const isSpreadIntoCall =
			ts.isCallExpression(node) &&
			node.arguments.some((argument) => ts.isSpreadElement(argument)) &&
			TAKES_LIST.test(node.expression.getText());
		const isCopy = (inLoop && copyOf(node) !== undefined) || copiedInReduce(node) !== undefined;
		if (isSpreadIntoCall || isCopy) {
			const { line } = source.getLineAndCharacterOfPosition(node.getStart());
			faults.push(`${file}:${line + 1} ${node.getText().slice(0, 80)}`);
		}
		node.forEachChild((child) => visit(child, inLoop || isLoop(node)));
	};
	visit(source, false);
	return faults;
}

test('no list is spread into arguments or copied for each of its elements', () => {
	expect(SOURCES).not.toEqual([]);
	expect(SOURCES.flatMap((file) => faultsIn(file, read(file)))).toEqual([]);
});

test.each([
	'all.push(...list)',
	'Math.max(0, ...list.map(size))',
	'String.fromCharCode(...bytes)',
	'for (const x of list) all = [...all, x]',
	'for (const x of list) groups.set(x, [...(groups.get(x) ?? []), x])',
	'while (more()) all = next([...all])',
	'list.reduce((all, x) => [...all, x], [])',
])('%s is found', (code) => {
	expect(faultsIn('x.ts', code)).toHaveLength(1);
});

test.each([
	'call(...values)',
	'const all = [...one, ...two]',
	'for (const x of list) all.push(x)',
	'for (const x of list) all = [...x]',
	'list.reduce((sum, x) => sum + x, 0)',
])('%s is allowed', (code) => {
	expect(faultsIn('x.ts', code)).toEqual([]);
});
