/**
 * Bugs that a refactoring leaves behind: an `await` that is dropped, swapped arguments, a condition that is turned round.
 * They are planted in a source one at a time, so each is one change of its text.
 */
import ts from 'typescript';

/** @typedef {import('./types').Bug} Bug */
/** @typedef {import('./types').Change} Change */

/**
 * @typedef {object} BugKind
 * @property {string} name what was done to the code
 * @property {(node: ts.Node) => Change[]} plant the bugs of this kind at a node
 */

const { SyntaxKind } = ts;

/** @param {ts.Node} node @param {ts.Node | string} by @returns {Change} */
const replace = (node, by) => ({
	start: node.getStart(),
	end: node.getEnd(),
	text: typeof by === 'string' ? by : by.getText(),
});

/**
 * @param {ts.NodeArray<ts.Node>} list
 * @param {ts.Node} element
 * @returns {Change} the removal of an element, with the comma behind it or, for the last one, before it
 */
const removeFrom = (list, element) => {
	const at = list.indexOf(element);
	const next = list[at + 1];
	if (next) return { start: element.getStart(), end: next.getStart(), text: '' };
	const previous = list[at - 1];
	return previous
		? { start: previous.getEnd(), end: element.getEnd(), text: '' }
		: { start: element.getStart(), end: list.end, text: '' };
};

/** @param {ts.Node} one @param {ts.Node} other which follows it @returns {Change} */
const swap = (one, other) => {
	const between = one.getSourceFile().text.slice(one.getEnd(), other.getStart());
	return {
		start: one.getStart(),
		end: other.getEnd(),
		text: `${other.getText()}${between}${one.getText()}`,
	};
};

/**
 * @param {Readonly<Record<string, string>>} others by operator
 * @returns {BugKind['plant']} another operator in an expression of two operands
 */
const otherOperator = (others) => (node) => {
	if (!ts.isBinaryExpression(node)) return [];
	const other = new Map(Object.entries(others)).get(node.operatorToken.getText());
	return other === undefined ? [] : [replace(node.operatorToken, other)];
};

/**
 * @param {Readonly<Record<string, string>>} others by name of a method
 * @returns {BugKind['plant']} a call of another method
 */
const otherMethod = (others) => (node) => {
	if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return [];
	const { name } = node.expression;
	const other = new Map(Object.entries(others)).get(name.text);
	return other === undefined ? [] : [replace(name, other)];
};

/** Methods that return something of the kind of what they are called on. */
const STEPS = /^(?:filter|trim|trimEnd|trimStart|slice|flat|toSorted|toReversed|toLowerCase)$/;
/** Methods that take positions or counts. */
const POSITIONS = /^(?:at|slice|subarray|substring|splice|repeat|padStart|padEnd)$/;

/** @param {ts.Node} node @returns {boolean} whether a number is one of few, next to others: a place, a count, a limit */
const isPlaceOrCount = (node) => {
	const { parent } = node;
	if (ts.isElementAccessExpression(parent)) return parent.argumentExpression === node;
	if (ts.isBinaryExpression(parent))
		return /^(?:[-+]|[<>]=?|[!=]==)$/.test(parent.operatorToken.getText());
	return (
		ts.isCallExpression(parent) &&
		ts.isPropertyAccessExpression(parent.expression) &&
		POSITIONS.test(parent.expression.name.text)
	);
};

/** @param {ts.Node} node @returns {boolean} */
const leaves = (node) =>
	ts.isReturnStatement(node) ||
	ts.isThrowStatement(node) ||
	ts.isContinueStatement(node) ||
	ts.isBreakStatement(node) ||
	(ts.isBlock(node) &&
		node.statements.length === 1 &&
		leaves(/** @type {ts.Node} */ (node.statements[0])));

/** @param {ts.AwaitExpression} node @returns {boolean} whether its function awaits it anyway */
const isReturned = (node) => {
	if (ts.isArrowFunction(node.parent)) return true;
	if (!ts.isReturnStatement(node.parent)) return false;
	return !ts.findAncestor(node, (outer) =>
		ts.isFunctionLike(outer) ? 'quit' : ts.isTryStatement(outer),
	);
};

