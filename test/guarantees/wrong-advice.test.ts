/** Promises to users. Advice is true for what is known: what was once advised against a known fact, whatever the server writes. */
import type * as http from 'node:http';
import { reword } from '../support/servers/reword';
import { sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import { createServerError } from '../../lib/errors/create-error';
import { LLAMA_SERVER, text } from './support/responses';
import { chatModel, failureOf, run } from './support/node-runner';

const start = useServers();

/** What is sent. */
type Task = 'chat' | 'image' | 'tools' | 'embed' | 'transcribe';

interface Case {
	name: string;
	task: Task;
	status: number;
	/** What the server wrote. */
	body: string;
	/** Advice, or a title, that contradicts what is known. */
	wrong: RegExp;
	/** The server is known. */
	isLlamaServer?: true;
}

const message = (sentence: string, more: object = {}) =>
	JSON.stringify({ error: { message: sentence, ...more } });

const CASES: readonly Case[] = [
	{
		name: 'a picture that was sent as data is not to be downloaded',
		task: 'image',
		status: 400,
		body: message('Failed to load the image'),
		wrong: /download|reaches the URL|fetches/i,
	},
	{
		name: 'memory, of which the server wrote nothing',
		task: 'chat',
		status: 500,
		body: message('Failed to load model "sim-model". Error: exit code 0'),
		wrong: /memory|quantization/i,
	},
	{
		name: 'an instance that computed for the time of its limit needs no start',
		task: 'chat',
		status: 504,
		body: message('Model instance did not finish within 600 seconds'),
		wrong: /\bstart (?:an|the) instance|check that it is running|is running/i,
	},
	{
		name: 'one request alone is not too many at the same time',
		task: 'chat',
		status: 500,
		body: message('Context size has been exceeded.'),
		wrong: /Max Concurrent/i,
	},
	{
		name: '413 for empty inputs is not about nginx',
		task: 'embed',
		status: 413,
		body: message('`inputs` cannot be empty', { type: 'Validation' }),
		wrong: /nginx|client_max_body_size|too large/i,
	},
	{
		name: '404 with a sentence is not about the Base URL',
		task: 'chat',
		status: 404,
		body: message('No endpoints found for sim-model-x.'),
		wrong: /Base URL/i,
	},
	{
		name: 'a limit of the response is not about the input',
		task: 'chat',
		status: 400,
		body: message('max_tokens=140000 cannot be greater than max_model_len=40960', {
			param: 'max_tokens',
		}),
		wrong: /Shorten the input/i,
	},
	{
		name: 'a grammar with tools is no schema that is too complex',
		task: 'tools',
		status: 400,
		body: message('Cannot specify grammar with tools'),
		wrong: /Simplify/i,
	},
	{
		name: '502 as JSON about a timeout does not say that the server is down',
		task: 'chat',
		status: 502,
		body: message('The operation was aborted due to timeout'),
		wrong: /check that (?:it|the (?:model )?server) is running/i,
	},
	{
		name: 'no riddle about a field that the message names',
		task: 'chat',
		status: 400,
		body: message('logit_bias keys must be integers'),
		wrong: /If the message names a field/i,
	},
	{
		name: 'the number of a sentence is not the limit of a field',
		task: 'chat',
		status: 400,
		body: message('Requested prompt logprobs of 25, which is greater than max allowed: 20'),
		wrong: /only 20/i,
	},
	{
		name: 'an Ollama that cannot reach its runner is asked again, whatever it calls the failure',
		task: 'chat',
		status: 500,
		body: message(
			'do load request: Post "http://127.0.0.1:57001/load": dial tcp 127.0.0.1:57001: connectex: No connection could be made',
		),
		wrong: /Base URL|not retried/i,
	},
];

const PIXEL =
	'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const WAV = {
	data: Buffer.from('RIFF1234WAVEfmt ').toString('base64'),
	mimeType: 'audio/wav',
	fileName: 'a.wav',
};

const TOOL = {
	type: 'function',
	function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } },
};

const RUNS: Readonly<Record<Task, (url: string) => Promise<unknown>>> = {
	chat: async (url) =>
		await (
			await chatModel(url, { parameters: { options: { maxTokens: 140_000 } } })
		).supplied.invoke('Hi'),
	image: async (url) =>
		await (
			await chatModel(url)
		).supplied.invoke([
			{ role: 'user', content: [{ type: 'image_url', image_url: { url: PIXEL } }] },
		]),
	tools: async (url) =>
		await (await chatModel(url)).supplied.invoke('Hi', { tools: [TOOL] } as never),
	embed: async (url) => await run(url, 'vector:embed', { parameters: { text: 'One' } }),
	transcribe: async (url) =>
		await run(url, 'audio:transcribe', {
			parameters: { inputBinaryField: 'data' },
			items: [{ json: {}, binary: { data: WAV } }],
		}),
};

async function showError(task: Task, url: string): Promise<string> {
	const { message: title, description } = await failureOf(RUNS[task](url));
	return `${title}\n${description ?? ''}`;
}

describe.each(CASES)('$name', ({ task, status, body, wrong, isLlamaServer }) => {
	const respond =
		(sent: string): Answer =>
		(request, response) =>
			request.method === 'POST'
				? response.writeHead(status, { 'content-type': 'application/json' }).end(sent)
				: sendJson(response, { error: { message: 'none' } }, 404);

	test.each([
		{ words: 'its own words', sent: body },
		{ words: 'other words', sent: reword(body, { seed: 7, names: ['sim-model'] }) },
	])('in $words', async ({ sent }) => {
		const server = await start(isLlamaServer ? { ...LLAMA_SERVER } : respond(sent));
		const shown = await showError(task, server.url);
		expect(shown.replace(/URL: \S+$/, '').replaceAll('Server message', '')).not.toMatch(wrong);
	});
});

describe('closed connections', () => {
	const close: Answer = (_request, response) => void response.socket?.destroy();

	test('an address that answered over http does not expect https', async () => {
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/chat/completions': [text('Hello.'), close],
		});
		const { supplied } = await chatModel(server.url);
		await supplied.invoke('Hi');
		const { description } = await failureOf(supplied.invoke('Hi'));
		expect(description).toContain('The server may have crashed: check its log.');
		expect(description).not.toMatch(/https/);
	});

	test('an address that never answered may expect https', async () => {
		const server = await start(close);
		const { description } = await failureOf((await chatModel(server.url)).supplied.invoke('Hi'));
		expect(description).toContain('try https:// in the Base URL');
	});

	const cutAnswer = (response: http.ServerResponse) => {
		response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
		response.write('{"text":"One two', () => response.socket?.destroy());
	};

	test('a transcript that breaks off is no upload that was cut', async () => {
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/audio/transcriptions': (_request, response) => cutAnswer(response),
		});
		const shown = await showError('transcribe', server.url);
		expect(shown).toMatch(/^The connection was lost during the response/);
		expect(shown).not.toMatch(/upload|client_max_body_size/);
	});

	test('a server that closes after the whole file is no upload that was cut', async () => {
		const server = await start({ ...LLAMA_SERVER, 'POST /v1/audio/transcriptions': close });
		const shown = await showError('transcribe', server.url);
		expect(shown).not.toMatch(/upload|client_max_body_size/);
	});
});

test('packets are not dropped where connections are accepted', () => {
	const error = createServerError(
		'firstTokenTimeout',
		{ url: 'http://gpu:8080/v1/chat/completions' },
		{ facts: { connected: true } },
	);
	expect(error.suggestion).not.toMatch(/firewall|dropped/i);
});
