/** Runs n8n's own check of community packages on the source and on the packed files. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { npm } from './npm.mjs';
import { onExit, run } from './proc.mjs';
import { root } from './paths.mjs';

/** The one exception: undici needs Node's built-in modules, which the check forbids in packed JavaScript (docs/security.md). */
export const BUNDLE = 'dist/vendor.js';

/**
 * @param {string | undefined} details ESLint's report: a line with the file's path, then its problems
 * @param {string} folder
 * @returns {string[]} the files with problems, relative to the folder
 */
export const filesWithProblems = (details, folder) =>
	(details ?? '')
		.split('\n')
		.filter((line) => line.startsWith(folder))
		.map((line) => relative(folder, line.trim()));

/**
 * @param {string} folder for the archive
 * @returns {Promise<string>} the folder with the unpacked package
 */
const packAndUnpack = async (folder) => {
	await npm(['pack', '--ignore-scripts', '--pack-destination', folder, '--loglevel=error'], {
		cwd: root,
	});
	const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
	if (!archive) throw new Error('npm pack left no archive');
	const unpacked = join(folder, 'unpacked');
	mkdirSync(unpacked);
	await run('tar', ['-xzf', archive, '-C', unpacked], { cwd: folder });
	return join(unpacked, 'package');
};

/**
 * @returns {Promise<string[]>} all problems; in the packed files, those of the bundle are ignored
 */
export const scanProblems = async () => {
	const { analyzePackage, SOURCE_FILE_PATTERNS } = await import(
		'@n8n/scan-community-package/scanner/scanner.mjs'
	);
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-scan-'));
	const clean = () => rmSync(folder, { recursive: true, force: true });
	const takeBack = onExit(clean);
	try {
		const source = await analyzePackage(root, [...SOURCE_FILE_PATTERNS, 'lib/**/*.ts']);
		const unpacked = await packAndUnpack(folder);
		const packed = await analyzePackage(unpacked);
		const files = filesWithProblems(packed.details, unpacked);
		return [
			...(source.passed ? [] : [`the source does not pass: ${source.details ?? source.message}`]),
			...(files.some((file) => file !== BUNDLE)
				? [`the packed files do not pass: ${packed.details}`]
				: []),
			...(files.includes(BUNDLE)
				? []
				: [
						`${BUNDLE} passes now: say so in docs/security.md and in the README, and take it out of here`,
					]),
		];
	} finally {
		clean();
		takeBack();
	}
};
