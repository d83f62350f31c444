/** The tests of a source file, the nearest ones first: those name a bug within seconds, the others may be all tests. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { root } from '../system/paths.mjs';

/** @typedef {{ name: string, files: string[] }} Group */

/** A path below one of the folders of sources. */
const SOURCE = /^(?:lib|nodes|credentials)(?:\/|$)/;

/**
 * @param {string[]} args of `npm test`
 * @returns {{ sources: string[], options: string[] }} files and folders of sources, from the root; and what is for jest
 */
export const splitArguments = (args) => {
	const paths = args.map((arg) => relative(root, resolve(root, arg)));
	const isSource = (/** @type {number} */ at) =>
		SOURCE.test(paths[at] ?? '') && existsSync(join(root, paths[at] ?? ''));
	return {
		sources: paths.filter((_path, at) => isSource(at)),
		options: args.filter((_arg, at) => !isSource(at)),
	};
};

/**
 * @param {string} source a file or folder
 * @returns {string} where its own tests are: `test/lib/http/queue.` or `test/lib/http/`
 */
const ownPlace = (source) =>
	source.endsWith('.ts') ? `test/${source.replace(/(?:\.node)?\.ts$/, '')}.` : `test/${source}/`;

/** @param {string} source @returns {string} folder of the tests beside its own */
const folder = (source) => ownPlace(source).replace(/[^/]*$/, '');

/**
 * @param {string} source a file
 * @param {string[]} related all test files that use it, from the root
 * @returns {string[]} those of its name; without any, those of the nearest folder that has some
 */
export const nearestTests = (source, related) => {
	const ownFile = ownPlace(source).replace(/^.*\//, '/');
	const own = related.filter((file) => file.includes(ownFile));
	if (own.length > 0) return own;
	let place = folder(source);
	while (place !== '' && !related.some((file) => file.startsWith(place)))
		place = place.replace(/[^/]*\/$/, '');
	return related.filter((file) => file.startsWith(place));
};

/** Suites that make up their cases, for all sources. */
const GENERATORS = /^test\/guarantees\/(?:conversations|lists|options)\./;

/** In suites with an approved table of outcomes, which see bugs of many sources. */
const TABLE = 'expectApproved(';

/** Suites of whole nodes, and those that span sources. */
const SPANNING = /^test\/(?:nodes|guarantees|faults)\//;

/**
 * @param {string} source a file or folder
 * @returns {RegExp | undefined} what names of its tests elsewhere have: a word of its path
 */
const wordsOf = (source) => {
	const words = source
		.replace(/^\w+\//, '')
		.toLowerCase()
		.match(/[a-z]{4,}/g);
	return words ? new RegExp(words.join('|'), 'i') : undefined;
};

/** @param {string} file @returns {string} the text of a test file */
const readTest = (file) => readFileSync(join(root, file), 'utf8');

/**
 * @param {string[]} sources
 * @param {string[]} related all test files that use them, from the root
 * @param {(file: string) => string} [read]
 * @returns {Group[]} the tests of the sources, those beside them, those with approved tables, suites of nodes, guarantees and
 *   faults that make up their cases, have a word of the path of a source in their name or import it, and all others; without
 *   empty groups
 */
export const groupTests = (sources, related, read = readTest) => {
	const places = sources.map(ownPlace);
	const folders = sources.map(folder);
	const isOwn = (/** @type {string} */ file) => places.some((place) => file.startsWith(place));
	const isBeside = (/** @type {string} */ file) =>
		!isOwn(file) && folders.some((place) => file.startsWith(place));
	const words = sources.map(wordsOf);
	const modules = sources.map((source) => `/${source.replace(/\.ts$/, "'")}`);
	const isElsewhere = (/** @type {string} */ file) => !isOwn(file) && !isBeside(file);
	// A generator with a table takes as long as a suite of nodes: it runs beside them, not before.
	const tables = related.filter(
		(file) => isElsewhere(file) && !GENERATORS.test(file) && read(file).includes(TABLE),
	);
	const isNear = (/** @type {string} */ file) =>
		SPANNING.test(file) &&
		isElsewhere(file) &&
		!tables.includes(file) &&
		(GENERATORS.test(file) ||
			words.some((word) => word?.test(file)) ||
			modules.some((name) => read(file).includes(name)));
	const groups = [
		{ name: `tests of ${sources.join(', ')}`, files: related.filter(isOwn) },
		{ name: 'tests beside them', files: related.filter(isBeside) },
		{ name: 'approved tables', files: tables },
		{
			name: 'nodes, guarantees and faults near them',
			files: related.filter(isNear),
		},
		{
			name: 'other tests that use them',
			files: related.filter((file) => isElsewhere(file) && !tables.includes(file) && !isNear(file)),
		},
	];
	return groups.filter(({ files }) => files.length > 0);
};