/** @param {ts.Node} node @returns {ts.Expression | undefined} what decides */
const conditionOf = (node) => {
	if (ts.isConditionalExpression(node)) return node.condition;
	return ts.isIfStatement(node) || ts.isWhileStatement(node) ? node.expression : undefined;
};

/** @type {BugKind[]} */
const KINDS = [
	{
		name: 'await dropped',
		plant: (node) =>
			ts.isAwaitExpression(node) && !isReturned(node) ? [replace(node, node.expression)] : [],
	},
	{
		name: 'arguments swapped',
		plant: (node) => {
			if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return [];
			const [one, other] = node.arguments ?? [];
			return one && other && one.getText() !== other.getText() ? [swap(one, other)] : [];
		},
	},
	{
		name: 'argument dropped',
		plant: (node) => {
			if (!ts.isCallExpression(node) || node.arguments.length < 2) return [];
			const last = /** @type {ts.Node} */ (node.arguments.at(-1));
			return [removeFrom(node.arguments, last)];
		},
	},
	{
		name: 'branches swapped',
		plant: (node) => {
			if (ts.isConditionalExpression(node)) return [swap(node.whenTrue, node.whenFalse)];
			if (!ts.isIfStatement(node) || !node.elseStatement) return [];
			const isBlock = ts.isBlock(node.thenStatement) && ts.isBlock(node.elseStatement);
			return isBlock ? [swap(node.thenStatement, node.elseStatement)] : [];
		},
	},
	{
		name: 'condition negated',
		plant: (node) => {
			const condition = conditionOf(node);
			return condition ? [replace(condition, `!(${condition.getText()})`)] : [];
		},
	},
	{ name: 'limit moved', plant: otherOperator({ '<': '<=', '<=': '<', '>': '>=', '>=': '>' }) },
	{ name: 'equality turned round', plant: otherOperator({ '===': '!==', '!==': '===' }) },
	{ name: 'operator swapped', plant: otherOperator({ '&&': '||', '||': '&&', '??': '||' }) },
	{
		name: 'operand dropped',
		plant: (node) => {
			if (!ts.isBinaryExpression(node)) return [];
			const { left, operatorToken, right } = node;
			if (!['&&', '||'].includes(operatorToken.getText())) return [];
			return [replace(node, left), replace(node, right)];
		},
	},
	{
		name: 'spread dropped',
		plant: (node) => {
			if (ts.isSpreadAssignment(node)) return [removeFrom(node.parent.properties, node)];
			if (!ts.isSpreadElement(node)) return [];
			const { parent } = node;
			if (ts.isArrayLiteralExpression(parent)) return [removeFrom(parent.elements, node)];
			const isArgument = ts.isCallExpression(parent) || ts.isNewExpression(parent);
			return isArgument && parent.arguments ? [removeFrom(parent.arguments, node)] : [];
		},
	},
	{
		name: 'property dropped',
		plant: (node) =>
			ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)
				? [removeFrom(node.parent.properties, node)]
				: [],
	},
	{
		name: 'default dropped',
		plant: (node) => {
			if (
				ts.isBinaryExpression(node) &&
				node.operatorToken.kind === SyntaxKind.QuestionQuestionToken
			)
				return [replace(node, node.left)];
			if (!ts.isParameter(node) && !ts.isBindingElement(node)) return [];
			const before = ts.isParameter(node) ? (node.type ?? node.name) : node.name;
			return node.initializer
				? [{ start: before.getEnd(), end: node.initializer.getEnd(), text: '' }]
				: [];
		},
	},
	{
		name: '?. dropped',
		plant: (node) => {
			if (!ts.isOptionalChain(node) || ts.isNonNullExpression(node)) return [];
			if (!node.questionDotToken) return [];
			return [replace(node.questionDotToken, ts.isPropertyAccessExpression(node) ? '.' : '')];
		},
	},
	{
		name: 'statement dropped',
		plant: (node) => {
			if (ts.isExpressionStatement(node))
				return node.getText().startsWith('super') ? [] : [replace(node, ';')];
			const isGuard = ts.isIfStatement(node) && !node.elseStatement && leaves(node.thenStatement);
			return isGuard && !ts.isIfStatement(node.parent) ? [replace(node, ';')] : [];
		},
	},
	{
		name: 'off by one',
		plant: (node) => {
			if (ts.isNumericLiteral(node) && /^\d$/.test(node.text) && isPlaceOrCount(node))
				return [replace(node, String(Number(node.text) + 1))];
			const isStep =
				ts.isBinaryExpression(node) &&
				/^[-+]$/.test(node.operatorToken.getText()) &&
				node.right.getText() === '1';
			return isStep ? [replace(node, node.left)] : [];
		},
	},
	{
		name: 'finally dropped',
		plant: (node) =>
			ts.isTryStatement(node) && node.finallyBlock ? [replace(node.finallyBlock, '{}')] : [],
	},
	{
		name: 'catch emptied',
		plant: (node) =>
			ts.isCatchClause(node) && node.block.statements.length > 0 ? [replace(node.block, '{}')] : [],
	},
	{
		name: 'true and false swapped',
		plant: (node) => {
			if (node.kind === SyntaxKind.TrueKeyword) return [replace(node, 'false')];
			return node.kind === SyntaxKind.FalseKeyword ? [replace(node, 'true')] : [];
		},
	},
	{
		name: 'step of a chain dropped',
		plant: (node) => {
			if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return [];
			const { name, expression } = node.expression;
			return STEPS.test(name.text) ? [replace(node, expression)] : [];
		},
	},
	{
		name: 'method swapped',
		plant: otherMethod({ some: 'every', every: 'some', min: 'max', max: 'min' }),
	},
];

