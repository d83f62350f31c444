/**
 * `npm run pictures [-- part…]`: takes the documents' pictures in the real n8n and compresses them, all or those whose path
 * includes one of the parts. They are taken by `editor*.test.ts` in `test/full`
 * (`picture(name, …)`), and copied to docs/images if a document names them. `--from=FOLDER` uses pictures that
 * those suites have put there (`LOCAL_LLAMA_PICTURES`).
 */
import { parseArgs } from 'node:util';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { node } from './lib/system/dependencies.mjs';
import { createLog, formatSize } from './lib/system/log.mjs';
import { main } from './lib/system/script-main.mjs';
import { root } from './lib/system/paths.mjs';
import { IMAGES, LARGEST_BYTES, listImages } from './lib/checks/pictures.mjs';
import { findOnPath, onExit, run } from './lib/system/processes.mjs';

const TOOLS = ['pngquant', 'optipng'];

const log = createLog();

/**
 * @param {string} source
 * @param {string} target
 */
const compress = async (source, target) => {
	mkdirSync(dirname(target), { recursive: true });
	const quality = ['--quality=60-90', '--strip', '--speed', '1', '--force'];
	await run('pngquant', [...quality, '--output', target, source]);
	await run('optipng', ['-quiet', '-o2', target]);
};

/** @returns {Promise<string>} the folder with the pictures of all suites */
const takenByTests = async () => {
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-pictures-'));
	onExit(() => rmSync(folder, { recursive: true, force: true }));
	await run(node, ['scripts/test-full.mjs', 'full/editor'], {
		cwd: root,
		env: { ...process.env, LOCAL_LLAMA_PICTURES: folder },
		onLine: log.line,
	});
	return folder;
};

await main(async () => {
	if (!TOOLS.every((tool) => findOnPath(tool)))
		throw new Error(`Images are compressed, which requires: apt-get install -y ${TOOLS.join(' ')}`);
	const { values, positionals: parts } = parseArgs({
		options: { from: { type: 'string' } },
		allowPositionals: true,
	});
	const imageFiles = listImages()
		.filter((file) => file.startsWith(`${IMAGES}/`))
		// The moving one is a recording that was made by hand.
		.filter((file) => !file.endsWith('.gif'))
		.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
	const folder = values.from ?? (await takenByTests());

	let total = 0;
	for (const file of imageFiles) {
		const source = join(folder, relative(IMAGES, file));
		if (!existsSync(source)) throw new Error(`No test takes ${file}`);
		await compress(source, join(root, file));
		const { size } = statSync(join(root, file));
		total += size;
		const note = size > LARGEST_BYTES ? '  too large: show less of the window' : '';
		log.line(`  ${formatSize(size).padStart(9)}  ${file}${note}`);
	}
	log.line(`  ${formatSize(total).padStart(9)}  in all. Look at each before you commit it.`);
	return 0;
});
