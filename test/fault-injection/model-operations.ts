/** The operations of the nodes for model servers. */
import { startKokoroSim } from '../simulators/media/kokoro';
import { PNG, startSdServerSim } from '../simulators/media/sd-server';
import { startWhisperSim } from '../simulators/media/whisper';
import { reply, startLlamaServerSim, type SimOptions } from '../simulators/llama-server';
import { HumanMessage, weather } from '../support/chat-model';
import {
	byId,
	CALL_LIMIT_MS,
	credentialOf,
	execute,
	LIMITS,
	type Operation,
	poll,
	type Setting,
	supply,
	textFor,
} from './operation';

const SESAME = 'recording-key-123';
const MODEL = byId('sim-model');
const WORDS =
	'The llama is a domesticated animal of the Andes, and people there keep it for its wool.'.split(
		/(?<= )/,
	);

const limitsOf = ({ limits: { firstToken, idle, total } }: Setting) => ({
	firstTokenTimeout: firstToken,
	idleTimeout: idle,
	totalTimeout: total,
	maxRetries: 0,
});

/** llama-server, which responds to a chat with many small chunks, or with text and a tool call. */
const llama =
	(options: SimOptions = {}) =>
	async (tools: boolean) => {
		const sim = await startLlamaServerSim({ apiKey: SESAME, embeddings: true, ...options });
		sim.script(
			tools
				? reply.toolCalls([{ name: 'get_weather', arguments: { city: 'Quito' } }], {
						split: 2,
						text: 'Let me look. ',
					})
				: reply.chunks(WORDS),
		);
		return { url: sim.url, apiKey: SESAME, close: async () => await sim.close() };
	};

const media = (start: () => Promise<{ url: string; close(): Promise<void> }>) => async () => ({
	...(await start()),
	apiKey: SESAME,
});

const base = {
	service: 'model',
	uploads: true,
	queues: true,
	callsTools: false,
	keepsText: false,
	limitMs: LIMITS.total * 1_000,
} as const;

const is =
	(method: string, ending: string): Operation['target'] =>
	(request) =>
		request.method === method && request.path.endsWith(ending);

/** Audio or an image to send. */
const fileItem = ({ big }: Setting, kind: 'sound' | 'picture') => {
	const start = kind === 'sound' ? Buffer.from('RIFF\0\0\0\0WAVEfmt ') : Buffer.from(PNG, 'base64');
	const data = Buffer.concat([start, Buffer.alloc(big ? 8_000_000 : 900)]);
	return {
		items: [
			{
				json: {},
				binary: {
					data: {
						data: 'filesystem-v2',
						id: 'store:1',
						mimeType: kind === 'sound' ? 'audio/wav' : 'image/png',
						fileName: kind === 'sound' ? 'a.wav' : 'a.png',
					},
				},
			},
		],
		stored: { 'store:1': data },
	};
};

const localLlama = (setting: Setting, parameters: Record<string, unknown>, more: object = {}) =>
	execute(setting, 'localLlama', {
		credentials: credentialOf(setting),
		parameters: { model: MODEL, options: limitsOf(setting), ...parameters },
		...more,
	});

interface ChatModel {
	bindTools(tools: unknown[]): ChatModel;
	invoke(messages: unknown[]): Promise<{ content: unknown }>;
	stream(messages: unknown[]): Promise<AsyncIterable<{ content: unknown }>>;
}

/** Uses a model like n8n's agent when it streams. */
export async function streamed(model: ChatModel, setting: Setting): Promise<unknown> {
	const messages = [new HumanMessage(textFor(setting, 'Tell me about llamas.'))];
	const bound = setting.tools ? model.bindTools([weather]) : model;
	if (!setting.streaming) return await bound.invoke(messages);
	const pieces: unknown[] = [];
	for await (const { content } of await bound.stream(messages)) pieces.push(content);
	return pieces;
}

const chatModel = (
	label: string,
	more: Partial<Operation> & { serverType?: string } = {},
): Operation => ({
	...base,
	node: 'localChatModel',
	label,
	way: 'stream',
	form: 'sse',
	target: is('POST', '/chat/completions'),
	callsTools: true,
	keepsText: true,
	serve: llama(),
	run: async (setting) =>
		await supply<ChatModel>(
			setting,
			'localChatModel',
			{
				parameters: {
					model: MODEL,
					options: { ...limitsOf(setting), ...(more.form === 'lines' ? { keepAlive: '5m' } : {}) },
				},
				credentials: credentialOf(setting),
			},
			async (model) => await streamed(model, setting),
		),
	...more,
});

