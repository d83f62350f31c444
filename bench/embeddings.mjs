/**
 * `npm run bench -- embeddings`: the cost of inserting 3,000 chunks into n8n's Simple Vector Store, with Local Embeddings
 * and with n8n's own nodes, in one run on one real model (all-MiniLM-L6-v2). Ollama, whose generic build is slow, gets
 * 300. Writes bench/results/embeddings.md. Options: bench/lib/programs.mjs.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLlamaServer } from '../scripts/lib/llama-server.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { ensureMiniLm } from '../scripts/lib/minilm.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../scripts/lib/n8n.mjs';
import { ensureOllama, startOllama } from '../scripts/lib/ollama.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { ensureRealParts } from '../scripts/lib/real-parts.mjs';
import { cpuSecondsOf, machine, nodeVersion } from './lib/machine.mjs';

/** @typedef {{ label: string, server: string, chunks: number, type: string, parameters: object, credential: import('../scripts/lib/types').Credential }} Contestant */
/** @typedef {{ seconds: number, cpuSeconds: number, megabytes: number }} Cost */

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string', default: '3' } },
});
const CHUNKS = options.quick ? 300 : 3000;
const ROUNDS = options.quick ? 1 : Math.max(1, Number(options.rounds));
const STORE = '@n8n/n8n-nodes-langchain.vectorStoreInMemory';
const MODEL = 'minilm';
const log = createLog();

const WORDS =
	'the pump valve pressure of a cold water line is checked each spring before the garden season and after every repair'.split(
		' ',
	);
/** Twenty words each, no two texts equal. */
const TEXTS = Array.from({ length: CHUNKS }, (_, chunk) =>
	Array.from({ length: 20 }, (_, at) =>
		at === 0 ? `Note ${chunk}:` : WORDS[(chunk * 7 + at * (1 + (chunk % 5))) % WORDS.length],
	).join(' '),
);

/**
 * Retries when the connection breaks: n8n does not answer while it writes a large execution.
 *
 * @template T
 * @param {import('../scripts/lib/types').N8nServer} n8n
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
const patiently = async (n8n, ask) => {
	for (;;) {
		try {
			return await ask();
		} catch (error) {
			if (!(error instanceof TypeError) || !n8n.service.running) throw error;
		}
	}
};

/**
 * Creates the model in Ollama from a local file.
 *
 * @param {string} url
 * @param {string} file
 */
const createOnOllama = async (url, file) => {
	const bytes = readFileSync(file);
	const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
	for (const [path, body] of /** @type {const} */ ([
		[`/api/blobs/${digest}`, new Uint8Array(bytes)],
		[
			'/api/create',
			JSON.stringify({
				model: MODEL,
				files: { 'model.gguf': digest },
				parameters: { num_thread: 1 },
				stream: false,
			}),
		],
	])) {
		const answer = await fetch(`${url}${path}`, { method: 'POST', body });
		if (!answer.ok) throw new Error(`POST ${path}: HTTP ${answer.status} ${await answer.text()}`);
	}
};

/**
 * @param {import('../scripts/lib/types').N8nServer} n8n
 * @param {Contestant} contestant
 * @returns {Promise<Cost>}
 */
const insert = async (n8n, { label, chunks, type, parameters, credential }) => {
	const { id, name } = await n8n.createCredential(credential);
	/**
	 * @param {string} own
	 * @param {string} kind
	 * @param {number} version
	 * @param {object} given
	 * @param {object} [more]
	 */
	const part = (own, kind, version, given, more = {}) => ({
		id: own,
		name: own,
		type: kind,
		typeVersion: version,
		position: /** @type {[number, number]} */ ([0, 0]),
		parameters: { ...given },
		...more,
	});
	/** @param {string} to */
	const main_ = (to) => ({ main: [[{ node: to, type: 'main', index: 0 }]] });
	const workflow = await n8n.createWorkflow({
		name: label,
		nodes: [
			part('Start', 'n8n-nodes-base.manualTrigger', 1, {}),
			part('Texts', 'n8n-nodes-base.set', 3.4, {
				mode: 'raw',
				jsonOutput: JSON.stringify({ text: TEXTS.slice(0, chunks) }),
				options: {},
			}),
			part('Split', 'n8n-nodes-base.splitOut', 1, { fieldToSplitOut: 'text', options: {} }),
			part('Insert', STORE, 1.3, {
				mode: 'insert',
				memoryKey: { __rl: true, mode: 'id', value: `bench_${label}` },
				clearStore: true,
			}),
			part('Loader', '@n8n/n8n-nodes-langchain.documentDefaultDataLoader', 1.1, {
				jsonMode: 'expressionData',
				jsonData: '={{ $json.text }}',
				options: {},
			}),
			part('Embeddings', type, type.includes('OpenAi') ? 1.2 : 1, parameters, {
				credentials: { [credential.type]: { id, name } },
			}),
		],
		connections: {
			Start: main_('Texts'),
			Texts: main_('Split'),
			Split: main_('Insert'),
			Loader: { ai_document: [[{ node: 'Insert', type: 'ai_document', index: 0 }]] },
			Embeddings: { ai_embedding: [[{ node: 'Insert', type: 'ai_embedding', index: 0 }]] },
		},
	});
	const before = cpuSecondsOf(n8n.service.pid);
	const executionId = await n8n.runWorkflow(workflow, 'Start');
	const execution = await patiently(
		n8n,
		async () => await n8n.waitForExecution(executionId, 30 * 60_000),
	);
	const cpuSeconds = cpuSecondsOf(n8n.service.pid) - before;
	const { runData, error } = execution.data.resultData;
	const stored = runData.Insert?.[0];
	if (execution.status !== 'success' || stored === undefined)
		throw new Error(`${label}: ${error?.message ?? 'failed'}`);
	// In the format of n8n's database.
	const { data } = await patiently(
		n8n,
		async () => await n8n.request('GET', `/rest/executions/${executionId}`),
	);
	return { seconds: stored.executionTime / 1000, cpuSeconds, megabytes: data.length / 1e6 };
};

