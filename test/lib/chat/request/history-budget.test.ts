import * as fc from 'fast-check';

import { textOf } from '../../../../lib/chat/request/content';
import { counterAt, fitHistory } from '../../../../lib/chat/request/history-budget';
import type { ChatMessage } from '../../../../lib/chat/types';
import { connectTo } from '../../../../lib/servers/connect';
import { estimateTokens } from '../../../../lib/servers/manage/tokens';
import { ServerPool } from '../../../../lib/servers/pool/server-pool';
import { startScripted } from '../../../servers/scripted';
import { closeRawServers, rawServer, whole } from '../../../support/raw-answers';

const words = async (turn: readonly ChatMessage[]) =>
	await Promise.resolve(
		turn.flatMap(({ content }) => textOf(content).split(/\s+/)).filter((word) => word !== '')
			.length,
	);
const user = (content: string): ChatMessage => ({ role: 'user', content });
const system: ChatMessage = { role: 'system', content: 'Be brief. '.repeat(100) };

/** A question of one word, an answer of so many. */
const turn = (size: number): ChatMessage[] => [
	user('Why?'),
	{ role: 'assistant', content: 'word '.repeat(size - 1) },
];

const sizeOf = async (messages: readonly ChatMessage[]) => await words(messages);

test('a history that fits is sent unchanged', async () => {
	const messages = [system, ...turn(10), ...turn(10), user('And now?')];
	expect(await fitHistory(messages, 20, words)).toEqual({ messages, leftOut: 0 });
});

test('the oldest turns are dropped completely', async () => {
	const withTool: ChatMessage[] = [
		user('Weather?'),
		{ role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'w', arguments: '{}' }] },
		{ role: 'tool', toolCallId: '1', content: 'word '.repeat(20) },
		{ role: 'assistant', content: 'Fine.' },
	];
	const fitted = await fitHistory([system, ...withTool, ...turn(10), user('And now?')], 20, words);
	expect(fitted).toEqual({ messages: [system, ...turn(10), user('And now?')], leftOut: 1 });
});

test('the current turn stays, however long it is', async () => {
	const current: ChatMessage[] = [
		user('word '.repeat(500)),
		{ role: 'assistant', content: 'word '.repeat(500) },
	];
	expect(await fitHistory([system, ...turn(10), ...current], 1, words)).toEqual({
		messages: [system, ...current],
		leftOut: 1,
	});
});

test('pictures count', async () => {
	const picture: ChatMessage = { role: 'user', content: [{ type: 'image', url: 'data:,' }] };
	const seen: ChatMessage = { role: 'assistant', content: 'A cat.' };
	expect((await fitHistory([picture, seen, user('Now?')], 500, words)).leftOut).toBe(1);
});

test('in any conversation: within the budget, no more is left out than a step beyond it, system and last turn stay', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.integer({ min: 2, max: 60 }), { maxLength: 30 }),
			fc.integer({ min: 1, max: 400 }),
			async (sizes, budget) => {
				const turns = sizes.map(turn);
				const last = user('And now?');
				const { messages, leftOut } = await fitHistory(
					[system, ...turns.flat(), last],
					budget,
					words,
				);
				expect(messages).toEqual([system, ...turns.slice(leftOut).flat(), last]);
				const left = await sizeOf(turns.slice(leftOut).flat());
				expect(left).toBeLessThanOrEqual(budget);
				if (leftOut > 0)
					expect(left + sizes[leftOut - 1]! + budget / 4).toBeGreaterThanOrEqual(budget);
			},
		),
	);
});

const role = fc.constantFrom<ChatMessage['role']>('system', 'user', 'user', 'assistant', 'tool');

test('of messages in any order: what stays keeps its place, and no answer or result stays without its question', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.tuple(role, fc.integer({ min: 0, max: 9 })), { maxLength: 30 }),
			fc.integer({ min: 1, max: 60 }),
			async (shape, budget) => {
				const given = shape.map(
					([of, size], at) => ({ role: of, content: `m${at} `.repeat(size) }) as ChatMessage,
				);
				const { messages } = await fitHistory(given, budget, words);
				expect(messages).toEqual(given.filter((message) => messages.includes(message)));
				const gone = given.filter((message) => !messages.includes(message));
				expect(gone.filter((message) => message.role === 'system')).toEqual([]);
				if (gone.length === 0) return;
				const said = given.filter((message) => message.role !== 'system');
				const first = said[gone.length]!;
				expect([first.role, said[gone.length - 1]!.role === 'user']).toEqual(['user', false]);
				expect(said.slice(gone.length)).toEqual(
					messages.filter((message) => message.role !== 'system'),
				);
			},
		),
	);
});

test('a question in two messages, such as one with a file of text, is one turn', async () => {
	const current = [user('What does it say?'), user('The file')];
	const fitted = await fitHistory([...turn(9), ...current], 1, words);
	expect(fitted).toEqual({ messages: current, leftOut: 1 });
});

test('over sixty rounds the beginning of the prompt changes a few times only', async () => {
	const beginnings: Array<ChatMessage | undefined> = [];
	for (let round = 1; round <= 60; round++) {
		const turns = Array.from({ length: round }, (_, at) => [
			user(`Question ${at}`),
			...turn(10).slice(1),
		]);
		beginnings.push((await fitHistory([...turns.flat(), user('Now?')], 100, words)).messages[0]);
	}
	const changes = beginnings.filter(
		(first, at) => at > 0 && JSON.stringify(first) !== JSON.stringify(beginnings[at - 1]),
	);
	// Fifty turns go in all, a quarter of the budget at once: every second or third round.
	expect(changes.length).toBeLessThanOrEqual(25);
	expect(changes.length).toBeGreaterThan(10);
});

