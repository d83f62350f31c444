/** Promises to users. Advice is true for what is known: what was once advised against a known fact, whatever the server writes. */
import type * as http from 'node:http';
import { reword } from '../support/servers/reword';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import type { INodeExecutionData } from 'n8n-workflow';
import { LLAMA_SERVER, ollama, silence, text } from './support/responses';
import { chatModel, failureOf, run, serverHealth } from './support/node-runner';

const start = useServers();

/** What is sent. */
type Task =
	| 'chat'
	| 'plain chat'
	| 'grammar'
	| 'image'
	| 'images'
	| 'tools'
	| 'embed'
	| 'transcribe';

interface Case {
	name: string;
	task: Task;
	status: number;
	/** What the server wrote. */
	body: string;
	/** Advice, or a title, that contradicts what is known. */
	wrong: RegExp;
	/** What is told instead, of its own words. Default: anything else. */
	right?: RegExp;
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
		name: '413 for a text that was sent alone is not about the size of batches',
		task: 'embed',
		status: 413,
		body: '',
		wrong: /Batch Size/,
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
		name: 'a grammar in Extra Body is no schema of a tool',
		task: 'grammar',
		status: 400,
		body: message('Failed to initialize samplers: failed to parse grammar'),
		wrong: /Simplify|schema/i,
		right: /Check the GBNF grammar\./,
	},
	{
		name: 'a limit of tokens that was not sent is what the prompt leaves',
		task: 'plain chat',
		status: 400,
		body: message('max_tokens must be at least 1, got -186.'),
		wrong: /Maximum Tokens/,
		right: /prompt leaves no room for a response/,
	},
	{
		name: 'a server that expects text got a picture',
		task: 'image',
		status: 400,
		body: message(
			'json: cannot unmarshal array into Go struct field .messages.content of type string',
		),
		wrong: /server log may say more/,
		right: /1 file \(image\/png\) was sent as well/,
	},
	{
		name: 'of two pictures, fewer are to be sent',
		task: 'images',
		status: 400,
		body: message('At most 1 image(s) may be provided in one prompt.'),
		wrong: /server log may say more/,
		right: /2 files were sent in one request: send fewer of them/,
	},
	{
		name: '502 as JSON about a timeout does not say that the server is down',
		task: 'chat',
		status: 502,
		body: message('The operation was aborted due to timeout'),
		wrong: /check that (?:it|the (?:model )?server) is running/i,
	},
	{
		name: 'a request that is quoted back names no option',
		task: 'chat',
		status: 400,
		body: message('Cannot parse {"model":"sim-model","messages":[{"role":"user"}],"stream":true}'),
		wrong: /Change "|Model:/,
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

/** Too short for a server that does not answer. */
const SHORT = { parameters: { options: { firstTokenTimeout: 0.2, maxRetries: 0 } } };

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

async function sendImages(url: string, count: number): Promise<unknown> {
	const { supplied } = await chatModel(url);
	const image = { type: 'image_url', image_url: { url: PIXEL } };
	return await supplied.invoke([{ role: 'user', content: Array(count).fill(image) as unknown }]);
}

const RUNS: Readonly<Record<Task, (url: string) => Promise<unknown>>> = {
	chat: async (url) =>
		await (
			await chatModel(url, { parameters: { options: { maxTokens: 140_000 } } })
		).supplied.invoke('Hi'),
	'plain chat': async (url) => await (await chatModel(url)).supplied.invoke('Hi'),
	grammar: async (url) => {
		const parameters = { options: { extraBody: '{"grammar":"root ::= nothing ("}' } };
		return await (await chatModel(url, { parameters })).supplied.invoke('Hi');
	},
	image: async (url) => await sendImages(url, 1),
	images: async (url) => await sendImages(url, 2),
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

describe.each(CASES)('$name', ({ task, status, body, wrong, right, isLlamaServer }) => {
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
		if (right !== undefined && sent === body) expect(shown).toMatch(right);
	});
});

