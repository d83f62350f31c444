/**
 * Which parts of a source a test runs: statements, branches and short functions get a mark. A mark costs next to nothing,
 * so that tests with time limits pass.
 */
import ts from 'typescript';

/** @typedef {import('./types').Region} Region */

/** @param {ts.Statement} statement @returns {boolean} whether it runs where it stands */
const isRun = (statement) =>
	!ts.isImportDeclaration(statement) &&
	!ts.isExportDeclaration(statement) &&
	!ts.isInterfaceDeclaration(statement) &&
	!ts.isTypeAliasDeclaration(statement) &&
	// It runs where it is called, and a mark between its overloads is no TypeScript.
	!ts.isFunctionDeclaration(statement);

/** @param {ts.Node} node @returns {node is ts.SourceFile | ts.Block | ts.CaseOrDefaultClause} */
const hasStatements = (node) =>
	ts.isSourceFile(node) || ts.isBlock(node) || ts.isCaseOrDefaultClause(node);

/** @param {ts.Node} node @returns {ts.Statement[]} what a branch or a loop runs */
const bodiesOf = (node) => {
	if (ts.isIfStatement(node))
		return node.elseStatement ? [node.thenStatement, node.elseStatement] : [node.thenStatement];
	return ts.isIterationStatement(node, false) ? [node.statement] : [];
};

/** @param {ts.Node} node @returns {ts.Expression[]} what runs only in some cases */
const expressionsOf = (node) => {
	if (ts.isArrowFunction(node)) return ts.isBlock(node.body) ? [] : [node.body];
	if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse];
	const isChoice =
		ts.isBinaryExpression(node) && ['&&', '||', '??'].includes(node.operatorToken.getText());
	return isChoice ? [node.right] : [];
};

/**
 * @param {string} source
 * @returns {Region[]} in the order of the text, an outer one before its inner ones
 */
export const findRegions = (source) => {
	/** @type {Region[]} */
	const regions = [];
	/** @param {ts.Node} node @param {Region['form']} form */
	const add = (node, form) =>
		void regions.push({ start: node.getStart(), end: node.getEnd(), form });
	/** @param {ts.Node} node */
	const visit = (node) => {
		if (hasStatements(node))
			for (const statement of node.statements.filter(isRun)) add(statement, 'statement');
		for (const body of bodiesOf(node)) if (!ts.isBlock(body)) add(body, 'body');
		for (const expression of expressionsOf(node)) add(expression, 'expression');
		ts.forEachChild(node, visit);
	};
	visit(ts.createSourceFile('a.ts', source, ts.ScriptTarget.Latest, true));
	return regions.sort((a, b) => a.start - b.start || b.end - a.end);
};

/**
 * @param {readonly Region[]} regions
 * @param {{ start: number, end: number }} place
 * @returns {number} the number of the smallest region with all of the place; -1 if it runs when the file is loaded
 */
export const findRegionOf = (regions, { start, end }) =>
	regions.findLastIndex((region) => region.start <= start && end <= region.end);

/** What stands before and after a region. @type {Record<Region['form'], (mark: string) => [string, string]>} */
const AROUND = {
	statement: (mark) => [`${mark}; `, ''],
	body: (mark) => [`{ ${mark}; `, ' }'],
	expression: (mark) => [`(${mark}, `, ')'],
};

/**
 * @param {string} file from the root
 * @param {string} source
 * @returns {string} the source, which notes in `globalThis.ranRegions[file]` which of its regions ran
 */
export const markRegions = (file, source) => {
	const regions = findRegions(source);
	const inserted = regions.flatMap(({ start, end, form }, index) => {
		const [before, after] = AROUND[form](`ranHere[${index}] = 1`);
		return [
			{ at: start, text: before, isEnd: false, index },
			{ at: end, text: after, isEnd: true, index },
		];
	});
	// At one place, ends come first, the inner one before the outer one; then beginnings, the outer one first.
	inserted.sort(
		(a, b) =>
			a.at - b.at ||
			Number(b.isEnd) - Number(a.isEnd) ||
			(a.isEnd ? b.index - a.index : a.index - b.index),
	);
	const name = JSON.stringify(file);
	let marked = `const ranHere = ((globalThis.ranRegions ??= {})[${name}] ??= new Uint8Array(${regions.length})); `;
	let from = 0;
	for (const { at, text } of inserted) {
		marked += source.slice(from, at) + text;
		from = at;
	}
	return marked + source.slice(from);
};
