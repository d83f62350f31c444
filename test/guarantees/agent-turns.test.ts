/** Promises to users. Agent: tool turns. */
import {
	AIMessage,
	HumanMessage,
	SystemMessage,
	TIME,
	VERSIONS,
	WEATHER,
} from './support/agent-turns';
import {
	called,
	calls,
	CHAT,
	delta,
	LLAMA_SERVER,
	streamed,
	stuckAfter,
	text,
	usage,
} from './support/responses';
import { chatModel, failureOf, model, streamOf, textOf, wholeOf } from './support/node-runner';
import type { Message } from './support/node-runner';
import { json, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';

const start = useServers();
const serve = async (...answers: Answer[]) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers });

type Sent = Record<string, unknown> & { messages: Array<Record<string, unknown>> };

/** A chat model with two tools, and a new one for each round, as n8n makes it. */
async function agentOn(url: string, parameters: Record<string, unknown> = {}) {
	return async (messages: unknown[], isStreamed = true): Promise<Message> => {
		const { supplied } = await chatModel(url, { parameters });
		const bound = supplied.bindTools([WEATHER, TIME]);
		return isStreamed ? wholeOf(await streamOf(bound, messages)) : await bound.invoke(messages);
	};
}

const question = new HumanMessage('Both?');
/** Text, thinking and two parallel calls, the second with blanks that JSON does not need. */
const BOTH = streamed(
	delta({ role: 'assistant', content: null, reasoning_content: 'I need both.' }),
	delta({ content: 'Let me see.' }),
	called('call_0', 'get_weather', '{"city":"Paris"}', 0),
	called('call_1', 'get_time', '{"zone": "UTC"}', 1),
	delta({}, 'tool_calls'),
	usage(),
);

/** Each body begins as the one before, and has the same fields around its messages. */
function expectSameBeginning(bodies: Sent[], count: number): void {
	expect(bodies).toHaveLength(count);
	for (const [round, body] of bodies.slice(1).entries()) {
		const { messages: before, ...rest } = bodies[round]!;
		const { messages, ...more } = body;
		expect(messages.slice(0, before.length)).toEqual(before);
		expect(JSON.stringify(more)).toBe(JSON.stringify(rest));
	}
}

describe.each(Object.entries(VERSIONS))('agent %s', (version, replay) => {
	test('a turn is sent back as the model wrote it: one message, its text and calls once, followed by the results', async () => {
		const server = await serve(BOTH, text('Sunny at noon.'));
		const ask = await agentOn(server.url);
		const first = await ask([question]);
		await ask([question, ...replay(first, ['sunny', 'noon'])]);
		const [, body] = server.sent(CHAT) as Sent[];
		const [user, turn, ...results] = body!.messages;
		expect(user).toEqual({ role: 'user', content: 'Both?' });
		expect(turn).toMatchObject({ role: 'assistant', content: 'Let me see.' });
		const sentCalls = turn!.tool_calls as Array<{ id: string; function: object }>;
		expect(sentCalls.map((call) => call.function)).toEqual([
			{ name: 'get_weather', arguments: '{"city":"Paris"}' },
			{ name: 'get_time', arguments: '{"zone": "UTC"}' },
		]);
		expect(results).toMatchObject([
			{ role: 'tool', tool_call_id: sentCalls[0]!.id, content: 'sunny' },
			{ role: 'tool', tool_call_id: sentCalls[1]!.id, content: 'noon' },
		]);
		expect(version.startsWith('3') ? turn!.reasoning_content : 'I need both.').toBe('I need both.');
	});

	test('the beginning of the prompt stays byte-identical from round to round', async () => {
		const server = await serve(
			BOTH,
			calls(['call_0', 'get_time', '{"zone": "CET"}']),
			calls(['call_0', 'get_weather', '{ "city":"Rome" }']),
			text('Done.'),
		);
		const ask = await agentOn(server.url);
		const history: unknown[] = [new SystemMessage('Be brief.'), question];
		for (const results of [['sunny', 'noon'], ['one'], ['rain']]) {
			const answer = await ask(history);
			history.push(...replay(answer, results));
		}
		await ask(history);
		expectSameBeginning(server.sent(CHAT) as Sent[], 4);
	});

	test('the next turn without thinking keeps the same beginning', async () => {
		const server = await serve(
			calls(
				['call_0', 'get_weather', '{"city":"Paris"}'],
				['call_1', 'get_time', '{"zone": "UTC"}'],
			),
			text('Sunny at noon.'),
			text('You are welcome.'),
		);
		const ask = await agentOn(server.url);
		const history: unknown[] = [question];
		history.push(...replay(await ask(history), ['sunny', 'noon']));
		history.push(new AIMessage({ content: (await ask(history)).content }));
		await ask([...history, new HumanMessage('Thanks')]);
		expectSameBeginning(server.sent(CHAT) as Sent[], 3);
	});

	test('three rounds of a server that names every call call_0 are three turns, each with its own result', async () => {
		const round = (city: string) => calls(['call_0', 'get_weather', `{"city":"${city}"}`]);
		const server = await serve(round('Paris'), round('Rome'), round('Oslo'), text('Done.'));
		const ask = await agentOn(server.url);
		const history: unknown[] = [question];
		const ids = new Set<string>();
		for (const weather of ['sun', 'rain', 'snow']) {
			const answer = await ask(history);
			for (const { id } of answer.tool_calls!) ids.add(id);
			history.push(...replay(answer, [weather]));
		}
		await ask(history);
		expect(ids.size).toBe(3);
		const { messages } = server.sent(CHAT).at(-1) as Sent;
		expect(messages.map(({ role }) => role)).toEqual(
			['user', ...Array<string[]>(3).fill(['assistant', 'tool'])].flat(),
		);
		expect(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)).toEqual([
			'sun',
			'rain',
			'snow',
		]);
		for (const [at, message] of messages.entries()) {
			if (message.role !== 'tool') continue;
			const before = messages[at - 1]!.tool_calls as Array<{ id: string }>;
			expect(before.map(({ id }) => id)).toEqual([message.tool_call_id]);
		}
	});
});

