/** Promises to users. What people see. */
import type { NodeOperationError } from 'n8n-workflow';

import {
	CHAT,
	delta,
	LLAMA_SERVER,
	ollama,
	openStream,
	send,
	streamed,
	text,
	usage,
} from './support/responses';
import {
	actionContext,
	chatModel,
	embeddings,
	failureOf,
	localLlama,
	reranker,
	run,
	serverHealth,
	streamOf,
} from './support/node-runner';
import type { Supplied, SupplySetup } from './support/node-runner';
import { json, until, useServers } from '../support/servers/scripted-server';
import type * as http from 'node:http';
import { closedPort } from '../support/servers/listen';

const start = useServers();

describe('text is streamed', () => {
	/** A server that sends a word each time the test has seen the one before. */
	async function expectWordByWord(seen: () => string, answer: (url: string) => Promise<unknown>) {
		let pending: http.ServerResponse | undefined;
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: (_request, response) => void (pending = response),
		});
		const done = answer(server.url);
		await server.arrived(CHAT);
		openStream(pending!);
		let whole = '';
		for (const word of ['One ', 'after ', 'the ', 'other.']) {
			send(pending!, delta({ content: word }));
			whole += word;
			await until(() => seen() === whole);
		}
		send(pending!, delta({}, 'stop'), usage(), '[DONE]');
		pending!.end();
		await done;
		expect(seen()).toBe('One after the other.');
	}

	test('out of the chat model', async () => {
		let seen = '';
		await expectWordByWord(
			() => seen,
			async (url) => {
				const { supplied } = await chatModel(url);
				for await (const { content } of await supplied.stream('Hi')) seen += String(content);
			},
		);
	});

	test('out of Local Llama, into a chat that streams', async () => {
		let fake = actionContext('', 'text:chat');
		await expectWordByWord(
			() => fake.chunks.map(({ content }) => content ?? '').join(''),
			async (url) => {
				fake = actionContext(url, 'text:chat', { parameters: { prompt: 'Hi' }, streaming: true });
				await localLlama(fake);
			},
		);
		expect(fake.chunks.map(({ type }) => type).filter((type) => type !== 'item')).toEqual([
			'begin',
			'end',
		]);
	});
});

const WORDS = 'CUDA out of memory at /srv/secret/path';
const outOfMemory = json({ error: { code: 500, message: WORDS, type: 'server_error' } }, 500);
const FAILING = {
	...LLAMA_SERVER,
	[`POST ${CHAT}`]: outOfMemory,
	'POST /v1/embeddings': outOfMemory,
	'POST /v1/rerank': outOfMemory,
};
const NO_RETRIES = { options: { maxRetries: 0 } };

interface Failing {
	failed: NodeOperationError;
	/** What n8n shows at the sub-node itself. */
	logged?: NodeOperationError;
}

const NEUTRAL =
	'The response could not be generated. The owner of this chat can see the reason in n8n, execution 4711.';

/** An execution whose result visitors see. */
const visited = (mode: string, isStreaming: boolean, chatTrigger: object | null) => ({
	getMode: () => mode,
	isStreaming: () => isStreaming,
	getExecutionId: () => '4711',
	getChatTrigger: () => chatTrigger,
	evaluateExpression: (text: string) => text === '{{ $("Chat").isExecuted }}',
});
const CHAT_TRIGGER = { name: 'Chat' };
const VISITED = [
	{ name: 'a streamed public chat', context: visited('webhook', true, CHAT_TRIGGER) },
	{ name: 'a chat that is not streamed', context: visited('webhook', false, CHAT_TRIGGER) },
	{ name: "an execution of n8n's Chat page", context: visited('chat', false, null) },
	{ name: 'another streamed trigger', context: visited('trigger', true, null) },
];
/** Of an execution that another workflow called. */
const called = (triggerNode?: object) => ({
	...visited('integrated', false, null),
	getExecutionContext: () => ({ triggerNode }),
});

/** Each node whose error a visitor could see. */
const NODES: Record<string, (url: string, context?: object) => Promise<Failing>> = {};
const subNode =
	<T>(
		supply: (url: string, setup: SupplySetup) => Promise<Supplied<T>>,
		use: (it: T) => Promise<unknown>,
	) =>
	async (url: string, context?: object): Promise<Failing> => {
		const { supplied, outputs } = await supply(url, { parameters: NO_RETRIES, context });
		const failed = await failureOf(use(supplied));
		return { failed, logged: outputs[0] as NodeOperationError };
	};
