/** What decides what a test file runs: so that only tests that a change may touch are run again. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { filesBelow, hashOfFiles, root, shortHash } from '../system/paths.mjs';

/** Tests that read the whole clone. */
const READS_ALL = /^test\/(?:package|scripts)\//;
const ALL = ['lib', 'nodes', 'credentials', 'test', 'scripts', 'docs', 'workflows', 'package.json'];

/** What every test uses. */
const COMMON = [
	'jest.config.cjs',
	'package-lock.json',
	'scripts/lib/planter/regions.mjs',
	'scripts/lib/planter/transform.mjs',
	'test/fixtures',
	'test/mutation',
	'test/support/jest',
];

/** A path in quotation marks: of an import, a mock, or data beside the module. */
const RELATIVE_PATH = /(['"`])(\.{1,2}\/[^'"`\n$]+)\1/g;
const ENDINGS = ['', '.ts', '/index.ts', '.mjs', '.cjs'];

/** @param {string} path @returns {boolean} */
const isFile = (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/**
 * @param {string} file a module
 * @param {string} text its source
 * @returns {string[]} the files and modules that it names
 */
export const findNamedFiles = (file, text) =>
	[...text.matchAll(RELATIVE_PATH)].flatMap(([, , path = '']) => {
		const place = resolve(dirname(file), path);
		const ending = ENDINGS.find((each) => isFile(place + each));
		if (ending !== undefined) return [place + ending];
		// A folder of data, but not the whole clone, which some tests name.
		return place.startsWith(join(root, 'test/')) ? filesBelow(place) : [];
	});

/** @param {string} folder @returns {string[]} its files that are no TypeScript: rows of tables, recorded results */
const findData = (folder) =>
	readdirSync(folder, { withFileTypes: true })
		.filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
		.map(({ name }) => join(folder, name));

/** @returns {(test: string) => string} the hash of what a test file, given from the root, uses */
export const createInputHash = () => {
	/** @type {Map<string, { hash: string, named: string[] }>} */
	const modules = new Map();
	const common = hashOfFiles(COMMON.map((path) => join(root, path)));
	const all = hashOfFiles(ALL.map((path) => join(root, path)));

	/** @param {string} file */
	const read = (file) => {
		const known = modules.get(file);
		if (known) return known;
		const content = readFileSync(file);
		const named = /\.[cm]?[jt]s$/.test(file) ? findNamedFiles(file, String(content)) : [];
		const module = { hash: shortHash(relative(root, file), content), named };
		modules.set(file, module);
		return module;
	};

	return (test) => {
		if (READS_ALL.test(test)) return shortHash(common, all);
		/** @type {Map<string, string>} */
		const hashes = new Map();
		const waiting = [join(root, test), ...findData(dirname(join(root, test)))];
		for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
			if (hashes.has(file)) continue;
			const { hash, named } = read(file);
			hashes.set(file, hash);
			for (const one of named) waiting.push(one);
		}
		return shortHash(common, ...[...hashes.values()].sort());
	};
};
