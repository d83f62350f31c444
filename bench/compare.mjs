/**
 * `npm run bench -- compare`: the same workflows in the same n8n with Local Chat Model and with n8n's own chat models, in
 * the situations that local models bring about. Writes bench/results/compare.md. Its options: bench/lib/programs.mjs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLlamaServer } from '../scripts/lib/llama-server.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../scripts/lib/n8n.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { ensureRealParts } from '../scripts/lib/real-parts.mjs';
import { writeScriptedModel, writeTinyModel } from '../scripts/lib/tiny-model.mjs';
import { ask } from './compare/ask.mjs';
import { NAMES } from './compare/contestants.mjs';
import { markdown } from './compare/report.mjs';
import { REPLIES } from './compare/script.mjs';
import { SITUATIONS } from './compare/situations.mjs';
import { startTap } from './compare/tap.mjs';
import { nodeVersion } from './lib/machine.mjs';

/** @typedef {import('./compare/types').Cell} Cell */
/** @typedef {import('./compare/types').ContestantName} ContestantName */
/** @typedef {import('./compare/types').Situation} Situation */
/** @typedef {import('./compare/types').Environment} Environment */

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const log = createLog();

/**
 * @param {Environment} environment
 * @param {Situation} situation
 */
const row = async (environment, situation) => {
	/** @type {Map<ContestantName, Cell>} */
	const cells = new Map();
	const one = async (/** @type {ContestantName} */ name) => {
		if (situation.without?.[name] === undefined)
			cells.set(name, await situation.run(environment, name));
	};
	await log.step(situation.title, async (progress) => {
		if (situation.slow) await Promise.all(NAMES.map(one));
		else for (const name of NAMES) await one(name);
		progress.note(
			NAMES.map(
				(name) => ({ true: 'yes', false: 'no', undefined: '–' })[`${cells.get(name)?.right}`],
			).join(' '),
		);
	});
	return { situation, cells };
};

await main(async () => {
	const { install, nodes, binary } = await ensureRealParts(log);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-compare-'));
	const startedAt = Date.now();
	try {
		const scripted = join(work, 'scripted.gguf');
		writeScriptedModel(scripted, REPLIES);
		const noise = join(work, 'noise.gguf');
		writeTinyModel(noise);
		const endless = join(work, 'endless.gguf');
		writeTinyModel(endless, { contextLength: 65_536, meanTokens: Infinity });
		const server = async (/** @type {import('../scripts/lib/types').LlamaServerOptions} */ more) =>
			(
				await startLlamaServer(binary, {
					alias: 'test-model',
					threads: 1,
					contextSize: 16_384,
					parallel: 4,
					...more,
				})
			).url;
		const userFolder = join(work, 'home');
		await copyPreparedUserFolder(install, userFolder);
		const n8n = await startN8n(install, { userFolder, customExtensions: [nodes] });
		await n8n.login(TEST_LOGIN);
		/** @type {Environment} */
		const environment = {
			n8n,
			scripted: await server({ model: scripted }),
			unparsed: await server({ model: scripted, args: ['--reasoning-format', 'none'] }),
			small: await server({ model: scripted, contextSize: 512, parallel: 1 }),
			noise: await server({ model: noise }),
			endless: await server({ model: endless, contextSize: 65_536, parallel: 1 }),
			tap: startTap,
		};
		// Warm-up: loading code at the first use must not count.
		for (const name of NAMES) await ask(n8n, name, environment.scripted, { text: 'greet me' });
		const chosen = SITUATIONS.filter(({ title, slow }) =>
			options.only === undefined ? !(slow && options.quick) : title.includes(options.only),
		);
		// The slow ones only wait, so they run in parallel with the others.
		const slow = Promise.all(
			chosen.filter((situation) => situation.slow).map((situation) => row(environment, situation)),
		);
		const rows = [];
		for (const situation of chosen.filter((one) => !one.slow))
			rows.push(await row(environment, situation));
		rows.push(...(await slow));
		const text = markdown(rows, {
			n8n: install.version,
			node: await nodeVersion(),
			seconds: (Date.now() - startedAt) / 1000,
			date: new Date(),
		});
		log.line('');
		log.line(text);
		if (options.only === undefined && !options.quick)
			writeFileSync(join(root, 'bench', 'results', 'compare.md'), text);
		await n8n.stop();
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	return 0;
});
