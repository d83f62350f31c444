/** Chooses bugs that a maintainer could leave behind: the compiler would report the others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../system/paths.mjs';
import { findBugs, plantBug, shuffleBugs } from './find-bugs.mjs';

/** @typedef {import('./types').Bug} Bug */

/** @returns {(bug: Bug) => boolean} whether the compiler reports nothing in the file with the bug */
const createCompilerCheck = () => {
	const path = join(root, 'tsconfig.build.json');
	const { options, fileNames } = ts.parseJsonConfigFileContent(
		ts.readConfigFile(path, (file) => ts.sys.readFile(file)).config,
		ts.sys,
		root,
	);
	/** @type {{ path: string, text: string } | undefined} */
	let planted;
	let version = 0;
	const service = ts.createLanguageService({
		fileExists: ts.sys.fileExists,
		readFile: ts.sys.readFile,
		readDirectory: ts.sys.readDirectory,
		directoryExists: ts.sys.directoryExists,
		getDirectories: ts.sys.getDirectories,
		getCompilationSettings: () => options,
		getScriptFileNames: () => fileNames,
		getScriptVersion: (file) => (file === planted?.path ? String(version) : '0'),
		getScriptSnapshot: (file) => {
			const text = file === planted?.path ? planted.text : ts.sys.readFile(file);
			return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
		},
		getCurrentDirectory: () => root,
		getDefaultLibFileName: ts.getDefaultLibFilePath,
	});
	return (bug) => {
		const file = join(root, bug.file);
		planted = { path: file, text: plantBug(readFileSync(file, 'utf8'), bug) };
		version += 1;
		const found = [
			...service.getSyntacticDiagnostics(file),
			...service.getSemanticDiagnostics(file),
		];
		return found.length === 0;
	};
};

/**
 * @param {string[]} files from the root
 * @param {{ seed: number, count: number }} sample
 * @returns {Generator<Bug, void>} at most so many, of all kinds; each is compiled when it is asked for
 */
export function* chooseBugs(files, { seed, count }) {
	const bugs = files.flatMap((file) => findBugs(file, readFileSync(join(root, file), 'utf8')));
	const isCompiled = createCompilerCheck();
	let chosen = 0;
	for (const bug of shuffleBugs(bugs, seed)) {
		if (chosen === count) return;
		if (!isCompiled(bug)) continue;
		chosen++;
		yield bug;
	}
}