/** @param {number[]} values */
const median = (values) => {
	const sorted = [...values].sort((one, other) => one - other);
	const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
	return middle.reduce((sum, value) => sum + value, 0) / middle.length;
};
/** @param {number} value */
const ratio = (value) => `${value.toFixed(2)}×`;

await main(async () => {
	const [{ install, nodes, binary }, { embedding }] = await Promise.all([
		ensureRealParts(log),
		ensureMiniLm(log),
	]);
	const ollamaBinary = await ensureOllama(log);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-bench-'));
	try {
		const llama = await startLlamaServer(binary, {
			model: embedding,
			alias: MODEL,
			threads: 1,
			args: ['--embeddings'],
		});
		const ollama = await startOllama(ollamaBinary, { folder: work });
		await createOnOllama(ollama.url, embedding);
		const userFolder = join(work, 'home');
		await copyPreparedUserFolder(install, userFolder);
		const n8n = await startN8n(install, { userFolder, customExtensions: [nodes] });
		await n8n.login(TEST_LOGIN);
		const model = { __rl: true, mode: 'id', value: MODEL };
		/** @param {string} url */
		const own = (url) => ({
			type: 'CUSTOM.localEmbeddings',
			parameters: { model, options: {} },
			credential: { name: 'own', type: 'localLlamaApi', data: { baseUrl: url } },
		});
		/** @type {Contestant[]} */
		const contestants = [
			{ label: 'Local Embeddings', server: 'llama-server', chunks: CHUNKS, ...own(llama.url) },
			{
				label: "n8n's Embeddings OpenAI",
				server: 'llama-server',
				chunks: CHUNKS,
				type: '@n8n/n8n-nodes-langchain.embeddingsOpenAi',
				parameters: { model: MODEL, options: {} },
				credential: {
					name: 'openai',
					type: 'openAiApi',
					data: { apiKey: 'none', url: `${llama.url}/v1` },
				},
			},
			{
				label: 'Local Embeddings on Ollama',
				server: 'Ollama',
				chunks: CHUNKS / 10,
				...own(ollama.url),
			},
			{
				label: "n8n's Embeddings Ollama",
				server: 'Ollama',
				chunks: CHUNKS / 10,
				type: '@n8n/n8n-nodes-langchain.embeddingsOllama',
				parameters: { model: MODEL },
				credential: { name: 'ollama', type: 'ollamaApi', data: { baseUrl: ollama.url } },
			},
		];
		/** @type {Map<string, Cost[]>} */
		const costs = new Map(contestants.map(({ label }) => [label, []]));
		// In turn, so that a change of the machine's speed affects all alike.
		for (let round = 0; round < ROUNDS; round += 1) {
			for (const contestant of contestants) {
				await log.step(`round ${round + 1}: ${contestant.label}`, async (progress) => {
					const cost = await insert(n8n, contestant);
					costs.get(contestant.label)?.push(cost);
					progress.note(
						`${cost.seconds.toFixed(1)} s, ${cost.cpuSeconds.toFixed(1)} s of CPU, ${cost.megabytes.toFixed(1)} MB`,
					);
				});
			}
		}
		await n8n.stop();
		await ollama.stop();
		await llama.stop();
		/** @param {string} label */
		const costOf = (label) => {
			const rounds = costs.get(label) ?? [];
			return {
				seconds: median(rounds.map(({ seconds }) => seconds)),
				cpuSeconds: median(rounds.map(({ cpuSeconds }) => cpuSeconds)),
				megabytes: median(rounds.map(({ megabytes }) => megabytes)),
			};
		};
		const table = [
			"| Server | | chunks | time of the insert, s | against n8n's node | CPU of n8n, s | against n8n's node | execution data, MB | against n8n's node |",
			'|---|---|---|---|---|---|---|---|---|',
			...contestants.map(({ label, server, chunks }) => {
				const { seconds, cpuSeconds, megabytes } = costOf(label);
				const rival = costOf(
					server === 'Ollama' ? "n8n's Embeddings Ollama" : "n8n's Embeddings OpenAI",
				);
				return `| ${server} | ${label} | ${chunks} | ${seconds.toFixed(1)} | ${ratio(seconds / rival.seconds)} | ${cpuSeconds.toFixed(1)} | ${ratio(cpuSeconds / rival.cpuSeconds)} | ${megabytes.toFixed(1)} | ${ratio(megabytes / rival.megabytes)} |`;
			}),
		].join('\n');
		log.line('');
		log.line(table);
		if (options.quick) return 0;
		writeFileSync(
			join(root, 'bench', 'results', 'embeddings.md'),
			[
				'# Benchmark of embeddings',
				'',
				`Written by \`npm run bench -- embeddings\`. Chunks of twenty words go into n8n's Simple Vector Store (n8n ${install.version}), with all-MiniLM-L6-v2 on`,
				`llama-server v0.5.0 and on Ollama 0.17.4. All contestants in one run on one n8n, in turn, ${ROUNDS} ${ROUNDS === 1 ? 'round' : 'rounds, medians'}. ${machine()}, Node ${await nodeVersion()},`,
				'servers on the same cores, each with one thread. The time is that of the Insert node, most of it the model; it swings with whatever else the machine does, the CPU of n8n less. The execution data are what n8n keeps of one run in its database.',
				'',
				table,
				'',
			].join('\n'),
		);
		return 0;
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
});