/** @param {ts.Node} node @returns {boolean} whether nothing below it runs */
const isOnlyType = (node) =>
	ts.isTypeNode(node) ||
	ts.isInterfaceDeclaration(node) ||
	ts.isTypeAliasDeclaration(node) ||
	ts.isImportDeclaration(node) ||
	ts.isExportDeclaration(node);

/**
 * @param {string} file
 * @param {string} source its text
 * @returns {Bug[]} in the order of the text
 */
export const findBugs = (file, source) => {
	/** @type {Bug[]} */
	const bugs = [];
	const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
	/** @param {ts.Node} node */
	const visit = (node) => {
		if (isOnlyType(node)) return;
		for (const { name, plant } of KINDS)
			for (const change of plant(node)) {
				const line = parsed.getLineAndCharacterOfPosition(change.start).line + 1;
				bugs.push({ file, kind: name, line, ...change });
			}
		ts.forEachChild(node, visit);
	};
	visit(parsed);
	return bugs;
};

/** @param {string} source @param {Change} change @returns {string} */
export const plantBug = (source, { start, end, text }) =>
	source.slice(0, start) + text + source.slice(end);

/** @param {number} seed @returns {() => number} from 0 up to 1, the same for the same seed (Mulberry32) */
const createRandom = (seed) => {
	let state = seed;
	return () => {
		state = (state + 0x6d_2b_79_f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
};

/**
 * @param {readonly Bug[]} bugs
 * @param {number} seed
 * @returns {Bug[]} all of them in an order that the seed decides, one of each kind in turn
 */
export const shuffleBugs = (bugs, seed) => {
	const random = createRandom(seed);
	const byKind = Map.groupBy(bugs, ({ kind }) => kind);
	const ordered = [...byKind.values()].flatMap((ofKind) =>
		ofKind
			.map((bug) => ({ bug, at: random() }))
			.sort((a, b) => a.at - b.at)
			.map(({ bug }, round) => ({ bug, round, at: random() })),
	);
	return ordered.sort((a, b) => a.round - b.round || a.at - b.at).map(({ bug }) => bug);
};
