/** A server that lacks the model, has it for another purpose, or lacks the route is skipped, whatever its error. */
import { ChatClient } from '../../../../lib/chat/client';
import { TurnMemory } from '../../../../lib/chat/answer/turn-memory';
import { EmbeddingsClient } from '../../../../lib/embeddings/client';
import type { ServerError } from '../../../../lib/errors/server-error';
import type { Connection } from '../../../../lib/http/connection';
import { speak } from '../../../../lib/media/speak';
import { clearSharedCaches } from '../../../../lib/lru-cache';
import { RerankClient } from '../../../../lib/rerank/client';
import { connectTo } from '../../../../lib/servers/connect';
import { ServerPool } from '../../../../lib/servers/pool/server-pool';
import { complete } from '../../../../lib/text/complete';
import { events, good, json, type ScriptedServer, startScripted } from '../../../servers/scripted';
import { useSimulator } from '../../../servers/use-simulator';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';

const BATCHES = { model: 'm', batchSize: 32, limits: {}, retries: 0 };
const SPEECH = {
	model: 'm',
	input: 'Hi.',
	voice: '',
	format: 'wav' as const,
	instructions: '',
	plainText: false,
};

/** Each conversation prefers a server of its own. */
let questions = 0;

/** Every use of a model, with what answers it. */
const USES: Array<[path: string, ask: (servers: ServerPool) => Promise<unknown>]> = [
	[
		'/v1/chat/completions',
		async (servers) => {
			const client = new ChatClient(
				servers,
				{ ...PLAIN_SETTINGS, model: 'm' },
				undefined,
				new TurnMemory(),
			);
			for await (const piece of client.generate({
				messages: [{ type: 'human', content: `Question ${++questions}` }],
			}))
				void piece;
		},
	],
	[
		'/v1/embeddings',
		async (servers) =>
			await new EmbeddingsClient(servers, {
				...BATCHES,
				prefixes: {},
				longTexts: 'fail',
				blankTexts: 'refuse',
			}).embed(['a text'], 'document'),
	],
	[
		'/v1/rerank',
		async (servers) =>
			await new RerankClient(servers, {
				...BATCHES,
				topN: 0,
				scores: 'received',
				longDocuments: 'fail',
				instruction: '',
			}).rerank('a', ['b']),
	],
	[
		'/v1/audio/speech',
		async (servers) =>
			await speak(servers, { ...SPEECH, wrapAsWav: false, extra: {} }, { limits: {}, retries: 0 }),
	],
	[
		'/v1/completions',
		async (servers) => {
			const completion = complete(servers, { ...BATCHES, parameters: {} }, { prompt: 'a' });
			for await (const piece of completion) void piece;
		},
	],
];

