/** Answers of chat servers, written by hand. */
import type * as http from 'node:http';
import { json } from '../../support/servers/scripted-server';
import type { Answer, Routes } from '../../support/servers/scripted-server';

type Json = Record<string, unknown>;

export const CHAT = '/v1/chat/completions';
const USAGE = { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 };

/** One chunk of a streamed answer. */
export const delta = (of: Json, finish: string | null = null, more: Json = {}): Json => ({
	id: 'c1',
	object: 'chat.completion.chunk',
	model: 'sim-model',
	choices: [{ index: 0, delta: of, finish_reason: finish }],
	...more,
});

export const usage = (of: Json = USAGE, more: Json = {}): Json => ({
	id: 'c1',
	object: 'chat.completion.chunk',
	model: 'sim-model',
	choices: [],
	usage: of,
	...more,
});

/** A call of a tool, whole in one chunk. */
export const called = (id: string, name: string, args: string, index = 0): Json =>
	delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: args } }] });

const event = (of: Json | string): string =>
	`data: ${typeof of === 'string' ? of : JSON.stringify(of)}\n\n`;

/** Events of a stream as text. */
export const sse = (...events: Array<object | string>): string =>
	events.map((of) => event(of as Json)).join('');

export function openStream(response: http.ServerResponse): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	response.flushHeaders();
}

/** Sends a complete stream. */
export function sendEvents(response: http.ServerResponse, body: string): void {
	openStream(response);
	response.end(body);
}

/** Sends events of a stream that was opened. */
export function send(response: http.ServerResponse, ...events: Array<Json | string>): void {
	response.write(events.map(event).join(''));
}

/** A stream of these chunks, with `[DONE]`. */
export const streamed =
	(...chunks: Array<Json | string>): Answer =>
	(_request, response) => {
		openStream(response);
		send(response, ...chunks);
		response.end(event('[DONE]'));
	};

/** A text, word by word, and its counts. */
export const text = (answer: string, more: Json = {}): Answer =>
	streamed(
		delta({ role: 'assistant', content: '' }),
		...answer.split(/(?<= )/).map((content) => delta({ content })),
		delta({}, 'stop'),
		usage(USAGE, more),
	);

/** Calls of tools: name and arguments of each. */
export const calls = (...list: Array<[id: string, name: string, args: string]>): Answer =>
	streamed(
		...list.map(([id, name, args], index) => called(id, name, args, index)),
		delta({}, 'tool_calls'),
		usage(),
	);

/** Stays silent until the client goes. */
export const silence: Answer = () => {};

/** A stream that says something and then nothing more. */
export const stuckAfter =
	(...chunks: Array<Json | string>): Answer =>
	(_request, response) => {
		openStream(response);
		send(response, ...chunks);
	};

/** Routes by which a llama-server with one model is known. */
export const LLAMA_SERVER: Routes = {
	'GET /v1/models': json({
		object: 'list',
		data: [{ id: 'sim-model', object: 'model', owned_by: 'llamacpp', meta: { n_ctx_train: 8192 } }],
	}),
	'GET /props': json({
		total_slots: 2,
		model_path: '/models/sim-model.gguf',
		chat_template: '{% if tools %}{{ tools }}{% endif %}',
		default_generation_settings: { n_ctx: 8192 },
		modalities: { vision: true, audio: false },
	}),
};

/** Routes by which an Ollama is known; its model sees pictures or not. */
export const ollama = (
	capabilities: string[] = ['completion', 'tools'],
	context = 4096,
): Routes => ({
	'GET /v1/models': json({
		object: 'list',
		data: [{ id: 'qwen3:latest', object: 'model', created: 1, owned_by: 'library' }],
	}),
	'GET /api/version': json({ version: '0.17.4' }),
	'GET /api/tags': json({
		models: [{ name: 'qwen3:latest', model: 'qwen3:latest', size: 1, details: {} }],
	}),
	'GET /api/ps': json({
		models: [{ name: 'qwen3:latest', model: 'qwen3:latest', context_length: context }],
	}),
	'POST /api/show': json({ capabilities, details: {}, model_info: {} }),
});
