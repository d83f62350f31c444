/**
 * `npm run bench -- embeddings`: the cost of inserting 3,000 chunks into n8n's Simple Vector Store, with Local Embeddings
 * and with n8n's Embeddings OpenAI, in one run on one model. Writes bench/results/embeddings.md. With `--against`, another
 * clone takes part, in an n8n of its own. Options: bench/lib/programs.mjs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startLlamaServer } from '../scripts/lib/models/llama-server.mjs';
import { createLog } from '../scripts/lib/system/log.mjs';
import { main } from '../scripts/lib/system/script-main.mjs';
import { NOISE_BERT } from '../scripts/lib/models/model.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../scripts/lib/n8n/n8n.mjs';
import { root } from '../scripts/lib/system/paths.mjs';
import { ensureRealParts } from './lib/real-parts.mjs';
import { getCpuSeconds, machine, nodeVersion } from './lib/machine.mjs';
import { startN8nWithOtherBuild } from './lib/other-build.mjs';
import { patiently } from './lib/retry.mjs';
import { median, ratio } from './lib/statistics.mjs';

/** @typedef {{ label: string, type: string, parameters: object, credential: import('../scripts/lib/types').Credential, in: import('../scripts/lib/types').N8nServer }} Contestant */
/** @typedef {{ seconds: number, cpuSeconds: number, megabytes: number }} Cost */

const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		against: { type: 'string' },
		rounds: { type: 'string', default: '3' },
		model: { type: 'string', default: NOISE_BERT },
	},
});
const CHUNKS = options.quick ? 300 : 3000;
const ROUNDS = options.quick ? 1 : Math.max(1, Number(options.rounds));
const STORE = '@n8n/n8n-nodes-langchain.vectorStoreInMemory';
const FILE = resolve(options.model);
const MODEL = basename(FILE, '.gguf');
const RIVAL = "n8n's Embeddings OpenAI";
const log = createLog();

const TEXT =
	'the pump valve pressure of a cold water line is checked each spring before the garden season and after every repair';
const WORDS = TEXT.split(' ');
/** Twenty words each, no two texts equal. */
const TEXTS = Array.from({ length: CHUNKS }, (_, chunk) =>
	Array.from({ length: 20 }, (_, at) =>
		at === 0 ? `Note ${chunk}:` : WORDS[(chunk * 7 + at * (1 + (chunk % 5))) % WORDS.length],
	).join(' '),
);

/**
 * @param {Contestant} contestant
 * @returns {Promise<Cost>}
 */
const insert = async ({ label, type, parameters, credential, in: n8n }) => {
	const { id, name } = await n8n.createCredential(credential);
	/** @param {string} own @param {string} kind @param {number} version @param {object} given @param {object} [more] */
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
				jsonOutput: JSON.stringify({ text: TEXTS }),
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
	const before = getCpuSeconds(n8n.service.pid);
	const executionId = await n8n.runWorkflow(workflow, 'Start');
	const execution = await patiently(
		n8n,
		async () => await n8n.waitForExecution(executionId, 30 * 60_000),
	);
	const cpuSeconds = getCpuSeconds(n8n.service.pid) - before;
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

await main(async () => {
	const { install, nodes, binary } = await ensureRealParts(log);
	const work = mkdtempSync(join(tmpdir(), 'local-llama-bench-'));
	try {
		const llama = await startLlamaServer(binary, {
			model: FILE,
			alias: MODEL,
			threads: 1,
			args: ['--embeddings', '--pooling', 'mean'],
		});
		const userFolder = join(work, 'home');
		await copyPreparedUserFolder(install, userFolder);
		const n8n = await startN8n(install, { userFolder, customExtensions: [nodes] });
		await n8n.login(TEST_LOGIN);
		const model = { __rl: true, mode: 'id', value: MODEL };
		const own = {
			type: 'CUSTOM.localEmbeddings',
			parameters: { model, options: {} },
			credential: { name: 'own', type: 'localLlamaApi', data: { baseUrl: llama.url } },
		};
		const other =
			options.against === undefined
				? undefined
				: await startN8nWithOtherBuild(install, options.against, work);
		/** @type {Contestant[]} */
		const contestants = [
			{ ...own, label: 'Local Embeddings', in: n8n },
			...(other === undefined ? [] : [{ ...own, label: 'The other build', in: other }]),
			{
				label: RIVAL,
				in: n8n,
				type: '@n8n/n8n-nodes-langchain.embeddingsOpenAi',
				parameters: { model: MODEL, options: {} },
				credential: {
					name: 'openai',
					type: 'openAiApi',
					data: { apiKey: 'none', url: `${llama.url}/v1` },
				},
			},
		];
		/** @type {Map<string, Cost[]>} */
		const costs = new Map(contestants.map(({ label }) => [label, []]));
		// In turn, so that a change of the machine's speed affects all alike.
		for (let round = 0; round < ROUNDS; round += 1) {
			for (const contestant of contestants) {
				await log.step(`round ${round + 1}: ${contestant.label}`, async (progress) => {
					const cost = await insert(contestant);
					costs.get(contestant.label)?.push(cost);
					progress.note(
						`${cost.seconds.toFixed(1)} s, ${cost.cpuSeconds.toFixed(1)} s of CPU, ${cost.megabytes.toFixed(1)} MB`,
					);
				});
			}
		}
		await n8n.stop();
		await other?.stop();
		await llama.stop();
		/** @param {string} label @param {keyof Cost} figure */
		const getMedian = (label, figure) =>
			median((costs.get(label) ?? []).map((cost) => cost[figure]));
		const figures = /** @type {const} */ (['seconds', 'cpuSeconds', 'megabytes']);
		const table = [
			"| | time of the insert, s | against n8n's node | CPU of n8n, s | against n8n's node | execution data, MB | against n8n's node |",
			'|---|---|---|---|---|---|---|',
			...contestants.map(({ label }) => {
				const cells = figures.map((figure) => {
					const value = getMedian(label, figure);
					return `${value.toFixed(1)} | ${ratio(value / getMedian(RIVAL, figure))}`;
				});
				return `| ${label} | ${cells.join(' | ')} |`;
			}),
		].join('\n');
		log.line(`\n${table}`);
		if (options.quick || other !== undefined) return 0;
		writeFileSync(
			join(root, 'bench', 'results', 'embeddings.md'),
			[
				'# Benchmark of embeddings',
				'',
				`Written by \`npm run bench -- embeddings\`. ${CHUNKS} chunks of twenty words go into n8n's Simple Vector Store (n8n ${install.version}), with the model ${MODEL} on`,
				`llama-server. Both in one run on one n8n, in turn, ${ROUNDS} ${ROUNDS === 1 ? 'round' : 'rounds, medians'}. ${machine()}, Node ${await nodeVersion()},`,
				'the server on the same cores with one thread. The time is that of the Insert node; it swings with whatever else the machine does, the CPU of n8n less. The execution data are what n8n keeps of one run in its database.',
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
