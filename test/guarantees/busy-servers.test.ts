/**
 * A server that takes a few requests at the same time and refuses the others, in any words: all of them are done, in order, each
 * once. A server that never takes one costs neither hours nor hundreds of requests, and Stop ends every wait.
 */
import type * as http from 'node:http';
import type { IDataObject } from 'n8n-workflow';
import { execute, prepare } from '../recordings/support/dify-node-runner';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer, ScriptedRequest, ScriptedServer } from '../support/servers/scripted-server';
import { useClock } from './support/fake-clock';
import { chatModel, failureOf, run } from './support/node-runner';
import { CHAT, LLAMA_SERVER, sendEvents, sse, text } from './support/responses';

const start = useServers();
const clock = useClock();

const POST_CHAT = `POST ${CHAT}`;

/** How a server refuses a request that it does not start. */
interface Refusal {
	status: number;
	body: object | string;
	headers?: Record<string, string>;
}

const OVERLOADED: Refusal = { status: 503, body: { detail: 'No running instances available' } };
const REFUSALS: readonly Refusal[] = [
	OVERLOADED,
	{ status: 503, body: { error: 'Zxq vlm trr' } },
	{ status: 429, body: { error: { message: 'Rate limit reached', type: 'rate_limit_error' } } },
	{ status: 429, body: 'Zxq' },
];

/** A server that takes so many requests at the same time. */
interface Slots {
	/** Takes a request, or refuses it at once. */
	answer: Answer;
	/** The requests that it took. */
	taken: ScriptedRequest[];
	/** How often it refused one. */
	refusals(): number;
}

/** @param takesMs - How long each request takes that it took */
function withSlots(
	slots: number,
	takesMs: number,
	{ good, refusal }: { good: Answer; refusal: Refusal },
): Slots {
	const taken: ScriptedRequest[] = [];
	let active = 0;
	let refused = 0;
	return {
		taken,
		refusals: () => refused,
		answer: (request, response) => {
			if (active >= slots) {
				refused++;
				sendJson(response, refusal.body, refusal.status, refusal.headers);
				return;
			}
			active++;
			taken.push(request);
			setTimeout(() => {
				active--;
				good(request, response);
			}, takesMs);
		},
	};
}

const promptOf = ({ body }: ScriptedRequest): string =>
	(body.messages as Array<{ content: string }>).at(-1)!.content;

const echo: Answer = (request, response) =>
	text(`You said ${promptOf(request)}`)(request, response);

const number = (length: number): string[] => Array.from({ length }, (_none, at) => `item ${at}`);

const chatItems = async (url: string, prompts: readonly string[], options: IDataObject = {}) =>
	await run(url, 'text:chat', {
		items: prompts.map((prompt) => ({ json: { prompt } })),
		perItem: prompts.map((prompt) => ({ prompt })),
		parameters: { options },
		continueOnFail: true,
	});

const startChats = async (answer: Answer): Promise<ScriptedServer> =>
	await start({ ...LLAMA_SERVER, [POST_CHAT]: answer });

test.each(REFUSALS)(
	'five chats at a server with two slots are all answered: %j',
	async (refusal) => {
		const slots = withSlots(2, 1_000, { good: echo, refusal });
		const server = await startChats(slots.answer);
		const prompts = number(5);
		const chats = prompts.map(async (prompt) => {
			const { supplied } = await chatModel(server.url);
			return (await supplied.invoke(prompt)).content;
		});
		const answers = await clock.passUntil(Promise.all(chats));
		expect(answers).toEqual(prompts.map((prompt) => `You said ${prompt}`));
		expect(slots.taken.map(promptOf).sort()).toEqual(prompts);
	},
);

test('twenty texts are embedded after a server was busy for six seconds', async () => {
	const isReady = new Promise<void>((resolve) => {
		setTimeout(resolve, 6_000);
	});
	let ready = false;
	void isReady.then(() => (ready = true));
	const server = await start({
		...LLAMA_SERVER,
		'POST /v1/embeddings': ({ body }, response) => {
			if (!ready) return sendJson(response, OVERLOADED.body, OVERLOADED.status);
			const input = body.input as string[];
			sendJson(response, { data: input.map((_one, index) => ({ index, embedding: [1, 2] })) });
		},
	});
	const texts = number(20);
	const out = await clock.passUntil(
		run(server.url, 'vector:embed', {
			items: texts.map((one) => ({ json: { text: one } })),
			perItem: texts.map((one) => ({ text: one })),
			continueOnFail: true,
		}),
	);
	expect(out.filter(({ json }) => json.error !== undefined)).toEqual([]);
	expect(out).toHaveLength(20);
});

