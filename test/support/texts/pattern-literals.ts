/** The texts that the code itself looks for: literals of its regular expressions and strings, file by file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as ts from 'typescript';
import { samplePattern } from './pattern-samples';

/** Longer strings are texts for people. */
const MAX_LENGTH = 60;

/** Whether a string may be a mark: short, with a sign that is not of a sentence or a path. */
function isMark(text: string) {
	return text.length <= MAX_LENGTH && /[^\w\s./$]/.test(text) && text.split(' ').length <= 3;
}

function isModuleName(node: ts.Node) {
	return ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent);
}

/** The literals of a file, without duplicates. */
export function collectLiterals(file: string): string[] {
	const literals: string[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isRegularExpressionLiteral(node)) {
			const end = node.text.lastIndexOf('/');
			literals.push(...samplePattern(node.text.slice(1, end), node.text.slice(end + 1)));
		} else if (ts.isStringLiteralLike(node) && !isModuleName(node) && isMark(node.text))
			literals.push(node.text);
		else if (ts.isTemplateExpression(node))
			literals.push(
				...[node.head, ...node.templateSpans.map(({ literal }) => literal)]
					.map(({ text }) => text)
					.filter(isMark),
			);
		ts.forEachChild(node, visit);
	};
	visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true));
	return [...new Set(literals)].filter((text) => text !== '' && text.length <= MAX_LENGTH);
}

/** Something that a file exports. `name`: of a method with its class, `Class.method`. */
export interface ExportedName {
	name: string;
	file: string;
}

const parseFile = (file: string) =>
	ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);

const hasModifier = (node: ts.Node, modifier: ts.SyntaxKind) =>
	ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === modifier);

const isExported = (statement: ts.Statement) => hasModifier(statement, ts.SyntaxKind.ExportKeyword);

/** Functions, classes and constants. */
export function findExports(file: string): ExportedName[] {
	const names = parseFile(file)
		.statements.filter(isExported)
		.flatMap((statement) => {
			if (ts.isVariableStatement(statement))
				return statement.declarationList.declarations.map(({ name }) => name.getText());
			const isNamed = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement);
			return isNamed && statement.name ? [statement.name.text] : [];
		});
	return names.map((name) => ({ name, file }));
}

/** The files of the project that a file imports. */
export function findImports(file: string): string[] {
	return parseFile(file)
		.statements.filter(ts.isImportDeclaration)
		.map(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral).text)
		.filter((name) => name.startsWith('.'))
		.map((name) => `${path.join(path.dirname(file), name)}.ts`);
}

const takesText = (node: ts.SignatureDeclarationBase) =>
	node.parameters.some(({ type }) => /\b(?:string|Buffer)\b/.test(type?.getText() ?? ''));

/** Exported functions, and public methods of exported classes, that take a text. */
export function findTextFunctions(file: string): ExportedName[] {
	const names = parseFile(file)
		.statements.filter(isExported)
		.flatMap((statement) => {
			if (ts.isFunctionDeclaration(statement))
				return takesText(statement) ? [statement.name!.text] : [];
			if (!ts.isClassDeclaration(statement)) return [];
			return statement.members
				.filter((member) => ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member))
				.filter((member) => !hasModifier(member, ts.SyntaxKind.PrivateKeyword))
				.filter(takesText)
				.map((member) => `${statement.name!.text}.${member.name?.getText() ?? 'new'}`);
		});
	return names.map((name) => ({ name, file }));
}
