/**
 * Compiles sources for jest, with a planted bug or with marks: no file of the clone is changed.
 *
 * Environment variables: `PLANTED_BUG`, a `Bug` as JSON; `REGIONS_FOLDER`, where tests note what they run.
 */
import { relative } from 'node:path';
import swc from '@swc/jest';
import { root } from '../system/paths.mjs';
import { plantBug } from './find-bugs.mjs';
import { markRegions } from './regions.mjs';

const { PLANTED_BUG, REGIONS_FOLDER } = process.env;
/** @type {import('./types').Bug | undefined} */
const bug = PLANTED_BUG ? JSON.parse(PLANTED_BUG) : undefined;

/** @param {string} source @param {string} path @returns {string} */
const change = (source, path) => {
	const file = relative(root, path);
	if (file === bug?.file) return plantBug(source, bug);
	return REGIONS_FOLDER && /^(?:lib|nodes)\//.test(file) ? markRegions(file, source) : source;
};

export default {
	/** @param {Parameters<typeof swc.createTransformer>[0]} options @returns {object} a transformer */
	createTransformer(options) {
		/** @type {any} Jest types its parts more narrowly than @swc/jest. */
		const inner = swc.createTransformer(options);
		return {
			...inner,
			/** @param {string} source @param {string} path @param {...unknown} rest */
			process: (source, path, ...rest) => inner.process(change(source, path), path, ...rest),
			/** @param {string} source @param {string} path @param {...unknown} rest */
			getCacheKey: (source, path, ...rest) =>
				inner.getCacheKey(change(source, path), path, ...rest),
		};
	},
};
