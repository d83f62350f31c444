/** One archive with all that an installation without internet needs, and a list of SHA-256 hashes. */
import { createHash } from 'node:crypto';
import {
	cpSync,
	createReadStream,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { formatSize } from './log.mjs';
import { readJson, root } from './paths.mjs';
import { run } from './proc.mjs';

/** @typedef {{ file: string, sha256?: string }} Model */

/** @type {string} */
export const version = readJson(join(root, 'package.json')).version;

/** What of the repository goes into the archive: pages, images and compose files, and the example workflows. */
const PAGES = ['README.md', 'README.zh-CN.md', 'CHANGELOG.md', 'LICENSE', 'docs', 'workflows'];
const WITH_HASH = /^(?<file>.+)@sha256:(?<sha256>[\da-f]{64})$/i;

/**
 * @param {string} text `FILE` or `FILE@sha256:HASH`
 * @returns {Model}
 */
export const parseModel = (text) => {
	const { file, sha256 } = WITH_HASH.exec(text)?.groups ?? {};
	if (file === undefined || sha256 === undefined) return { file: text };
	return { file, sha256: sha256.toLowerCase() };
};

/** @param {string} file */
const hashOf = async (file) => {
	const hash = createHash('sha256');
	for await (const chunk of createReadStream(file)) hash.update(chunk);
	return hash.digest('hex');
};

/**
 * A link, since models and images are large: tar follows it.
 *
 * @param {string} file
 * @param {string} folder
 */
const link = (file, folder) => {
	if (!existsSync(file)) throw new Error(`There is no file ${file}`);
	mkdirSync(folder, { recursive: true });
	const target = join(folder, basename(file));
	if (existsSync(target)) throw new Error(`Two files have the name ${basename(file)}`);
	symlinkSync(resolve(file), target);
	return target;
};

/** @param {Model} model @param {string} actual */
const checkHash = ({ file, sha256 }, actual) => {
	if (sha256 === undefined || sha256 === actual) return;
	throw new Error(`${file} has the SHA-256 hash ${actual}, not ${sha256}`);
};

/** @param {string} folder */
const filesIn = (folder) =>
	readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.map((name) => join(folder, name))
		.filter((file) => statSync(file).isFile())
		.sort();

/**
 * @param {string} folder
 * @param {Model[]} models
 */
const writeHashes = async (folder, models) => {
	/** @type {string[]} */
	const lines = [];
	for (const file of filesIn(folder)) {
		const name = relative(folder, file);
		const actual = await hashOf(file);
		const model = models.find((each) => name === join('models', basename(each.file)));
		if (model !== undefined) checkHash(model, actual);
		lines.push(`${actual}  ${name}\n`);
	}
	writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
};

/**
 * @param {import('./types').Log} log
 * @param {{ packageFile: string, images: string[], models: Model[], out: string }} parts
 * @returns {Promise<string>} the archive
 * @throws where a file is missing, or a model has another hash than the one named
 */
export const writeArchive = async (log, { packageFile, images, models, out }) =>
	await log.step('archive', async (progress) => {
		const work = mkdtempSync(join(tmpdir(), 'local-llama-air-gap-'));
		const name = `n8n-local-llama-${version}`;
		const folder = join(work, name);
		try {
			for (const page of PAGES) cpSync(join(root, page), join(folder, page), { recursive: true });
			link(packageFile, folder);
			for (const image of images) link(image, join(folder, 'images'));
			for (const { file } of models) link(file, join(folder, 'models'));
			progress('hashes');
			await writeHashes(folder, models);
			progress('writing');
			mkdirSync(dirname(resolve(out)), { recursive: true });
			await run('tar', ['-chf', resolve(out), '-C', work, name]);
			progress(formatSize(statSync(out).size));
			return resolve(out);
		} finally {
			rmSync(work, { recursive: true, force: true });
		}
	});
