/**
 * `npm run bench -- faults`: runs every node against a server that goes wrong, at every place and in every way, and
 * writes what users read into bench/results/faults.md, and the totals into docs/faults.md and its Chinese page. Exits
 * with 1 where a cell hangs, says nothing useful, loses text, leaves a connection open, or shows a secret. Its options: bench/lib/programs.mjs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { ensureDependencies } from '../scripts/lib/deps.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { root } from '../scripts/lib/paths.mjs';

const { values: options } = parseArgs({
	options: {
		only: { type: 'string' },
		fuzz: { type: 'string' },
		seed: { type: 'string', default: '1' },
		'at-once': { type: 'string', default: '48' },
	},
});
const log = createLog();

/** @param {string} name @param {string | undefined} text */
const wholeNumber = (name, text) => {
	if (text === undefined) return undefined;
	if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} wants a whole number, not "${text}".`);
	return Number(text);
};

/** Bundles the test rig into one file that runs without jest. It lies in node_modules so that it finds n8n's packages. */
const bundleRig = async () => {
	const folder = join(root, 'node_modules', '.cache', 'faults');
	mkdirSync(folder, { recursive: true });
	const outfile = join(folder, 'faults.cjs');
	await build({
		entryPoints: [join(root, 'test', 'faults', 'main.ts')],
		outfile,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		packages: 'external',
		logLevel: 'error',
	});
	return outfile;
};

await main(async () => {
	await ensureDependencies(log);
	await ensureBuild(log);
	process.chdir(root);
	/** @type {{ main: (request: object, say: (line: string) => void) => Promise<boolean> }} */
	const rig = createRequire(import.meta.url)(await bundleRig());
	const well = await rig.main(
		{
			only: options.only,
			fuzz: wholeNumber('fuzz', options.fuzz),
			seed: wholeNumber('seed', options.seed),
			atOnce: wholeNumber('at-once', options['at-once']),
		},
		(line) => log.line(line),
	);
	const matrix = join(root, 'bench', 'results', 'faults.md');
	writeFileSync(
		matrix,
		await format(readFileSync(matrix, 'utf8'), {
			...(await resolveConfig(matrix)),
			filepath: matrix,
		}),
	);
	// Requests that were left hanging on purpose end with this process.
	process.exit(well ? 0 : 1);
});