test('a prompt whose response was shown is not to be shortened', async () => {
	const server = await start({
		...LLAMA_SERVER,
		'POST /v1/chat/completions': (_request, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			const events = [
				{ choices: [{ index: 0, delta: { content: 'Once upon a time' } }] },
				{
					error: {
						message: 'Reached context length of 4096 tokens',
						code: 'context_length_exceeded',
					},
				},
			];
			response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
		},
	});
	const shown = await showError('plain chat', server.url);
	expect(shown).toMatch(/Reached context length.*The prompt fitted, and the response filled/s);
	expect(shown).not.toMatch(/shorten/i);
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

describe('a key that LiteLLM rejects', () => {
	const asLiteLlm =
		(body: unknown, status = 200): Answer =>
		(_request, response) =>
			sendJson(response, body, status, { 'x-litellm-version': '1.110.2' });
	const rejected = message('litellm.AuthenticationError: OpenAIException - Invalid API Key');
	const list = (...ids: string[]) => ({ object: 'list', data: ids.map((id) => ({ id })) });

	test.each([
		{ name: 'of the server behind it', models: list('sim-model'), status: 200, isBehind: true },
		{ name: 'that must not use the model', models: list('other'), status: 200, isBehind: false },
		{ name: 'of the credential', models: rejected, status: 401, isBehind: false },
	])('$name', async ({ models, status, isBehind }) => {
		for (const sent of [rejected, reword(rejected, { seed: 7, names: [] })]) {
			const server = await start({
				'GET /health/readiness': asLiteLlm({ status: 'connected', litellm_version: '1.110.2' }),
				'GET /v1/models': asLiteLlm(models, status),
				'POST /v1/chat/completions': asLiteLlm(sent, 401),
			});
			const shown = await showError('chat', server.url);
			expect({ shown, isBehind: /api_key of the model/.test(shown) }).toEqual({ shown, isBehind });
			expect({ shown, isOfCredential: /API Key in the credential/.test(shown) }).toEqual({
				shown,
				isOfCredential: !isBehind,
			});
		}
	});
});

test.each([
	{ name: 'that LiteLLM lists is not to be replaced', listed: 'sim-model', isBehind: true },
	{ name: 'that LiteLLM does not list is', listed: 'other', isBehind: false },
])('a model $name', async ({ listed, isBehind }) => {
	const lacking = message("model 'sim-model' not found", { code: 'model_not_found' });
	for (const sent of [lacking, reword(lacking, { seed: 7, names: ['sim-model'] })]) {
		const headers = { 'x-litellm-version': '1.110.2' };
		const server = await start({
			'GET /v1/models': json({ object: 'list', data: [{ id: listed }] }, 200, headers),
			'POST /v1/chat/completions': json(sent, 404, headers),
		});
		const shown = await showError('chat', server.url);
		expect({ shown, isBehind: shown.includes('in litellm_params') }).toEqual({ shown, isBehind });
		expect({ shown, isReplaced: shown.includes('Use one of') }).toEqual({
			shown,
			isReplaced: !isBehind,
		});
	}
});

describe('a server that accepts connections and does not answer', () => {
	const firewall = /firewall|dropped/i;

	test.each([
		{
			task: 'a chat',
			send: async (url: string) => (await chatModel(url, SHORT)).supplied.invoke('Hi'),
		},
		{
			task: 'Embed',
			send: async (url: string) =>
				await run(url, 'vector:embed', { parameters: { text: 'One', ...SHORT.parameters } }),
		},
	])('has no firewall that drops packets: $task', async ({ send }) => {
		const server = await start(silence);
		const { message: title, description } = await failureOf(send(server.url));
		expect(title).toMatch(/First Token Timeout/);
		expect(`${title} ${description ?? ''}`).not.toMatch(firewall);
	});

	test('has no firewall that drops packets: Server Health', async () => {
		const server = await start(silence);
		const outputs = await serverHealth(server.url, { options: { timeout: 0.2 } });
		const [{ json: checked }] = outputs.flat() as [INodeExecutionData];
		const [finding] = checked.findings as Array<Record<string, string>>;
		expect(finding).toMatchObject({
			id: 'noResponse',
			detail: expect.stringContaining('accepts connections') as string,
			suggestion: expect.not.stringMatching(firewall) as string,
		});
	});

	test('has no firewall that drops packets: Server Health of Dify', async () => {
		const server = await start(silence);
		const outputs = await serverHealth(
			server.url,
			{ service: 'dify', options: { timeout: 0.2 } },
			{ credentials: { baseUrl: server.url, apiKey: 'app-4711', keyType: 'app' } },
		);
		const [{ json: checked }] = outputs.flat() as [INodeExecutionData];
		const [finding] = checked.findings as Array<Record<string, string>>;
		expect(finding).toMatchObject({
			id: 'noResponse',
			suggestion:
				'Its API or database may be overloaded or hung: check docker compose ps and docker compose logs api, or raise Check Timeout.',
		});
	});
});

describe('an address', () => {
	const missing: Answer = (_request, response) => void response.writeHead(404).end();
	const list: Answer = (_request, response) =>
		sendJson(response, { object: 'list', data: [{ id: 'sim-model' }] });

	const adviseOn = async (task: Task, url: string) => {
		const { description } = await failureOf(RUNS[task](url));
		return description ?? '';
	};

	test.each<Task>(['chat', 'embed', 'transcribe'])(
		'that lists models is right: %s',
		async (task) => {
			const server = await start((request, response) =>
				request.path === '/v1/models' ? list(request, response) : missing(request, response),
			);
			expect(await adviseOn(task, server.url)).not.toMatch(/Base URL/);
		},
	);

	test.each<Task>(['chat', 'embed', 'transcribe'])(
		'at which nothing but other paths responds is wrong: %s',
		async (task) => {
			const server = await start(missing);
			expect(await adviseOn(task, server.url)).toMatch(
				/(?:^|\. )Check the Base URL: the program at this address has neither a model list nor this endpoint\./,
			);
		},
	);

	test.each<{ name: string; headers: Record<string, string>; credentials: object }>([
		{
			name: 'of a server that shows its type there as well',
			headers: { server: 'llama.cpp' },
			credentials: {},
		},
		{
			name: 'of a server whose type was selected',
			headers: {},
			credentials: { serverType: 'llamaServer' },
		},
	])('with another path is wrong: $name', async ({ headers, credentials }) => {
		const body = { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } };
		const server = await start((request, response) =>
			request.path === '/v1/models'
				? list(request, response)
				: sendJson(response, body, 404, headers),
		);
		const baseUrl = `${server.url}/gpu`;
		const { supplied } = await chatModel(server.url, { credentials: { baseUrl, ...credentials } });
		const { description } = await failureOf(supplied.invoke('Hi'));
		expect(description).toContain('Check the Base URL');
		expect(description).not.toContain('The address is right');
	});

	test('of a response that cannot be read is right if the server lists models', async () => {
		const server = await start((request, response) =>
			request.path === '/v1/models'
				? list(request, response)
				: void response.end('{"choices": broken'),
		);
		expect(await adviseOn('chat', server.url)).not.toMatch(/Base URL/);
	});

	test('that answered before is not the wrong one, and is no other port', async () => {
		const server = await start({ ...LLAMA_SERVER, 'POST /v1/chat/completions': text('Hello.') });
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 0 } },
		});
		await supplied.invoke('Hi');
		await server.close();
		const { message: title, description } = await failureOf(supplied.invoke('Hi'));
		expect(title).toMatch(/^Nothing is listening on 127\.0\.0\.1/);
		expect(description).toContain('responded there within the last ten minutes');
		expect(description).not.toMatch(/port is correct|Docker|--host/);
	});
});

describe('what fails in a part of Ollama', () => {
	const URL_OF_RUNNER = 'Post "http://127.0.0.1:57001/load": dial tcp 127.0.0.1:57001:';

	test.each([
		{ system: 'Linux', words: `do load request: ${URL_OF_RUNNER} connect: connection refused` },
		{
			system: 'Windows',
			words: `do load request: ${URL_OF_RUNNER} connectex: No connection could be made because the target machine actively refused it.`,
		},
		{ system: 'another one', words: 'vlo zug 57001' },
	])('is asked again once, on any system: $system', async ({ words }) => {
		let requests = 0;
		const server = await start({
			...ollama(),
			'POST /api/chat': (_request, response) => {
				requests += 1;
				sendJson(response, { error: words }, 500);
			},
			'POST /v1/chat/completions': (_request, response) => {
				requests += 1;
				sendJson(response, { error: { message: words } }, 500);
			},
		});
		const { message: title } = await failureOf((await chatModel(server.url)).supplied.invoke('Hi'));
		expect(requests).toBe(2);
		expect(title.slice(0, 3)).toBe(words.slice(0, 3));
	});
});