test('of a hundred items at once none is lost, none is sent twice, and their order stays', async () => {
	const slots = withSlots(4, 1_000, { good: echo, refusal: REFUSALS[2]! });
	const server = await startChats(slots.answer);
	const prompts = number(100);
	const out = await clock.passUntil(chatItems(server.url, prompts, { maxConcurrentItems: 64 }));
	expect(out.map(({ json }) => json.output)).toEqual(prompts.map((one) => `You said ${one}`));
	expect(out.map(({ pairedItem }) => pairedItem)).toEqual(prompts.map((_one, item) => ({ item })));
	expect(slots.taken.map(promptOf).sort()).toEqual([...prompts].sort());
	// Fewer are sent at the same time, so few are refused: each of 100 was refused 25 times without that.
	expect(slots.refusals()).toBeLessThan(200);
});

describe('runs of a Dify app with two at the same time', () => {
	const answerRun: Answer = (request, response) => {
		const ids = { task_id: 't', message_id: 'm', conversation_id: 'c' };
		const answer = `You said ${(request.body as { query: string }).query}`;
		const end = { event: 'message_end', ...ids, metadata: {} };
		sendEvents(response, sse({ event: 'message', ...ids, answer }, end));
	};
	const refuse = (status: number, code: string, message: string): Refusal => ({
		status,
		body: { code, message, status },
	});

	const chatAll = async (answer: Answer, queries: readonly string[]) => {
		const { url } = await start({ 'POST /v1/chat-messages': answer });
		const fake = prepare(
			'difyChatMessage',
			'',
			{ baseUrl: url, apiKey: 'app-1' },
			{
				user: 'u1',
				conversation: 'new',
				inputsMode: 'json',
				inputsJson: '{}',
				files: {},
				options: { maxConcurrentItems: 12 },
			},
			{
				items: queries.map((query) => ({ json: { query } })),
				perItem: queries.map((query) => ({ query })),
				continueOnFail: true,
			},
		);
		return await clock.passUntil(execute('difyChatMessage', fake));
	};

	test.each([
		refuse(429, 'too_many_requests', 'Zxq vlm trr'),
		// Dify up to 1.16, and the same in other words.
		refuse(
			400,
			'invalid_param',
			'Too many requests. Please try again later. The current maximum concurrent requests allowed for 55f93fcb-385c-46cb-acfd-a0aac2f76cd1 is 2.',
		),
		refuse(400, 'invalid_param', 'Zxq vlm trr'),
	])('are all done, each once, in their order: %j', async (refusal) => {
		const slots = withSlots(2, 30_000, { good: answerRun, refusal });
		const queries = number(12);
		const out = await chatAll(slots.answer, queries);
		expect(out.map(({ json }) => json.answer)).toEqual(queries.map((one) => `You said ${one}`));
		expect(slots.taken.map(({ body }) => body.query).sort()).toEqual([...queries].sort());
		// Ten are refused when all are sent; then fewer are sent at the same time.
		expect(slots.refusals()).toBeLessThan(60);
	});

	test('with a value that Dify refuses fail alone, and the others are done', async () => {
		const queries = number(12);
		const refusals: string[] = [];
		const out = await chatAll((request, response) => {
			const { query } = request.body as { query: string };
			if (Number(/\d+/.exec(query)) % 4 !== 0) return answerRun(request, response);
			refusals.push(query);
			sendJson(response, { code: 'invalid_param', message: 'Zxq vlm trr', status: 400 }, 400);
		}, queries);
		expect(out.map(({ json }) => json.answer)).toEqual(
			queries.map((one, at) => (at % 4 === 0 ? undefined : `You said ${one}`)),
		);
		expect(out[4]!.json.error).toMatchObject({ serverText: 'Zxq vlm trr' });
		expect(refusals.length).toBeLessThan(30);
	});

	test('that one item starts are refused once', async () => {
		const refused = json({ code: 'invalid_param', message: 'Zxq vlm trr', status: 400 }, 400);
		const requests: string[] = [];
		const [item] = await chatAll(
			(request, response) => {
				requests.push(request.text);
				return refused(request, response);
			},
			['item 0'],
		);
		expect(item!.json.error).toMatchObject({ serverText: 'Zxq vlm trr' });
		expect(requests).toHaveLength(1);
	});

	test('whose error came in a stream are not sent again', async () => {
		const queries = number(3);
		const starts: string[] = [];
		const out = await chatAll((request, response) => {
			starts.push((request.body as { query: string }).query);
			const failure = { code: 'invalid_param', message: 'Zxq vlm trr', status: 400 };
			sendEvents(response, sse({ event: 'error', ...failure }));
		}, queries);
		expect(out.every(({ json }) => json.error !== undefined)).toBe(true);
		expect(starts.sort()).toEqual(queries);
	});
});

