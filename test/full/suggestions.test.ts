/** Follows the suggestion of an error on the real llama-server, which must fix it. */
import { runTurn } from '../../lib/chat/turn';
import type { ChatRequest } from '../../lib/chat/chat-request';
import type { ChatSettings } from '../../lib/chat/settings';
import { describeError } from '../../lib/errors/describe-error';
import { ServerError } from '../../lib/errors/server-error';
import { closePools } from '../../lib/http/dispatcher';
import { createModelServer } from '../../lib/servers/endpoint';
import { Embedder } from '../../lib/tasks/embed';
import { rerank as rerankTexts } from '../../lib/tasks/rerank';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { loadScript } from '../support/files/scripts';
import { parts, scriptedModel, startLlamaServer, stopEverything } from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import { toInput, toTool } from '../support/texts/messages';
import { NO_EXECUTION } from '../support/n8n/node-host';

const LIMITS = { timeouts: {}, retries: 0 };
const SAMPLE = 'right-sample-123456';
const TOOL = toTool({ name: 'stock', schema: { type: 'object', properties: {} } });

/** Uses a server. @throws the error */
type Use = (server: ModelServer) => Promise<unknown>;

afterEach(async () => await stopEverything());
afterAll(async () => await closePools());

const chat =
	(content = 'Hi', call: Partial<ChatRequest> = {}): Use =>
	async (server) => {
		const settings: ChatSettings = {
			...LIMITS,
			model: 'test-model',
			// A model with random weights may end its response before the first word.
			sampling: { maxTokens: 64, extraBody: { ignore_eos: call.tools === undefined } },
			thinkingHistory: 'never',
			showThinking: false,
		};
		await runTurn({
			server,
			settings,
			chatRequest: { messages: [toInput({ type: 'human', content })], ...call },
		});
	};

const embed =
	(text = 'a cat'): Use =>
	async (server) => {
		const settings = { model: 'test-model', batchSize: 8, prefixes: {}, ...LIMITS };
		const embedder = new Embedder(server, {
			...settings,
			priority: 'batch',
			longTexts: 'fail',
			blankTexts: 'fail',
		});
		await embedder.embed([text], 'document');
	};

const rerank =
	(document = 'a cat'): Use =>
	async (server) => {
		const settings = { model: 'test-model', batchSize: 8, topN: 0, ...LIMITS };
		const all = {
			...settings,
			priority: 'batch',
			scores: 'received',
			longDocuments: 'fail',
		} as const;
		await rerankTexts(server, all, {
			query: 'Where is the cat?',
			queryOrigin: 'user',
			documentOrigin: 'foreign',
			documents: [document],
		});
	};

/** @returns the text of the error, if any */
async function failureOf(use: Use, settings: Parameters<typeof createModelServer>[0]) {
	try {
		await use(createModelServer(settings, NO_EXECUTION));
		return undefined;
	} catch (error) {
		expect(error).toBeInstanceOf(ServerError);
		return describeError(error as ServerError);
	}
}

/** Starts a llama-server with these options and uses it. @returns the text of the error, if any */
async function failureWith(model: string, args: string[], use: Use): Promise<string | undefined> {
	const server = await startLlamaServer({ model, args });
	const text = await failureOf(use, { baseUrl: server.url });
	await server.stop();
	return text;
}

function captured(text: string | undefined, advice: RegExp): string {
	const match = advice.exec(text ?? '');
	if (match === null) throw new Error(`no "${advice}" in: ${text}`);
	return match[1]!;
}

describe('a prompt that is too long for llama-server: its suggestion fixes it', () => {
	const useLong = chat('word '.repeat(1800));

	it.each([[['--parallel', '1']], [['--parallel', '2']], [['--parallel', '8']], [[]]])(
		'the suggestion for a prompt that is too long works with %j',
		async (slots) => {
			const model = await scriptedModel([{ reply: 'Hello.' }], { contextLength: 32_768 });
			const text = await failureWith(model, ['--ctx-size', '8192', ...slots], useLong);
			expect(text).toContain('The prompt needs');
			const options = captured(text, /Start llama-server with (--ctx-size \d+(?: --kv-unified)?)/);
			expect(await failureWith(model, [...options.split(' '), ...slots], useLong)).toBeUndefined();
		},
	);

	it('longer than the context of the model: no option of the server is suggested', async () => {
		const model = parts().noise;
		const text = await failureWith(model, ['--ctx-size', '4096', '--parallel', '1'], useLong);
		expect(text).toContain('This model supports at most 4096 tokens');
		expect(text).not.toContain('--ctx-size');
	});
});

interface Situation {
	name: string;
	model: () => string | Promise<string>;
	use: Use;
	/** Options of llama-server that cause the error, and those that stay when the suggestion is followed. */
	options?: string[];
	kept?: string[];
	failure: string;
	/** Its group captures the options that the text names. */
	advice: RegExp;
}

