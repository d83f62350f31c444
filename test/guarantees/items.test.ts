/** What users are promised about items. */
import type { IExecuteFunctions, NodeOperationError } from 'n8n-workflow';

import { LocalLlama } from '../../nodes/LocalLlama/LocalLlama.node';
import { ServerHealth } from '../../nodes/ServerHealth/ServerHealth.node';
import { CHAT, LLAMA_SERVER, text } from './support/responses';
import { actionContext, failureOf, localLlama, run, serverHealth } from './support/node-runner';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer, ScriptedRequest } from '../support/servers/scripted-server';
import { closedPort } from '../support/servers/listen';
import type * as http from 'node:http';

const start = useServers();
const prompts = (...list: string[]) => ({
	items: list.map((prompt) => ({ json: { prompt } })),
	perItem: list.map((prompt) => ({ prompt })),
});
const promptOf = ({ body }: ScriptedRequest) =>
	(body.messages as Array<{ content: string }>).at(-1)!.content;
/** Repeats the question, or refuses the ones that are bad. */
const echo: Answer = (request, response) => {
	const prompt = promptOf(request);
	if (prompt.startsWith('bad'))
		return json({ error: { message: 'the model is ill' } }, 500)(request, response);
	text(`You said ${prompt}`)(request, response);
};
const serve = async (answer: Answer = echo) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer });
const pairs = (items: Array<{ pairedItem?: unknown }>) => items.map(({ pairedItem }) => pairedItem);

describe('continue on fail', () => {
	test.each([
		['text:chat', {}],
		['text:extract', { fields: { field: [{ name: 'city' }] } }],
	] as const)(
		'%s: an error is an item at its position, and the others have their results',
		async (operation, more) => {
			const server = await serve((request, response) =>
				JSON.stringify(request.body).includes('bad')
					? json({ error: { message: 'the model is ill' } }, 500)(request, response)
					: text('{}')(request, response),
			);
			const texts = ['good', 'bad', 'fine'];
			const { items } = prompts(...texts);
			const out = await run(server.url, operation, {
				items,
				perItem: texts.map((one) => ({ prompt: one, text: one })),
				parameters: { ...more, options: { maxRetries: 0 } },
				continueOnFail: true,
			});
			expect(out.map(({ json: of }) => of.error)).toEqual([
				undefined,
				expect.anything(),
				undefined,
			]);
			expect(pairs(out)).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }]);
			const { error } = out[1]!.json as { error: Record<string, unknown> };
			expect(JSON.stringify(error)).toContain('the model is ill');
			expect(error.message).toEqual(expect.any(String));
		},
	);

	test('without it the node fails with the error of the item', async () => {
		const server = await serve();
		const parameters = { options: { maxRetries: 0 } };
		const failed = await failureOf(
			run(server.url, 'text:chat', { ...prompts('good', 'bad'), parameters }),
		);
		expect(failed.message).toMatch(/\(item 2 of 2\)$/);
	});

	test('Embed: a rejected text fails only its item', async () => {
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/embeddings': ({ body }, response) => {
				const input = [body.input].flat() as string[];
				if (input.includes('bad'))
					return sendJson(response, { error: 'Internal Server Error' }, 500);
				sendJson(response, { data: input.map((_one, index) => ({ index, embedding: [1, 2] })) });
			},
		});
		const texts = ['a', 'b', 'bad', 'd'];
		const out = await run(server.url, 'vector:embed', {
			items: texts.map((one) => ({ json: { text: one } })),
			perItem: texts.map((one) => ({ text: one })),
			parameters: { options: { maxRetries: 0 } },
			continueOnFail: true,
		});
		expect(out.map(({ json: of }) => of.error)).toEqual([
			undefined,
			undefined,
			expect.anything(),
			undefined,
		]);
		expect(pairs(out)).toEqual([0, 1, 2, 3].map((item) => ({ item })));
	});

	test('Server Health: a server that is down is an item of the second output, paired with its input', async () => {
		const { url } = await start({ ...LLAMA_SERVER, 'GET /health': json({ status: 'ok' }) });
		const down = `http://127.0.0.1:${await closedPort()}`;
		const [healthy, other] = await serverHealth(
			url,
			{ expectations: {} },
			{
				items: [{ json: {} }, { json: {} }],
				credentials: [{ baseUrl: down }, { baseUrl: url }],
				continueOnFail: true,
			},
		);
		expect([pairs(healthy!), pairs(other!)]).toEqual([[{ item: 1 }], [{ item: 0 }]]);
	});
});