describe('a server that never takes a request', () => {
	const refuse =
		({ status, body, headers }: Refusal): Answer =>
		(_request, response) =>
			sendJson(response, body, status, headers);

	const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
		const startedAt = performance.now();
		await clock.passUntil(work());
		return Math.round((performance.now() - startedAt) / 1_000);
	};

	test('costs 500 items less than three minutes, and few requests', async () => {
		const server = await startChats(refuse(OVERLOADED));
		let out: Array<{ json: IDataObject }> = [];
		const seconds = await secondsOf(async () => (out = await chatItems(server.url, number(500))));
		expect(out).toHaveLength(500);
		expect(out.every(({ json }) => json.error !== undefined)).toBe(true);
		expect(seconds).toBeLessThan(180);
		expect(server.sent(CHAT).length).toBeLessThan(600);
	});

	test("n8n's Retry On Fail waits once: its further tries fail at once", async () => {
		const server = await startChats(refuse(OVERLOADED));
		const attempt = async () => await chatItems(server.url, ['Hello']);
		expect(await secondsOf(attempt)).toBeGreaterThan(60);
		expect([await secondsOf(attempt), await secondsOf(attempt)]).toEqual([1, 1]);
	});

	test('with Retries 0 is asked once, so that a fallback model comes at once', async () => {
		const server = await startChats(refuse(OVERLOADED));
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 0 } },
		});
		await failureOf(supplied.invoke('Hello'));
		expect(server.sent(CHAT)).toHaveLength(1);
	});

	test('Stop ends the pause at once', async () => {
		const server = await startChats(refuse({ ...OVERLOADED, headers: { 'retry-after': '60' } }));
		const { supplied } = await chatModel(server.url);
		const controller = new AbortController();
		const failing = failureOf(supplied.invoke('Hello', { signal: controller.signal }));
		await server.arrived(CHAT);
		await clock.pass(1_000);
		controller.abort();
		// No time passes.
		await failing;
		expect(server.sent(CHAT)).toHaveLength(1);
	});

	test.each([
		{ retryAfter: '86400', requests: 1, says: /requires a wait of 1440 minutes/ },
		{ retryAfter: '-5', requests: 'many', says: /refused each time/ },
		{ retryAfter: 'soon', requests: 'many', says: /refused each time/ },
		{ retryAfter: 'Thu, 01 Jan 1970 00:00:00 GMT', requests: 'many', says: /refused each time/ },
		{ retryAfter: '0', requests: 'many', says: /refused each time/ },
		{ retryAfter: '60', requests: 3, says: /refused each time/ },
	])('with Retry-After: $retryAfter', async ({ retryAfter, requests, says }) => {
		const server = await startChats(
			refuse({ ...OVERLOADED, headers: { 'retry-after': retryAfter } }),
		);
		const { supplied } = await chatModel(server.url);
		const failed = await clock.passUntil(failureOf(supplied.invoke('Hello')));
		expect(failed.description).toMatch(says);
		const sent = server.sent(CHAT).length;
		if (requests === 'many') expect([sent > 5, sent < 60, sent]).toEqual([true, true, sent]);
		else expect(sent).toBe(requests);
	});
});

test('a server that fails for ever is asked at most once more for each item, and not twice after a second failure', async () => {
	const server = await startChats((_request: ScriptedRequest, response: http.ServerResponse) =>
		sendJson(response, { error: 'Zxq vlm trr' }, 500),
	);
	const items = chatItems(server.url, number(500), { maxConcurrentItems: 1 });
	expect(await clock.passUntil(items)).toHaveLength(500);
	const counts = new Map<string, number>();
	for (const request of server.requests.filter(({ path }) => path === CHAT))
		counts.set(promptOf(request), (counts.get(promptOf(request)) ?? 0) + 1);
	expect(Math.max(...counts.values())).toBe(2);
	expect([...counts.values()].filter((count) => count > 1)).toHaveLength(1);
});