NODES['Local Chat Model, streamed'] = subNode(chatModel, async (it) => await streamOf(it, 'Hi'));
NODES['Local Chat Model, whole'] = subNode(chatModel, async (it) => await it.invoke('Hi'));
NODES['Local Embeddings'] = subNode(embeddings, async (it) => await it.embedQuery('Hi'));
NODES['Local Reranker'] = subNode(
	reranker,
	async (it) => await it.compressDocuments([{ pageContent: 'a', metadata: {} }], 'q'),
);
NODES['Local Llama'] = async (url, context) => {
	const parameters = { prompt: 'Hi', ...NO_RETRIES };
	return { failed: await failureOf(run(url, 'text:chat', { parameters, context })) };
};

describe.each(Object.entries(NODES))('an error of %s', (_name, failing) => {
	test("is n8n's own, with title, server message, address and suggestion", async () => {
		const { url } = await start(FAILING);
		const { failed, logged } = await failing(url);
		for (const error of logged === undefined ? [failed] : [failed, logged]) {
			expect(error.constructor.name).toBe('NodeOperationError');
			expect(error.message).not.toContain(url);
			expect(error.message.length).toBeGreaterThan(10);
			expect(error.message.length).toBeLessThan(150);
			expect(error.description).toContain(WORDS);
			expect(error.description).toContain(url);
			// n8n would show it as "[item 0]" behind the title.
			expect(error.context.itemIndex).toBeUndefined();
			expect(error.node.name).toMatch(/./);
		}
	});

	test.each(VISITED)(
		'$name: a visitor reads no address and no detail, the owner finds all',
		async ({ context }) => {
			const { url } = await start(FAILING);
			const closedUrl = `http://127.0.0.1:${await closedPort()}`;
			for (const address of [url, closedUrl]) {
				const { failed, logged } = await failing(address, context);
				for (const error of logged === undefined ? [failed] : [failed, logged]) {
					// n8n shows the description to visitors, and nothing else.
					expect(error.description).toBe(NEUTRAL);
					// The panel of the node and its details.
					expect(error.message).not.toBe(NEUTRAL);
					expect(error.context.descriptionTemplate).toContain(address);
					expect(JSON.stringify(error.context.data)).toContain(address);
				}
			}
		},
	);

	test.each([
		{
			name: 'that a chat called',
			context: called({ type: '@n8n/n8n-nodes-langchain.chatTrigger' }),
		},
		{
			name: 'in an n8n that does not tell who called it',
			context: visited('integrated', false, null),
		},
	])('a sub-workflow $name: visitors read not even the title', async ({ context }) => {
		const { url } = await start(FAILING);
		const { failed } = await failing(url, context);
		// The node that called it tells both.
		expect([failed.message, failed.description]).toEqual([NEUTRAL, NEUTRAL]);
		expect(failed.context.descriptionTemplate).toContain(WORDS);
		expect(failed.context.descriptionTemplate).toContain(url);
	});

	test('a sub-workflow that no chat called: the description has all', async () => {
		const { url } = await start(FAILING);
		const context = called({ type: 'n8n-nodes-base.scheduleTrigger' });
		const { description } = (await failing(url, context)).failed;
		expect(description).toContain(WORDS);
		expect(description).toContain(url);
	});

	test('a webhook that is no chat: the description has all', async () => {
		const { url } = await start(FAILING);
		const context = { ...VISITED[1]!.context, getChatTrigger: () => null };
		const { description } = (await failing(url, context)).failed;
		expect(description).toContain(WORDS);
		expect(description).toContain(url);
	});

	test('in n8n 2.20, which cannot detect streaming: the same for a webhook', async () => {
		const { url } = await start(FAILING);
		const old = { getMode: () => 'webhook', isStreaming: undefined, getExecutionId: () => '4711' };
		const { failed } = await failing(url, old);
		expect(failed.description).not.toMatch(/127\.0|http|\/srv|CUDA/);
	});
});

const FORBIDDEN = /127\.0|http:|\/v1|\/srv|CUDA|sim-model/;

