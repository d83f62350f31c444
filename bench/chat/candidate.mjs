/**
 * One contestant in a separate process: runs rounds of streams against a server and reports what each round cost.
 * Started by bench/chat/comparison.mjs with one JSON argument. Each line of its input, `{"streams":1,"total":8}`,
 * is a round, answered with one line of JSON; so the contestants take turns while their code stays compiled.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHAT_SETTINGS, loadPackageParts } from '../lib/package-parts.mjs';

const { name, baseUrl, n8n, root, model, tokens } = JSON.parse(process.argv[2] ?? '');
const host = createRequire(
	join(n8n, 'node_modules', '@n8n', 'n8n-nodes-langchain', 'package.json'),
);
const extra = { ignore_eos: true, temperature: 1 };
/** @type {import('../../lib/chat/settings').ChatSettings} */
const SETTINGS = {
	...CHAT_SETTINGS,
	model,
	sampling: { maxTokens: tokens, extraBody: extra },
};
const question = 'Tell me a story.';

/** The parts of a node's context that n8n's tracer reads. */
const readParts = {
	addInputData: () => ({ index: 0 }),
	addOutputData: () => {},
	getNode: () => ({
		id: '1',
		name: 'Model',
		type: 'bench',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	}),
	getNextRunIndex: () => 0,
	logAiEvent: () => {},
	getExecutionCancelSignal: () => undefined,
	getMode: () => 'manual',
	addExecutionHints: () => {},
	logger: console,
	helpers: {},
};

const context = /** @type {import('n8n-workflow').ISupplyDataFunctions} */ (
	/** @type {unknown} */ (readParts)
);

/** @type {Record<string, () => Promise<(onDelta: () => void) => Promise<number>>>} */
const contestants = {
	/** This package's model on the LangChain classes of that n8n. */
	async localChatModel() {
		/**
		 * @type {typeof import('../../lib/langchain/local-chat-model')
		 *   & typeof import('../../lib/langchain/host-classes')
		 *   & typeof import('../../lib/langchain/tracer-without-tokenizer')
		 *   & typeof import('../../lib/chat/turn')
		 *   & typeof import('../../lib/servers/endpoint')}
		 */
		const {
			getLocalChatModelClass,
			findHostClasses,
			getTracerWithoutTokenizer,
			runTurn,
			createModelServer,
		} = await loadPackageParts(root, [
			'langchain/local-chat-model',
			'langchain/tracer-without-tokenizer',
			'langchain/host-classes',
			'langchain/tracer-without-tokenizer',
			'chat/turn',
			'servers/endpoint',
		]);
		const sdk = host('@n8n/ai-node-sdk');
		const found = await findHostClasses(context, sdk);
		if (found.type === 'missing') throw new Error(`This n8n has no ${found.missing}`);
		const { classes } = found;
		const Tracing = getTracerWithoutTokenizer(classes.N8nLlmTracing);
		const Model = getLocalChatModelClass(classes);
		const server = createModelServer({ baseUrl }, { helpers: {}, getExecutionId: () => undefined });
		/** @type {import('../../lib/langchain/host-generator').HostGenerator} */
		const generate = async (createRequest, onDelta) =>
			await runTurn({ server, settings: SETTINGS, chatRequest: await createRequest(), onDelta });
		return streamed(
			() =>
				new /** @type {new (fields: object) => StreamedModel} */ (Model)({
					generate,
					toJsonSchema: sdk.getParametersJsonSchema,
					callbacks: [new Tracing(context)],
					settings: { model },
					jsonOutput: false,
				}),
		);
	},

	/** The class below n8n's OpenAI Chat Model. */
	async chatOpenAi() {
		const { ChatOpenAI } = host('@langchain/openai');
		const { N8nLlmTracing } = host('@n8n/ai-utilities');
		return streamed(
			() =>
				new ChatOpenAI({
					model,
					apiKey: 'none',
					maxTokens: tokens,
					// As n8n sets it. Without retries, reused connections that the server closes make 64 streams fail.
					maxRetries: 2,
					useResponsesApi: false,
					streamUsage: true,
					modelKwargs: extra,
					configuration: { baseURL: `${baseUrl}/v1` },
					callbacks: [new N8nLlmTracing(context)],
				}),
		);
	},
};

/**
 * Reads the model's stream as the agent does.
 *
 * @typedef {{ content: unknown, usage_metadata?: { output_tokens: number } }} Chunk
 * @typedef {{ stream: (messages: object[]) => Promise<AsyncIterable<Chunk>> }} StreamedModel
 * @param {() => StreamedModel} make
 */
function streamed(make) {
	const { HumanMessage } = host('@langchain/core/messages');
	return async (/** @type {() => void} */ onDelta) => {
		let count = 0;
		for await (const chunk of await make().stream([new HumanMessage(question)])) {
			if (chunk.content) onDelta();
			if (chunk.usage_metadata) count = chunk.usage_metadata.output_tokens;
		}
		return count;
	};
}

const start = contestants[name];
if (start === undefined) throw new Error(`There is no contestant ${name}`);
const run = await start();

/**
 * `total` streams, of which `streams` run concurrently.
 *
 * @param {{ streams: number, total: number }} counts
 */
async function round({ streams, total }) {
	/** @type {number[]} */
	const firstTokens = [];
	/** @type {number[]} milliseconds between two deltas of one stream */
	const gaps = [];
	let remaining = total;
	let generated = 0;
	let peak = 0;
	const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 200);
	const cpu = process.cpuUsage();
	const startedAt = performance.now();
	await Promise.all(
		Array.from({ length: streams }, async () => {
			while (remaining-- > 0) {
				let waits = firstTokens;
				let before = performance.now();
				const count = await run(() => {
					const now = performance.now();
					waits.push(now - before);
					waits = gaps;
					before = now;
				});
				generated += count;
			}
		}),
	);
	const wallMs = performance.now() - startedAt;
	const { user, system } = process.cpuUsage(cpu);
	clearInterval(sampler);
	/** @param {number[]} waits @param {number} share */
	const getPercentile = (waits, share) =>
		waits.sort((a, b) => a - b)[Math.min(waits.length - 1, Math.floor(waits.length * share))];
	return {
		tokens: generated,
		wallMs,
		cpuMsPer1000: (user + system) / generated,
		firstP50: getPercentile(firstTokens, 0.5),
		firstP99: getPercentile(firstTokens, 0.99),
		gapP50: getPercentile(gaps, 0.5),
		gapP99: getPercentile(gaps, 0.99),
		rssMb: Math.max(peak, process.memoryUsage.rss()) / 1024 / 1024,
	};
}

for await (const line of createInterface({ input: process.stdin }))
	console.log(JSON.stringify(await round(JSON.parse(line))));
process.exit(0);
