/**
 * Names from outside never reach `Object.prototype`: no object is asked for a property whose name is any text, but by
 * `getOwn` and `setOwn`.
 */
import path from 'node:path';
import ts from 'typescript';
import { SOURCES } from './sources';

/** The only place that may use such a name. */
const LOOKUP = path.resolve('lib/values/own-properties.ts');

const PLANTED = path.resolve('lib/planted.ts');

/** Each line after the declaration would be a mistake. */
const PLANTED_TEXT = `declare const record: Record<string, string>; declare const list: string[]; declare let word: string;
export const read = record[word];
export const optional = (record as Record<string, string> | undefined)?.[word];
export const joined = record[\`x_\${word}\`];
export const known = word in record;
export const { [word]: taken } = record;
record[word] = '';
word = list[0]! + record.name + record['name'] + Object.entries(record).length;
`;

const { options } = ts.parseJsonConfigFileContent(
	ts.readConfigFile('tsconfig.build.json', (file) => ts.sys.readFile(file)).config,
	ts.sys,
	process.cwd(),
);

function createProgram() {
	const host = ts.createCompilerHost(options);
	const readFile = host.readFile.bind(host);
	const fileExists = host.fileExists.bind(host);
	const getSourceFile = host.getSourceFile.bind(host);
	// A comment has no types.
	host.jsDocParsingMode = ts.JSDocParsingMode.ParseNone;
	host.readFile = (file) => (file === PLANTED ? PLANTED_TEXT : readFile(file));
	host.fileExists = (file) => file === PLANTED || fileExists(file);
	host.getSourceFile = (file, ...others) =>
		file === PLANTED
			? ts.createSourceFile(file, PLANTED_TEXT, ts.ScriptTarget.Latest, true)
			: getSourceFile(file, ...others);
	return ts.createProgram([...SOURCES.map((file) => path.resolve(file)), PLANTED], options, host);
}

/** The name and the object of a look-up; undefined for anything else. */
function parseLookUp(node: ts.Node): { name: ts.Expression; object: ts.Node } | undefined {
	if (ts.isElementAccessExpression(node))
		return { name: node.argumentExpression, object: node.expression };
	if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword)
		return { name: node.left, object: node.right };
	const isTaken =
		ts.isBindingElement(node) &&
		node.propertyName !== undefined &&
		ts.isComputedPropertyName(node.propertyName);
	return isTaken
		? { name: (node.propertyName as ts.ComputedPropertyName).expression, object: node.parent }
		: undefined;
}

/** Whether a value may be any text: not only the names of a union of literals. */
function isAnyText(type: ts.Type): boolean {
	if (type.isUnion()) return type.types.some(isAnyText);
	return (type.flags & (ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral)) !== 0;
}

test('no name that is any text is looked up in an object, but by getOwn and setOwn', () => {
	const program = createProgram();
	const checker = program.getTypeChecker();
	const files = program
		.getSourceFiles()
		.filter(({ fileName, isDeclarationFile }) => !isDeclarationFile && fileName !== LOOKUP);
	const found = files.flatMap((file) => {
		const places: string[] = [];
		const visit = (node: ts.Node) => {
			const lookUp = parseLookUp(node);
			if (lookUp !== undefined && isAnyText(checker.getTypeAtLocation(lookUp.name))) {
				const { line } = file.getLineAndCharacterOfPosition(node.getStart());
				places.push(`${path.relative('.', file.fileName)}:${line + 1}: ${node.getText(file)}`);
			}
			ts.forEachChild(node, visit);
		};
		visit(file);
		return places;
	});
	expect(found).toEqual([
		'lib/planted.ts:2: record[word]',
		'lib/planted.ts:3: (record as Record<string, string> | undefined)?.[word]',
		'lib/planted.ts:4: record[`x_${word}`]',
		'lib/planted.ts:5: word in record',
		'lib/planted.ts:6: [word]: taken',
		'lib/planted.ts:7: record[word]',
	]);
}, 120_000);