test('each item is sent with its own credential', async () => {
	const [one, two] = [await serve(echo), await serve(echo)];
	const keys = ['first', 'second', 'third'].map((word) => [word, 'sesame', '4711'].join('-'));
	const credentials = [one!, two!, one!].map(({ url: baseUrl }, at) => ({
		baseUrl,
		apiKey: keys[at]!,
	}));
	await run(one!.url, 'text:chat', { ...prompts('a', 'b', 'c'), credentials });
	const received = [one!, two!].map((server) =>
		server.requests
			.filter(({ path }) => path === CHAT)
			.map(({ headers, text: body }) => [headers.authorization, /"(a|b|c)"/.exec(body)?.[1]]),
	);
	expect(received.map((list) => list.sort())).toEqual([
		[
			[`Bearer ${keys[0]}`, 'a'],
			[`Bearer ${keys[2]}`, 'c'],
		],
		[[`Bearer ${keys[1]}`, 'b']],
	]);
});

describe('concurrent items', () => {
	/** A server that answers only when the test lets it. */
	async function gated() {
		const pending: Array<[ScriptedRequest, http.ServerResponse]> = [];
		const server = await serve((request, response) => void pending.push([request, response]));
		return {
			server,
			release: (at: number) => echo(...pending[at]!),
			heldCount: () => pending.length,
		};
	}

	test('are sent together and returned in their order', async () => {
		const { server, release } = await gated();
		const running = run(server.url, 'text:chat', {
			...prompts('a', 'b', 'c'),
			parameters: { options: { maxConcurrentItems: 3 } },
			credentials: { baseUrl: server.url, maxConcurrentRequests: 3 },
		});
		await server.arrived(CHAT, 3);
		for (const at of [2, 0, 1]) release(at);
		const out = await running;
		expect(out.map((item) => item.json.output)).toEqual(['You said a', 'You said b', 'You said c']);
		expect(pairs(out)).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }]);
	});

	test('Max Concurrent Items 1, and Max Concurrent Requests 1: one after another', async () => {
		const ways = [
			{ parameters: { options: { maxConcurrentItems: 1 } }, limit: 3 },
			{ parameters: { options: { maxConcurrentItems: 3 } }, limit: 1 },
		];
		for (const { parameters, limit } of ways) {
			let [running, most] = [0, 0];
			const server = await serve((request, response) => {
				running += 1;
				most = Math.max(most, running);
				response.on('close', () => (running -= 1));
				echo(request, response);
			});
			const out = await run(server.url, 'text:chat', {
				...prompts('a', 'b', 'c'),
				parameters,
				credentials: { baseUrl: server.url, maxConcurrentRequests: limit },
			});
			expect([out.length, most]).toEqual([3, 1]);
		}
	});
});