describe.each([true, false])('a failed item in a public chat (streamed: %s)', (streaming) => {
	test.each([
		{ name: 'of an error output', hasErrorOutput: true },
		{ name: 'of the only output', continueOnFail: true },
	])('$name has no address and no detail, a hint for the owner has all', async (setup) => {
		const { url } = await start(FAILING);
		const fake = actionContext(url, 'text:chat', {
			parameters: { prompt: 'Hi', ...NO_RETRIES },
			...setup,
			streaming,
			chatTrigger: CHAT_TRIGGER,
			context: { getMode: () => 'webhook', getExecutionId: () => '4711' },
		});
		const [item] = await localLlama(fake);
		expect(JSON.stringify([item, fake.chunks])).not.toMatch(FORBIDDEN);
		expect(item!.json).toEqual({
			error: { type: 'serverError', message: NEUTRAL, retryable: false, httpStatus: 500 },
			// n8n's chats show it. In an error output it would replace that of the input.
			...(setup.hasErrorOutput ? {} : { message: NEUTRAL }),
		});
		const begin = { type: 'begin', itemIndex: 0 };
		const error = { type: 'error', itemIndex: 0, content: NEUTRAL };
		expect(fake.chunks).toEqual(streaming ? [begin, error] : []);
		expect(fake.hints.map(({ message }) => message).join()).toContain(url);
		expect(fake.hints.map(({ message }) => message).join()).toContain(WORDS);
	});
});

test.each([
	{ parentNode: { onError: 'continueRegularOutput' }, isHidden: true },
	{ parentNode: { onError: 'continueErrorOutput' }, isHidden: true },
	{ parentNode: { continueOnFail: true }, isHidden: true },
	{ parentNode: { onError: 'stopWorkflow' }, isHidden: false },
	{ parentNode: undefined, isHidden: false },
])(
	'the title for an agent with $parentNode, which may write it into its item, is hidden: $isHidden',
	async ({ parentNode, isHidden }) => {
		const { url } = await start(FAILING);
		const context = { ...VISITED[1]!.context, parentNode };
		const { supplied, outputs } = await chatModel(url, { parameters: NO_RETRIES, context });
		const failed = await failureOf(supplied.invoke('Hi'));
		expect(failed.message === NEUTRAL).toBe(isHidden);
		expect(JSON.stringify((outputs[0] as NodeOperationError).context)).toContain(WORDS);
	},
);

test.each([
	{ parentNode: { type: '@n8n/n8n-nodes-langchain.agentTool' } },
	{ parentNode: { type: '@n8n/n8n-nodes-langchain.toolVectorStore' } },
	{
		parentNode: {
			type: '@n8n/n8n-nodes-langchain.vectorStoreInMemory',
			parameters: { mode: 'retrieve-as-tool' },
		},
	},
])(
	'the model of the agent that uses $parentNode as a tool reads nothing of the server',
	async ({ parentNode }) => {
		const { url } = await start(FAILING);
		for (const { context } of VISITED) {
			const setup = { parameters: NO_RETRIES, context: { ...context, parentNode } };
			const { supplied, outputs } = await chatModel(url, setup);
			const failed = await failureOf(supplied.invoke('Hi'));
			expect(failed.message).toMatch(/^The service behind this tool is unavailable\./);
			// The owner reads the reason in the panel.
			expect(JSON.stringify((outputs[0] as NodeOperationError).context)).toContain(WORDS);
		}
	},
);

describe('Stop leaves exactly the text that had arrived', () => {
	async function stopAfter(
		shown: string,
		seen: () => string,
		run: (url: string) => { running: Promise<unknown>; stop: () => void },
	): Promise<PromiseSettledResult<unknown>> {
		let pending: http.ServerResponse | undefined;
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: (_request, response) => void (pending = response),
		});
		const { running, stop } = run(server.url);
		const settling = Promise.allSettled([running]);
		await server.arrived(CHAT);
		openStream(pending!);
		if (shown !== '') send(pending!, delta({ content: shown }));
		await until(() => seen() === shown);
		stop();
		const [settled] = await settling;
		expect(seen()).toBe(shown);
		return settled;
	}

	test.each([
		{ shown: 'One ', continueOnFail: false },
		{ shown: '', continueOnFail: false },
		{ shown: 'One ', continueOnFail: true },
	])('of Local Llama: $shown (continues on errors: $continueOnFail)', async (setup) => {
		const { shown, continueOnFail } = setup;
		const stop = new AbortController();
		const fake = actionContext('', 'text:chat', {});
		let used = fake;
		const settled = await stopAfter(
			shown,
			() => used.chunks.map(({ content = '' }) => content).join(''),
			(url) => {
				used = actionContext(url, 'text:chat', {
					parameters: { prompt: 'Hi' },
					streaming: true,
					continueOnFail,
					signal: stop.signal,
					context: { getMode: () => 'webhook', getExecutionId: () => '4711' },
				});
				return { running: localLlama(used), stop: () => stop.abort() };
			},
		);
		// n8n would add a description to the text.
		expect(settled).toMatchObject(
			continueOnFail
				? { status: 'fulfilled' }
				: { status: 'rejected', reason: { description: undefined } },
		);
		// The page can stop only a message that has begun.
		expect(used.chunks.map(({ type }) => type)).toEqual(
			shown === '' ? ['begin'] : ['begin', 'item'],
		);
	});

	test('of the chat model', async () => {
		let text = '';
		const { status } = await stopAfter(
			'One ',
			() => text,
			(url) => {
				const stop = new AbortController();
				const read = async () => {
					const { supplied } = await chatModel(url, { context: VISITED[0]!.context });
					for await (const { content } of await supplied.stream('Hi', { signal: stop.signal }))
						text += String(content);
				};
				return { running: read(), stop: () => stop.abort() };
			},
		);
		expect(status).toBe('rejected');
	});
});

