/** Packs the package, checks its content and size, and runs n8n's own check of community packages on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { npm } from '../system/dependencies.mjs';
import { readJson, root } from '../system/paths.mjs';
import { onExit, run } from '../system/processes.mjs';

const MAX_PACKED_BYTES = 560_000;

const ALLOWED = [/^dist\//, /^package\.json$/, /^README(\.[\w-]+)?\.md$/, /^LICENSE$/];
const FORBIDDEN = /\.[cm]?tsx?$|\.map$|\.(test|spec)\.|\/(tests?|__tests__|node_modules)\//;
/** The one exception: undici needs Node's built-in modules, which the check forbids in packed JavaScript (docs/security.md). */
export const BUNDLE = 'dist/vendor.js';

/** @typedef {{ filename: string, size: number, files: Array<{ path: string }> }} Packed */

/**
 * Without scripts: packing would build again.
 *
 * @param {string} folder
 * @returns {Promise<Packed>} the packed file in it
 */
export const pack = async (folder) => {
	const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error'];
	const { stdout } = await npm([...args, '--pack-destination', folder], { cwd: root });
	return JSON.parse(stdout)[0];
};

/**
 * @param {Packed} packed
 * @param {Record<string, any>} manifest package.json
 * @returns {string[]} all problems
 */
const packageProblems = ({ size, files }, manifest) => {
	const paths = files.map(({ path }) => path);
	const { nodes = [], credentials = [] } = manifest.n8n ?? {};
	const needed = ['LICENSE', 'README.md', ...nodes, ...credentials];
	const { dependencies, optionalDependencies, bundleDependencies = [] } = manifest;
	const strange = paths.filter((path) => !ALLOWED.some((rule) => rule.test(path)));
	const source = paths.filter((path) => FORBIDDEN.test(path));
	const missing = needed.filter((path) => !paths.includes(path));
	const foreign = Object.keys({ ...dependencies, ...optionalDependencies });
	const isLarge = size >= MAX_PACKED_BYTES;
	return [
		...(isLarge ? [`it is ${size} bytes large, ${MAX_PACKED_BYTES} is the limit`] : []),
		...strange.map((path) => `${path} does not belong into it`),
		...source.map((path) => `${path} is not for running`),
		...missing.map((path) => `${path} is missing`),
		...(nodes.length > 0 ? [] : ['package.json names no nodes']),
		...[...foreign, ...bundleDependencies].map(
			(name) => `it depends on ${name}: bundle it instead`,
		),
	];
};

/**
 * @param {string | undefined} details ESLint's report: a line with the file's path, then its problems
 * @param {string} folder
 * @returns {string[]} the files with problems, relative to the folder
 */
const filesWithProblems = (details = '', folder) => {
	const lines = details.split('\n').filter((line) => line.startsWith(folder));
	return lines.map((line) => relative(folder, line.trim()));
};

/**
 * The content of the package, and n8n's check of the packed files and package.json. That one applies the rules of the lint
 * to the source, too, which `npm run lint` has done.
 *
 * Throws an error with all problems but those of the bundle.
 *
 * @returns {Promise<Packed>}
 */
export const checkPackage = async () => {
	const { analyzePackage } = await import('@n8n/scan-community-package/scanner/scanner.mjs');
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-scan-'));
	const clean = () => rmSync(folder, { recursive: true, force: true });
	const takeBack = onExit(clean);
	try {
		const packed = await pack(folder);
		await run('tar', ['-xzf', packed.filename], { cwd: folder });
		const unpacked = join(folder, 'package');
		const { details } = await analyzePackage(unpacked);
		const files = filesWithProblems(details, unpacked);
		const problems = packageProblems(packed, readJson(join(root, 'package.json')));
		if (files.some((file) => file !== BUNDLE))
			problems.push(`the packed files do not pass: ${details}`);
		if (!files.includes(BUNDLE))
			problems.push(`${BUNDLE} passes now: update docs/security.md and remove it here`);
		if (problems.length > 0)
			throw new Error(`The package is not right:\n- ${problems.join('\n- ')}`);
		return packed;
	} finally {
		clean();
		takeBack();
	}
};