const LONG_TEXT = 'the cat sits on the mat '.repeat(20);
const SMALL_BATCH = ['-b', '64', '-ub', '64'];
const POOLED = ['--pooling', 'mean'];

const SITUATIONS: Situation[] = [
	{
		name: 'a text too long for the embedding model',
		model: () => parts().noiseBert,
		use: embed(LONG_TEXT),
		options: ['--embeddings', ...POOLED, ...SMALL_BATCH],
		kept: ['--embeddings', ...POOLED],
		failure: 'tokens',
		advice: /for example (-ub \d+ -b \d+)/,
	},
	{
		name: 'a document too long for the reranker',
		model: () => parts().noiseBert,
		use: rerank(LONG_TEXT),
		options: ['--reranking', ...SMALL_BATCH],
		kept: ['--reranking'],
		failure: 'tokens',
		advice: /for example (-ub \d+ -b \d+)/,
	},
	{
		name: 'embeddings of a server without them',
		model: () => parts().noiseBert,
		use: embed(),
		options: POOLED,
		kept: POOLED,
		failure: 'embeddings',
		advice: /Start llama-server with (--embeddings)/,
	},
	{
		name: 'reranking by a server without it',
		model: () => parts().noiseBert,
		use: rerank(),
		failure: 'rerank',
		advice: /Start llama-server with (--rerank)/,
	},
	{
		name: 'vectors of tokens that are not combined',
		model: () => parts().noiseBert,
		use: embed(),
		options: ['--embeddings', '--pooling', 'none'],
		kept: ['--embeddings'],
		failure: 'returns token vectors instead of one vector per text',
		advice: /Start the server with (--pooling mean)/i,
	},
	{
		name: 'tools without a template engine',
		model: async () => await scriptedModel([{ reply: 'Hello.' }]),
		use: chat('Hi', { tools: [TOOL] }),
		options: ['--no-jinja'],
		failure: 'tools',
		advice: /Start llama-server with (--jinja)/,
	},
];

it.each(SITUATIONS)(
	'$name: the suggested option fixes it',
	async ({ model, use, options = [], kept = [], failure, advice }) => {
		const file = await model();
		const text = await failureWith(file, options, use);
		expect(text).toContain(failure);
		const followed = captured(text, advice).split(' ');
		expect(await failureWith(file, [...kept, ...followed], use)).toBeUndefined();
	},
);

describe('the credential', () => {
	it.each([
		['none', undefined, 'the credential has none'],
		['another', 'wrong-sample-123456', 'the one set with --api-key'],
	])('API key, %s: one of the keys of --api-key fixes it', async (_name, apiKey, advice) => {
		const { url: baseUrl } = await startLlamaServer({ apiKey: SAMPLE });
		const withKey = (key?: string) => ({ baseUrl, apiKey: key ?? '' });
		expect(await failureOf(chat(), withKey(apiKey))).toContain(advice);
		expect(await failureOf(chat(), withKey(SAMPLE))).toBeUndefined();
	});

	it.each([
		['a path too long', '/chat', /for example (\S+?): \/v1 is added/],
		['https', undefined, /use (?:the )?http:\/\/ in the Base URL: (\S+?)(?:\.|,) /i],
	])('Base URL, %s: the suggested URL fixes it', async (_name, path, advice) => {
		const { url } = await startLlamaServer();
		const wrongUrl = path === undefined ? url.replace('http:', 'https:') : `${url}${path}`;
		const text = await failureOf(chat(), { baseUrl: wrongUrl });
		expect(await failureOf(chat(), { baseUrl: captured(text, advice) })).toBeUndefined();
	});

	it('a prefix of the API: added to the Base URL as suggested', async () => {
		const { url } = await startLlamaServer({ args: ['--api-prefix', '/llm'], wait: false });
		const isReady = async () =>
			await fetch(`${url}/llm/health`).then(
				({ ok }) => ok,
				() => false,
			);
		await until(isReady, Boolean);
		const text = await failureOf(chat(), { baseUrl: url });
		expect(text).toContain('--api-prefix), add it to the Base URL');
		expect(await failureOf(chat(), { baseUrl: `${url}/llm` })).toBeUndefined();
	});

	it('a port without a server: starting one fixes it', async () => {
		const { freePort } = await loadScript<{ freePort: () => Promise<number> }>('system/ports');
		const port = await freePort();
		const baseUrl = `http://127.0.0.1:${port}`;
		expect(await failureOf(chat(), { baseUrl })).toContain('the port is correct.');
		await startLlamaServer({ port });
		expect(await failureOf(chat(), { baseUrl })).toBeUndefined();
	});
});