test('a tokenizer that hangs holds the answer up once, not for each turn', async () => {
	const within = AbortSignal.timeout.bind(AbortSignal);
	let requests = 0;
	const limit = jest
		.spyOn(AbortSignal, 'timeout')
		.mockImplementation((ms) => within(ms === 10_000 ? 50 : ms));
	try {
		const count = counterAt(
			ServerPool.of(connectTo({ baseUrl: await rawServer(() => void requests++) })),
			'm',
		);
		const texts = Array.from({ length: 20 }, (_, at) => 'word '.repeat(at));
		for (const text of texts) expect(await count([user(text)])).toBe(estimateTokens(text));
		expect(requests).toBeLessThan(texts.length);
	} finally {
		limit.mockRestore();
		await closeRawServers();
	}
});

test.each([{ tokens: [] }, { count: 0 }, { count: -5 }, { tokens: -5 }, {}])(
	'a tokenizer that answers %j has not counted the text',
	async (answer) => {
		const url = await rawServer(
			whole('200 OK', JSON.stringify(answer), { 'Content-Type': 'application/json' }),
		);
		try {
			expect(
				await counterAt(
					ServerPool.of(connectTo({ baseUrl: url })),
					'm',
				)([user('word '.repeat(50))]),
			).toBe(63);
		} finally {
			await closeRawServers();
		}
	},
);

test('a server whose tokenizer fails is asked once for an answer, not for each of its texts', async () => {
	let asked = 0;
	const url = await rawServer((path, socket, head) => {
		if (path.endsWith('/tokenize')) asked++;
		whole('500 Internal Server Error', '{"error":{"message":"no"}}')(path, socket, head);
	});
	try {
		const count = counterAt(ServerPool.of(connectTo({ baseUrl: url })), 'm');
		for (let at = 1; at < 20; at++)
			expect(await count([user('word '.repeat(at))])).toBe(estimateTokens('word '.repeat(at)));
		expect(asked).toBeLessThanOrEqual(1);
	} finally {
		await closeRawServers();
	}
});

test('where a server of the credential is down, another one counts, and the one that is down rests', async () => {
	let asked = 0;
	const [down, up] = await Promise.all([
		rawServer((_path, socket) => {
			asked++;
			socket.destroy();
		}),
		rawServer(whole('200 OK', '{"tokens":[1,2,3]}', { 'Content-Type': 'application/json' })),
	]);
	try {
		const servers = new ServerPool([
			{ connection: connectTo({ baseUrl: down }) },
			{ connection: connectTo({ baseUrl: up }) },
		]);
		for (let at = 0; at < 20; at++)
			expect(
				await counterAt(servers, 'm', { conversation: `chat ${at}` })([user(`text ${at}`)]),
			).toBe(3);
		expect(asked).toBeGreaterThan(0);
		expect(asked).toBeLessThan(5);
	} finally {
		await closeRawServers();
	}
});

describe('a server with a route for conversations', () => {
	const json = { 'Content-Type': 'application/json' };
	const TURN: ChatMessage[] = [
		{
			role: 'user',
			content: [
				{ type: 'text', text: 'Weather?' },
				{ type: 'image', url: 'data:,' },
			],
		},
		{ role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'w', arguments: '{}' }] },
		{ role: 'tool', toolCallId: '1', content: 'sunny' },
	];
	let paths: string[];
	let server: Awaited<ReturnType<typeof startScripted>>;

	async function counting(statusOfRoute: number) {
		paths = [];
		server = await startScripted(({ path }, response) => {
			paths.push(path);
			const isRoute = path === '/v1/chat/completions/input_tokens';
			response.writeHead(isRoute ? statusOfRoute : 200, json);
			response.end(JSON.stringify(isRoute ? { input_tokens: 42 } : { tokens: [1, 2, 3] }));
		});
		return counterAt(ServerPool.of(connectTo({ baseUrl: server.url })), 'm');
	}

	afterEach(async () => await server.close());

	test('counts a turn with its calls as the template writes it, once, without its pictures (S29)', async () => {
		const count = await counting(200);
		expect([await count(TURN), await count(TURN)]).toEqual([42, 42]);
		const asked = server.requests.filter(({ path }) => path.endsWith('/input_tokens'));
		expect(asked.map(({ body }) => body.messages)).toEqual([
			[
				{ role: 'user', content: 'Weather?' },
				expect.objectContaining({ role: 'assistant', tool_calls: [expect.anything()] }),
				expect.objectContaining({ role: 'tool', content: 'sunny' }),
			],
		]);
	});

	test('where the route is missing, the tokenizer counts, and the route is not asked again', async () => {
		const count = await counting(404);
		expect([await count(TURN), await count([user('Hi')])]).toEqual([3, 3]);
		expect(paths.filter((path) => path.endsWith('/input_tokens'))).toHaveLength(1);
		expect(paths.filter((path) => path.endsWith('/tokenize'))).toHaveLength(2);
	});

	test('where the template refuses a turn, the tokenizer counts that turn', async () => {
		const count = await counting(400);
		expect([await count(TURN), await count([user('Hi')])]).toEqual([3, 3]);
		expect(paths.filter((path) => path.endsWith('/input_tokens'))).toHaveLength(2);
	});
});