describe('after the beginning of a response, an error begins on its own line', () => {
	const BROKEN = {
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: streamed(delta({ content: 'The answer is 4' }), {
			error: { code: 500, message: WORDS },
		}),
	};

	test('of the chat model', async () => {
		const { supplied } = await chatModel((await start(BROKEN)).url, { parameters: NO_RETRIES });
		let seen = '';
		const read = async () => {
			for await (const { content } of await supplied.stream('Hi')) seen += String(content);
		};
		await failureOf(read());
		expect(seen).toBe('The answer is 4\n\n');
	});

	test('of Local Llama', async () => {
		const parameters = { prompt: 'Hi', ...NO_RETRIES };
		const { url } = await start(BROKEN);
		const fake = actionContext(url, 'text:chat', { parameters, streaming: true });
		const error = await failureOf(localLlama(fake));
		expect(fake.chunks.map(({ content = '' }) => content).join('')).toBe('The answer is 4\n\n');
		expect(error.description).toContain(WORDS);
	});
});

test('a model that cannot be supplied is an error of the sub-node, without the address for a visitor', async () => {
	const credentials = { baseUrl: 'http://gpu-of-the-house:99999' };
	const error = await failureOf(chatModel('', { credentials }));
	expect(`${error.message} ${error.description}`).toContain('Base URL');
	const hidden = await failureOf(chatModel('', { credentials, context: VISITED[1]!.context }));
	expect(hidden.description).not.toContain('gpu-of-the-house');
});

test('a diagnosis of Server Health shows the address to the workflow author', async () => {
	const url = `http://127.0.0.1:${await closedPort()}`;
	const [healthy, unhealthy] = await serverHealth(url);
	expect(healthy).toEqual([]);
	expect(JSON.stringify(unhealthy)).toContain(url);
});

describe('silent changes of a server become hints', () => {
	const BY_OLLAMA = { system_fingerprint: 'fp_ollama' };
	const hintsOf = async (url: string, name: string, input = 'Hi') => {
		const parameters = { model: { __rl: true, mode: 'id', value: name } };
		const { supplied, hints } = await chatModel(url, { parameters });
		await supplied.invoke(input);
		return hints.map(({ message }) => message).join('\n');
	};

	test('another model than the selected one responded', async () => {
		const timings = { prompt_n: 11, prompt_ms: 5, predicted_n: 5, predicted_ms: 10 };
		const answer = text('Hello.', { timings });
		const { url } = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer });
		expect(await hintsOf(url, 'qwen3-235b')).toMatch(/qwen3-235b.*sim-model/s);
		expect(await hintsOf(url, 'sim-model')).toBe('');
	});

	test("a model of Ollama's cloud: the conversation leaves the network", async () => {
		const { url } = await start({ ...ollama(), [`POST ${CHAT}`]: text('Hello.', BY_OLLAMA) });
		expect(await hintsOf(url, 'gpt-oss:120b-cloud')).toMatch(/cloud/);
	});

	test('messages that Ollama omitted', async () => {
		const { url } = await start({
			...ollama(),
			[`POST ${CHAT}`]: text('Hello.', {
				...BY_OLLAMA,
				usage: { prompt_tokens: 3375, completion_tokens: 1, total_tokens: 3376 },
			}),
		});
		const long = 'Tell me about llamas in the Andes. '.repeat(1600);
		expect(await hintsOf(url, 'qwen3', long)).toMatch(/4096/);
	});

	test('a response truncated by the token limit', async () => {
		const truncated = streamed(delta({ content: 'cut' }), delta({}, 'length'), usage());
		const { url } = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: truncated });
		expect(await hintsOf(url, 'sim-model')).toMatch(/limit/);
	});
});