export const MODEL_OPERATIONS: readonly Operation[] = [
	chatModel('Local Chat Model'),
	chatModel("Local Chat Model, Ollama's own API", {
		form: 'lines',
		target: is('POST', '/api/chat'),
		serve: llama({ profile: 'ollama' }),
	}),
	{
		...base,
		node: 'localEmbeddings',
		label: 'Local Embeddings',
		way: 'answer',
		form: 'json',
		target: is('POST', '/embeddings'),
		serve: llama(),
		run: async (setting) =>
			await supply<{ embedQuery(text: string): Promise<number[]> }>(
				setting,
				'localEmbeddings',
				{
					parameters: { model: MODEL, options: limitsOf(setting) },
					credentials: credentialOf(setting),
				},
				async (model) => await model.embedQuery(textFor(setting, 'llama')),
			),
	},
	{
		...base,
		node: 'localReranker',
		label: 'Local Reranker',
		way: 'answer',
		form: 'json',
		target: is('POST', '/rerank'),
		serve: llama({ rerank: true }),
		run: async (setting) =>
			await supply<{ compressDocuments(documents: object[], query: string): Promise<object[]> }>(
				setting,
				'localReranker',
				{
					parameters: { model: MODEL, options: limitsOf(setting) },
					credentials: credentialOf(setting),
				},
				async (model) =>
					await model.compressDocuments(
						[
							{ pageContent: 'the moon', metadata: {} },
							{ pageContent: textFor(setting, 'a llama'), metadata: {} },
						],
						'llama',
					),
			),
	},
	{
		...base,
		node: 'localLlama',
		label: 'Local Llama: Text, Chat',
		way: 'stream',
		form: 'sse',
		target: is('POST', '/chat/completions'),
		keepsText: true,
		serve: llama(),
		run: async (setting) =>
			await localLlama(setting, {
				resource: 'text',
				operation: 'chat',
				prompt: textFor(setting, 'Hi'),
			}),
	},
	{
		...base,
		node: 'localLlama',
		label: 'Local Llama: Vector, Embed',
		way: 'answer',
		form: 'json',
		target: is('POST', '/embeddings'),
		serve: llama(),
		run: async (setting) =>
			await localLlama(setting, {
				resource: 'vector',
				operation: 'embed',
				text: textFor(setting, 'llama'),
				role: 'document',
			}),
	},
	{
		...base,
		node: 'localLlama',
		label: 'Local Llama: Audio, Transcribe',
		way: 'upload',
		form: 'json',
		target: is('POST', '/audio/transcriptions'),
		serve: media(startWhisperSim),
		run: async (setting) =>
			await localLlama(
				setting,
				{
					resource: 'audio',
					operation: 'transcribe',
					binaryPropertyName: 'data',
					responseFormat: 'json',
					model: '',
				},
				fileItem(setting, 'sound'),
			),
	},
	{
		...base,
		node: 'localLlama',
		label: 'Local Llama: Audio, Speak',
		way: 'download',
		form: 'file',
		target: is('POST', '/audio/speech'),
		serve: media(startKokoroSim),
		run: async (setting) =>
			await localLlama(setting, {
				resource: 'audio',
				operation: 'speak',
				text: textFor(setting, 'Hello'),
				voice: 'af_heart',
				model: byId('kokoro'),
			}),
	},
	{
		...base,
		node: 'localLlama',
		label: 'Local Llama: Image, Generate',
		way: 'answer',
		form: 'json',
		target: is('POST', '/images/generations'),
		serve: media(startSdServerSim),
		run: async (setting) =>
			await localLlama(setting, {
				resource: 'image',
				operation: 'generate',
				prompt: textFor(setting, 'a cat'),
				model: '',
			}),
	},
	{
		...base,
		node: 'localLlama',
		label: 'Local Llama: Model, Get Many',
		way: 'call',
		form: 'json',
		uploads: false,
		queues: false,
		limitMs: CALL_LIMIT_MS,
		target: (request) => request.method === 'GET',
		serve: llama(),
		run: async (setting) =>
			await localLlama(setting, {
				resource: 'model',
				operation: 'getAll',
				options: { timeout: setting.limits.total },
			}),
	},
	{
		...base,
		node: 'serverHealth',
		label: 'Server Health: Check',
		way: 'checks',
		form: 'json',
		uploads: false,
		queues: false,
		// Two rounds of requests, each with the limit of one request.
		limitMs: 2 * LIMITS.total * 1_000,
		target: (request) => request.method === 'GET',
		serve: llama(),
		run: async (setting) => await health(setting, { operation: 'check' }),
	},
	{
		...base,
		node: 'serverHealth',
		label: 'Server Health: Speed Test',
		way: 'checks',
		form: 'sse',
		uploads: false,
		queues: false,
		limitMs: 2 * LIMITS.total * 1_000,
		target: is('POST', '/chat/completions'),
		serve: llama(),
		run: async (setting) =>
			await health(setting, {
				operation: 'speedTest',
				model: MODEL,
				tokens: 16,
				concurrentRequests: 1,
				options: {
					firstTokenTimeout: setting.limits.firstToken,
					totalTimeout: setting.limits.total,
				},
			}),
	},
	{
		...base,
		node: 'serverHealth',
		label: 'Server Health: Wait Until Ready',
		way: 'checks',
		form: 'json',
		uploads: false,
		queues: false,
		limitMs: 2 * LIMITS.total * 1_000,
		target: (request) => request.method === 'GET',
		serve: llama(),
		run: async (setting) =>
			await health(setting, {
				operation: 'waitUntilReady',
				options: { waitTimeout: setting.limits.total },
			}),
	},
	{
		...base,
		node: 'serverHealthTrigger',
		label: 'Server Health Trigger',
		isPoll: true,
		way: 'checks',
		form: 'json',
		uploads: false,
		queues: false,
		// Two rounds of requests, each with the limit of one request.
		limitMs: 2 * LIMITS.total * 1_000,
		target: (request) => request.method === 'GET',
		serve: llama(),
		run: async (setting) =>
			await poll(setting, 'serverHealthTrigger', {
				parameters: { options: { confirmations: 1, timeout: setting.limits.total } },
				credentials: credentialOf(setting),
			}),
	},
];

async function health(
	setting: Setting,
	{ options, ...parameters }: Record<string, unknown>,
): Promise<unknown> {
	return await execute(setting, 'serverHealth', {
		credentials: credentialOf(setting),
		parameters: {
			service: 'modelServer',
			expectations: {},
			options: {
				failWhenUnhealthy: true,
				timeout: setting.limits.total,
				...(options as object | undefined),
			},
			...parameters,
		},
	});
}