test('IDs of calls: contain only letters, digits and _, up to 64 characters, for any ID from the server', async () => {
	const server = await serve(
		calls(['functions.get_weather:0', 'get_weather', '{"city":"Paris"}'], ['', 'get_time', '{}']),
	);
	const { tool_calls: list } = await (await agentOn(server.url))([question]);
	expect(list).toHaveLength(2);
	expect(new Set(list!.map(({ id }) => id)).size).toBe(2);
	for (const { id } of list!) expect(id).toMatch(/^[\w-]{1,64}$/);
});

describe('only complete tool calls are executed', () => {
	const partialCall = [
		delta({ role: 'assistant', content: 'I look.' }),
		called('a', 'get_weather', '{"city":"Pa'),
	] as const;
	const broken: Array<[string, Answer]> = [
		['cut by the token limit', streamed(...partialCall, delta({}, 'length'), usage())],
		['with arguments that are no JSON', streamed(...partialCall, delta({}, 'tool_calls'), usage())],
		[
			'in a stream that breaks off',
			(request, response) => {
				stuckAfter(...partialCall)(request, response);
				response.end();
			},
		],
	];

	test.each(broken)('an incomplete call is not executed: %s', async (_name, answer) => {
		const server = await serve(answer);
		for (const isStreamed of [true, false]) {
			const seen: Message[] = [];
			const { supplied } = await chatModel(server.url, {
				parameters: { options: { maxRetries: 0 } },
			});
			const bound = supplied.bindTools([WEATHER, TIME]);
			const work = async () => {
				if (!isStreamed) return await bound.invoke([question]);
				for await (const chunk of await bound.stream([question])) seen.push(chunk);
				return seen;
			};
			expect((await failureOf(work())).constructor.name).toBe('NodeOperationError');
			expect(seen.flatMap((chunk) => chunk.tool_calls ?? [])).toEqual([]);
		}
	});

	test('one broken call of two: neither is executed', async () => {
		const server = await serve(
			calls(['a', 'get_time', '{"zone":"UTC"}'], ['b', 'get_weather', '{"city":']),
		);
		const failed = await failureOf((await agentOn(server.url))([question]));
		expect(failed.message).toMatch(/get_weather|argument/i);
	});

	test('in chunks, with the chunks of two calls interleaved', async () => {
		const piece = (index: number, args: string) =>
			delta({ tool_calls: [{ index, function: { arguments: args } }] });
		const server = await serve(
			streamed(
				called('a', 'get_weather', '', 0),
				called('b', 'get_time', '', 1),
				piece(0, '{"city":'),
				piece(1, '{"zone":"U'),
				piece(0, '"Paris"}'),
				piece(1, 'TC"}'),
				delta({}, 'tool_calls'),
				usage(),
			),
		);
		const { tool_calls: list } = await (await agentOn(server.url))([question]);
		expect(list).toMatchObject([
			{ name: 'get_weather', args: { city: 'Paris' } },
			{ name: 'get_time', args: { zone: 'UTC' } },
		]);
	});

	test('a call that appears in a message of the conversation is a quotation', async () => {
		const quoted = '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>';
		const server = await serve(text(quoted));
		const answer = await (await agentOn(server.url))([new HumanMessage(`Repeat: ${quoted}`)]);
		expect(answer.tool_calls ?? []).toEqual([]);
		expect(textOf([answer])).toContain('Paris');
	});

	test('a call of an offered tool in the text is executed', async () => {
		const server = await serve(
			text('<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>'),
		);
		const qwen = { model: model('qwen2.5-7b') };
		const { supplied } = await chatModel(server.url, { parameters: qwen });
		const answer = await supplied.bindTools([WEATHER, TIME]).invoke([question]);
		expect(answer.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }]);
	});
});