describe('as a tool of an agent', () => {
	test('the nodes declare that they can be used as one', () => {
		for (const { description } of [new LocalLlama(), new ServerHealth()])
			expect(description).toMatchObject({ name: description.name, usableAsTool: true });
	});

	test('it runs once, also without input items, and sends nothing to the chat', async () => {
		for (const items of [[{ json: {} }], []]) {
			const { url } = await serve();
			const fake = actionContext(url, 'text:chat', {
				items,
				parameters: { prompt: 'Hi' },
				type: 'n8n-nodes-local-llama.localLlamaTool',
				streaming: true,
			});
			const out = await localLlama(fake);
			expect(out.map((item) => item.json.output)).toEqual(['You said Hi']);
			expect(fake.chunks).toEqual([]);
		}
	});

	test('its error shows the model neither address nor server message', async () => {
		const serverMessage = 'CUDA out of memory at /srv/secret/path';
		const { url } = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: json({ error: { code: 500, message: serverMessage } }, 500),
		});
		const setup = {
			parameters: { prompt: 'Hi', options: { maxRetries: 0 } },
			type: 'n8n-nodes-local-llama.localLlamaTool',
		};
		for (const at of [url, `http://127.0.0.1:${await closedPort()}/v1`]) {
			const failed = await failureOf(run(at, 'text:chat', setup));
			const [item] = await run(at, 'text:chat', { ...setup, continueOnFail: true });
			const errorText = [failed.message, failed.description, JSON.stringify(item!.json)].join(' ');
			expect(errorText).toContain('tell the user that it is not available');
			expect(errorText).not.toMatch(/127\.0\.0\.1|secret|CUDA/);
		}
	});

	const HEALTH_OPERATIONS = ['check', 'speedTest', 'toolTest', 'report', 'waitUntilReady'];

	test.each(
		HEALTH_OPERATIONS.flatMap((operation) =>
			[true, false].flatMap((isReachable) =>
				[false, true].map((failWhenUnhealthy) => ({ operation, isReachable, failWhenUnhealthy })),
			),
		),
	)('Server Health tells a model one sentence: %j', async (row) => {
		const { operation, isReachable, failWhenUnhealthy } = row;
		const { url } = await serve();
		const address = isReachable ? url : `http://127.0.0.1:${await closedPort()}/v1`;
		const parameters = { operation, waitTimeout: 1, options: { failWhenUnhealthy } };
		const setup = { type: 'n8n-nodes-local-llama.serverHealthTool' };
		const [items] = await serverHealth(address, parameters, setup);
		const { json: result, binary } = items![0]!;
		expect(binary).toBeUndefined();
		expect(Object.keys(result)).toEqual(['healthy', 'message']);
		expect(result.message).toBe(
			result.healthy === true
				? 'The checked service works.'
				: 'The checked service does not work as it should. Its details are only shown to the owner of the workflow.',
		);
		if (!isReachable) expect(result).toMatchObject({ healthy: false });
	});

	test.each([
		{ what: 'two models to select from', parameters: { operation: 'speedTest' } },
		{ what: 'two models to test', parameters: { operation: 'toolTest' } },
		{ what: 'a report of two models', parameters: { operation: 'report' } },
		{ what: 'a wrong value', parameters: { operation: 'speedTest', tokens: 'secret-words' } },
	])('an error of Server Health tells a model the same: $what', async ({ parameters }) => {
		const { url } = await start({
			...LLAMA_SERVER,
			'GET /v1/models': json({
				data: [{ id: 'secret-one' }, { id: 'secret-two' }],
			}),
		});
		const setup = { type: 'n8n-nodes-local-llama.serverHealthTool' };
		const failed: unknown = await serverHealth(url, parameters, setup).catch(
			(error: unknown) => error,
		);
		const [items] = await serverHealth(url, parameters, { ...setup, continueOnFail: true });
		const { message, description } = failed as NodeOperationError;
		const text = JSON.stringify([message, description, Array.isArray(failed) && failed, items]);
		expect(text).not.toMatch(/127\.0\.0\.1|secret|v1|llama/);
		expect(text).toContain('The checked service');
	});

	test('arguments that a model writes as text are converted to the type of the field', async () => {
		const server = await serve();
		await run(server.url, 'text:chat', {
			parameters: { prompt: 'Hi', options: { temperature: '0.2', maxTokens: '50' } },
			type: 'n8n-nodes-local-llama.localLlamaTool',
		});
		expect(server.sent(CHAT)).toMatchObject([{ temperature: 0.2, max_tokens: 50 }]);
	});
});

test('a failing expression fails only its item', async () => {
	const { url } = await serve();
	const fake = actionContext(url, 'text:chat', { ...prompts('a', 'b'), continueOnFail: true });
	const { getNodeParameter } = fake.context;
	const failing = (name: string, item: number, ...rest: unknown[]): unknown => {
		if (name === 'prompt' && item === 0) throw new Error('expression is broken');
		return (getNodeParameter as (...all: unknown[]) => unknown)(name, item, ...rest);
	};
	Object.assign(fake.context, {
		getNodeParameter: failing as IExecuteFunctions['getNodeParameter'],
	});
	const out = await localLlama(fake);
	expect(out.map(({ json: of }) => of.error)).toEqual([expect.anything(), undefined]);
});