/** What servers say, by their sources and trackers. */
const REFUSALS: Array<[server: string, status: number, body: unknown]> = [
	[
		'vLLM',
		404,
		{ error: { message: 'The model `m` does not exist.', type: 'NotFoundError', code: 404 } },
	],
	[
		'vLLM before 0.10',
		404,
		{ object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError' },
	],
	['vLLM, no route', 404, { detail: 'Not Found' }],
	[
		'vLLM, other task',
		400,
		{ error: { message: 'The model does not support Chat Completions API', code: 400 } },
	],
	[
		'vLLM#14693',
		400,
		{ object: 'error', message: 'The model does not support Rerank (Score) API', code: 400 },
	],
	[
		'SGLang',
		400,
		{
			error: {
				message:
					'This model does not appear to be an embedding model by default. Please add `--is-embedding` when launching the server or try another model.',
			},
		},
	],
	[
		'Ollama',
		404,
		{ error: { message: 'model "m" not found, try pulling it first', type: 'api_error' } },
	],
	[
		'Ollama, other use',
		400,
		{ error: { message: '"m" does not support chat', type: 'invalid_request_error' } },
	],
	[
		'LiteLLM',
		400,
		{
			error: {
				message: '/chat/completions: Invalid model name passed in model=m. Call `/v1/models`',
			},
		},
	],
	[
		'llama-server',
		501,
		{ error: { code: 501, message: 'This server does not support embeddings.' } },
	],
	[
		'LM Studio',
		404,
		{
			error: {
				message: 'Failed to load model "m". Error: Model is not embedding.',
				code: 'model_not_found',
			},
		},
	],
	[
		'LM Studio, none',
		400,
		{ error: "No models loaded. Please load a model in the developer page or use 'lms load'." },
	],
	[
		'infinity',
		400,
		{
			error: {
				message: 'ModelNotDeployedError: model=`m` does not support `embed` for modality `text`.',
				code: 400,
			},
		},
	],
	[
		'Xinference',
		404,
		{ detail: 'Model not found in the model list, uid: m (cached, retry after 10.0s)' },
	],
	[
		'mlx-openai-server',
		404,
		{
			detail: {
				error: { message: "Model 'm' not found. Available models: x", type: 'model_not_found' },
			},
		},
	],
	[
		'mlx_lm.server',
		500,
		{
			error:
				'Repository Not Found for url: https://huggingface.co/api/models/m/revision/main. Check the `repo_id`.',
		},
	],
	['a router', 500, { error: { message: 'model name=m failed to load', code: 500 } }],
	['a server for something else', 405, { detail: 'Method Not Allowed' }],
];

const startServer = useSimulator(startScripted);
beforeEach(clearSharedCaches);

const isWork = (path: string) => USES.some(([used]) => used === path);
const workAt = ({ requests }: ScriptedServer, use: string) =>
	requests.filter(({ method, path }) => method === 'POST' && path === use).length;

async function start(refuses: (path: string) => { status: number; body: unknown } | undefined) {
	return await startServer(({ path }, response) => {
		const refusal = isWork(path) ? refuses(path) : { status: 404, body: { detail: 'Not Found' } };
		if (refusal !== undefined) return json(response, refusal.body, refusal.status);
		if (path === '/v1/chat/completions') return events(response, good('Hello'));
		if (path === '/v1/completions')
			return json(response, {
				choices: [{ text: 'x', finish_reason: 'stop' }],
				usage: { prompt_tokens: 300 },
			});
		if (path === '/v1/embeddings')
			return json(response, { data: [{ index: 0, embedding: [1, 2] }] });
		if (path === '/v1/rerank')
			return json(response, { results: [{ index: 0, relevance_score: 1 }] });
		response.writeHead(200, { 'content-type': 'audio/wav' });
		response.end(Buffer.alloc(100));
	});
}

const poolOf = (...servers: ScriptedServer[]) =>
	new ServerPool(
		servers.map(({ url }) => ({ connection: connectTo({ baseUrl: url }) })) as [
			{ connection: Connection },
		],
	);

describe.each(REFUSALS)('%s says %i', (_server, status, body) => {
	test.each(USES)(
		'%s: the next server answers, and this one is left out for that use of the model',
		async (use, ask) => {
			const lacking = await start((path) => (path === use ? { status, body } : undefined));
			const second = await start(() => undefined);
			const servers = poolOf(lacking, second);
			let rounds = 0;
			for (; rounds < 40 && workAt(lacking, use) === 0; rounds++) await ask(servers);
			for (let more = 0; more < 3; more++) await ask(servers);
			expect([workAt(lacking, use), workAt(second, use)]).toEqual([1, rounds + 3]);
			const [other, askOther] = USES[(USES.findIndex(([path]) => path === use) + 1) % USES.length]!;
			for (let round = 0; round < 40 && workAt(lacking, other) === 0; round++)
				await askOther(servers);
			expect(workAt(lacking, other)).toBeGreaterThan(0);
		},
	);

	test.each(USES)('%s: where all lack it, one error has the words of each', async (use, ask) => {
		const all = [
			await start(() => ({ status, body })),
			await start(() => ({ status: 404, body: { detail: 'no such model' } })),
		];
		const failed = await ask(poolOf(...(all as [ScriptedServer, ScriptedServer]))).then(
			() => Promise.reject(new Error('no failure')),
			(error: unknown) => error as ServerError,
		);
		expect(failed).toMatchObject({ kind: 'allServersFailed', retryable: false });
		for (const { url } of all) expect(failed.remedy).toContain(url);
		expect(all.map((server) => workAt(server, use))).toEqual([1, 1]);
	});
});