describe('numbers stay exact', () => {
	const rounds = async (args: string) => {
		const server = await serve(calls(['a', 'get_weather', args]), text('Done.'));
		const ask = await agentOn(server.url);
		const first = await ask([question]);
		await ask([question, ...VERSIONS['3.1 (n8n 2.41)']!(first, ['ok'])]);
		const { messages } = server.sent(CHAT)[1] as Sent;
		const [back] = messages[1]!.tool_calls as Array<{ function: { arguments: string } }>;
		return { args: first.tool_calls![0]!.args, back: back!.function.arguments };
	};

	test('beyond 2^53: every digit, to the tool and back to the server', async () => {
		const { args, back } = await rounds('{"city":"x","order":12345678901234567890}');
		expect(String(args.order)).toBe('12345678901234567890');
		expect(back).toContain('12345678901234567890');
	});

	test('as the model wrote them', async () => {
		const { args, back } = await rounds('{"city":"x","price":1.10,"small":42}');
		expect([args.price, args.small]).toEqual([1.1, 42]);
		expect(back).toBe('{"city":"x","price":1.10,"small":42}');
	});
});

describe('output that the server cannot parse', () => {
	const message =
		'Failed to parse input at pos 7: the model produced output that does not match the expected Hermes format';
	const error = { code: 500, message, type: 'server_error' };
	const countRequests = async (...replies: Parameters<typeof serve>) => {
		const server = await serve(...replies);
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 1 } },
		});
		await failureOf(streamOf(supplied.bindTools([WEATHER]), 'Hi'));
		return server.sent(CHAT).length;
	};

	const inventedAfter = (...deltas: Parameters<typeof streamed>) =>
		streamed(...deltas, called('a', 'invented', '{}'), delta({}, 'tool_calls'), usage());

	test('is requested again, once, also after a correction', async () => {
		expect(await countRequests(inventedAfter(), json({ error }, 500))).toBe(3);
	});

	test('is not requested again if text of an earlier attempt was shown', async () => {
		const shown = inventedAfter(delta({ content: 'Let me see. ' }));
		expect(await countRequests(shown, json({ error }, 500))).toBe(2);
	});

	test('is not requested again after its beginning was shown', async () => {
		expect(await countRequests(streamed(delta({ content: 'Let me' }), { error }))).toBe(1);
	});
});

