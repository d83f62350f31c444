/** The servers of a soak run: n8n with the probe inside; two llama-servers and Dify behind fault proxies. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { node } from '../../scripts/lib/system/dependencies.mjs';
import { startLlamaServer } from '../../scripts/lib/models/llama-server.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../../scripts/lib/n8n/n8n.mjs';
import { NOISE_BERT } from '../../scripts/lib/models/model.mjs';
import { root } from '../../scripts/lib/system/paths.mjs';
import { startService } from '../../scripts/lib/system/processes.mjs';
import { writeScriptedModel } from '../support/servers/scripted-model.mjs';
import { waitForOk } from '../../scripts/lib/system/wait-for-service.mjs';
import { startFaultProxy } from './fault-proxy.mjs';
import { REPLIES } from './load-profiles.mjs';

const PROBE = pathToFileURL(join(root, 'test', 'soak', 'probe.mjs')).href;
const MEASURE_LIMIT_MS = 120_000;

const DIFY = join(root, 'test', 'soak', 'dify.ts');

/** @param {string} work @returns {Promise<{ url: string, chat: string, workflow: string, stop: () => Promise<void> }>} */
const startDify = async (work) => {
	const outfile = join(work, 'dify.cjs');
	// On a new clone, esbuild is installed while this script runs.
	const { build } = await import('esbuild');
	await build({
		entryPoints: [DIFY],
		outfile,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		logLevel: 'error',
	});
	return await new Promise((resolve, reject) => {
		const onLine = (/** @type {string} */ line) =>
			resolve({ ...JSON.parse(line), stop: async () => await service.stop() });
		const service = startService('dify', node, [outfile], { onLine });
		service.exited.then(() => reject(new Error(`Dify ended: ${service.lines.join('\n')}`)), reject);
	});
};

/** @param {string} path of the probe's socket @returns {Promise<import('./types').Sample>} */
const askProbe = async (path) => {
	const socket = connect(path, () => socket.write('measure\n'));
	socket.setTimeout(MEASURE_LIMIT_MS, () => socket.destroy(new Error('n8n measured nothing')));
	const answer = JSON.parse(await text(socket));
	if (answer.problem !== undefined) throw new Error(`n8n could not be measured: ${answer.problem}`);
	return answer;
};

/**
 * @param {{ install: import('../../scripts/lib/types').N8nInstall, nodes: string, binary: string }} parts
 * @param {string} work an empty folder
 */
export const startServers = async ({ install, nodes, binary }, work) => {
	const model = join(work, 'scripted.gguf');
	writeScriptedModel(model, REPLIES, { contextLength: 16_384 });
	const userFolder = join(work, 'home');
	const socket = join(work, 'probe');
	await copyPreparedUserFolder(install, userFolder);
	const [n8n, dify, chat, embed] = await Promise.all([
		startN8n(install, {
			userFolder,
			customExtensions: [nodes],
			logFile: join(work, 'n8n.log'),
			env: {
				NODE_OPTIONS: `--import=${PROBE}`,
				SOAK_PROBE_SOCKET: socket,
				SOAK_PROBE_PACKAGE: nodes,
				N8N_LOG_LEVEL: 'warn',
			},
		}),
		startDify(work),
		startLlamaServer(binary, {
			model,
			alias: 'soak-chat',
			contextSize: 16_384,
			parallel: 4,
			threads: 1,
		}),
		startLlamaServer(binary, {
			model: NOISE_BERT,
			alias: 'soak-embedding',
			threads: 1,
			args: ['--embeddings', '--pooling', 'mean'],
		}),
	]);
	await n8n.login(TEST_LOGIN);
	const proxies = {
		chat: await startFaultProxy(chat.url),
		embed: await startFaultProxy(embed.url),
		dify: await startFaultProxy(dify.url),
	};
	return {
		n8n,
		dify,
		/** @type {import('./workflows.mjs').ProxyUrls} */
		urls: { chat: proxies.chat.url, embed: proxies.embed.url, dify: proxies.dify.url },
		/** Requests in progress, of all servers. */
		open: () => Object.values(proxies).reduce((sum, proxy) => sum + proxy.open(), 0),
		measure: async () => {
			const sample = await askProbe(socket);
			// After being blocked for seconds n8n believes that it has lost its database, until it has checked.
			await waitForOk(`${n8n.url}/healthz/readiness`, MEASURE_LIMIT_MS, () => undefined);
			return sample;
		},
		stop: async () => {
			for (const proxy of Object.values(proxies)) proxy.stop();
			await Promise.all([n8n.stop(), dify.stop(), chat.stop(), embed.stop()]);
		},
	};
};