describe('output that runs away ends while the server still generates', () => {
	const parameters = { responseFormat: 'jsonObject', options: { maxRetries: 0 } };
	const blanks = Array.from({ length: 30 }, () => delta({ content: ' '.repeat(100) }));
	const endless = (...start: Array<ReturnType<typeof delta>>) => stuckAfter(...start, ...blanks);

	test('JSON that runs away is requested again, in the other form of its format', async () => {
		const server = await serve(endless(delta({ content: '{"a":' })), text('{"a":1}'));
		const { supplied } = await chatModel(server.url, { parameters });
		expect(textOf(await streamOf(supplied, 'Hi'))).toBe('{"a":1}');
		expect(server.sent(CHAT)).toMatchObject([
			{ response_format: { type: 'json_object' } },
			{ response_format: { type: 'json_schema' } },
		]);
	});

	test('JSON that was complete before its blanks is the response', async () => {
		const server = await serve(endless(delta({ content: '{"a":1}' })));
		const { supplied } = await chatModel(server.url, { parameters });
		expect(textOf(await streamOf(supplied, 'Hi')).trim()).toBe('{"a":1}');
		expect(server.sent(CHAT)).toHaveLength(1);
	});

	test('text that was shown is in the error, which is not followed by another request', async () => {
		const server = await serve(endless(delta({ content: 'Hello' })));
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 0 } },
		});
		const error = await failureOf(streamOf(supplied, 'Hi'));
		expect(error.message).toContain('repeated itself without end');
		expect(error.messages.join()).toContain('Received so far: Hello');
		expect(server.sent(CHAT)).toHaveLength(1);
	});

	/** What an error's details say of the output. */
	const receivedOf = async (...answer: Answer[]) => {
		const server = await serve(...answer);
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 0, temperature: 0 } },
		});
		const { context } = await failureOf(streamOf(supplied.bindTools([WEATHER, TIME]), 'Hi'));
		return context.data as Record<string, unknown>;
	};
	const stuck = (...pieces: Array<ReturnType<typeof delta>>) => stuckAfter(...pieces);
	const args = (text: string, index = 0) =>
		delta({ tool_calls: [{ index, function: { arguments: text } }] });
	const repeat = (count: number, piece: ReturnType<typeof delta>) =>
		Array.from({ length: count }, () => piece);

	test('arguments that run away are in the error', async () => {
		const received = await receivedOf(
			stuck(called('a', 'get_weather', '{"city":"'), ...repeat(30, args('Rome '.repeat(200)))),
		);
		expect(received.type).toBe('runawayOutput');
		const [call] = received.partialToolCalls as Array<Record<string, string>>;
		expect(call).toMatchObject({ name: 'get_weather' });
		expect(call!.arguments).toMatch(/^\{"city":"Rome Rome /);
	});

	test('blanks of a call after another one are in the error, with both', async () => {
		const received = await receivedOf(
			stuck(
				called('a', 'get_weather', '{"city":"Rome"}', 0),
				called('b', 'get_time', '{"zone":', 1),
				...repeat(30, args(' '.repeat(100), 1)),
			),
		);
		expect(received.partialToolCalls).toMatchObject([
			{ name: 'get_weather', arguments: '{"city":"Rome"}' },
			{ name: 'get_time', arguments: expect.stringMatching(/^\{"zone": +$/) as string },
		]);
	});

	test.each([
		{ title: 'in the text', piece: delta({ content: '<think></think>'.repeat(10) }) },
		{
			title: "of other models' thinking",
			piece: delta({ content: '<|channel|>analysis<|message|><|end|>'.repeat(10) }),
		},
		{
			title: 'in the field for thinking',
			piece: delta({ reasoning_content: '<think></think>'.repeat(10) }),
		},
	])('thinking that consists only of marks $title is in the error', async ({ piece }) => {
		const received = await receivedOf(stuck(...repeat(200, piece)));
		expect(received.type).toBe('runawayOutput');
		const { partialText = '', partialReasoning = '' } = received;
		expect(`${partialText as string}${partialReasoning as string}`).toMatch(
			/<\|?(?:think|channel)/,
		);
	});

	test('arguments that run away are requested again', async () => {
		const server = await serve(
			stuckAfter(
				called('a', 'get_weather', '{"city":'),
				...Array.from({ length: 30 }, () => args(' '.repeat(100))),
			),
			calls(['b', 'get_weather', '{"city":"Paris"}']),
		);
		const { supplied } = await chatModel(server.url, {
			parameters: { options: { maxRetries: 1 } },
		});
		const answer = await supplied.bindTools([WEATHER]).invoke([question]);
		expect(answer.tool_calls).toMatchObject([{ args: { city: 'Paris' } }]);
		expect(server.sent(CHAT)).toHaveLength(2);
	});
});
