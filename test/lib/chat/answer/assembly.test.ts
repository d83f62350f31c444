import fc from 'fast-check';

import { Assembly, type AssemblyOptions } from '../../../../lib/chat/answer/assembly';
import { FAMILIES } from '../../../../lib/chat/text-formats/families';
import {
	anyCut,
	anyInterleaving,
	anySplit,
	oneBytePieces,
	fixtureNames,
	httpFixture,
	sseData,
	sseJson,
	wire,
} from '../../../support/streams';
import { examples } from '../../../support/properties';
import {
	answerOf,
	assemble,
	assembleBytes,
	type Assembled,
	assembleWhole,
	delta,
	DONE,
	failureOf,
	finish,
	joined,
	piece,
	role,
} from '../assemble';

const FOLDER = 'llama-server-v0.5.0';
const recorded = (name: string) => httpFixture(`${FOLDER}/${name}.http`);
const stream = (name: string, options?: AssemblyOptions) =>
	assembleBytes(recorded(name).chunks, options);
const whole = (name: string) => assembleWhole(recorded(name).body.toString());
const CUT =
	'The answer was cut off by the token limit. Raise Maximum Tokens or the context of the server.';

interface Choice {
	index: number;
	finish_reason: string | null;
	delta: {
		content?: string;
		reasoning_content?: string;
		reasoning?: string;
		tool_calls?: Array<{
			index: number;
			id?: string;
			function: { name?: string; arguments?: string };
		}>;
	};
}

/**
 * A reference implementation: assembles a stream in the simplest way. Only for streams of llama-server and Ollama.
 */
function plainly(body: Buffer) {
	const choices = sseJson<{ choices?: Choice[] }>(body)
		.flatMap((chunk) => chunk.choices ?? [])
		.filter(({ index }) => index === 0);
	const calls: Array<{ id?: string; name?: string; arguments: string }> = [];
	for (const { index, id, function: fn } of choices.flatMap(
		(choice) => choice.delta.tool_calls ?? [],
	)) {
		const call = (calls[index] ??= { arguments: '' });
		call.id ??= id;
		call.name ??= fn.name;
		call.arguments += fn.arguments ?? '';
	}
	return {
		text: choices.map((choice) => choice.delta.content ?? '').join(''),
		reasoning: choices
			.map(({ delta: { reasoning_content: thought, reasoning = thought } }) => reasoning ?? '')
			.join(''),
		calls,
		finishReason: choices
			.map((choice) => choice.finish_reason)
			.findLast((reason) => reason !== null),
	};
}

const chatStreams = [FOLDER, 'ollama-v0.17.4']
	.flatMap((folder) => fixtureNames(folder, '.http'))
	.filter(
		(name) =>
			/(?:chat|tools|thinking|router-chat)-.*stream|chat-stream/.test(name) &&
			httpFixture(name).status === 200,
	);

describe('plain chat', () => {
	it('case 15: an answer in one piece, with usage, cached tokens and timings', () => {
		const answer = answerOf(whole('chat-cached'));
		expect(answer).toMatchObject({
			text: expect.stringContaining('Hello'),
			reasoning: '',
			toolCalls: [],
			finishReason: 'stop',
			model: 'smollm2',
			notes: [],
		});
		expect(answer.usage).toEqual({
			promptTokens: 36,
			completionTokens: 12,
			totalTokens: 48,
			cachedTokens: 35,
		});
		expect(answer.timings).toMatchObject({ cache_n: 35, prompt_n: 1, predicted_n: 12 });
	});

	it('timings count the tokens of a stream that sends no usage', () => {
		const timings = { cache_n: 35, prompt_n: 1, predicted_n: 12 };
		const { usage } = answerOf(assemble([delta({ content: 'a' }), finish('stop', { timings })]));
		expect(usage).toEqual(answerOf(whole('chat-cached')).usage);
	});

	it('the words of a gateway whose server broke off end the answer, with its text until then', () => {
		const pieces = [delta({ content: 'Hel' }), delta({ content: 'lo' }), 'unexpected EOF'];
		expect(failureOf(assemble(pieces))).toMatchObject({
			kind: 'connectionLost',
			text: 'Hello',
			serverText: 'unexpected EOF',
		});
	});

	it('case 16: role, content, finish, end; the null of the role chunk is no text', () => {
		const assembled = assemble([
			role,
			delta({ content: 'Hel' }),
			delta({ content: 'lo' }),
			finish('stop'),
			DONE,
		]);
		expect(answerOf(assembled)).toEqual({
			text: 'Hello',
			reasoning: '',
			toolCalls: [],
			finishReason: 'stop',
			notes: [],
		});
		expect(assembled.text).toBe('Hello');
		expect(stream('chat-stream').text).toBe(plainly(recorded('chat-stream').body).text);
	});

	it('case 17: no role chunk, since the first token was half an emoji', () => {
		expect(sseData(recorded('chat-stream-emoji-first').body).join('')).not.toContain('"role"');
		expect(answerOf(stream('chat-stream-emoji-first')).text).toBe('🦙 Grüße, 世界');
	});

	it('case 18: role chunks with progress are no text and do not begin the answer', () => {
		const progress = { prompt_progress: { total: 10, cache: 2, processed: 6, time_ms: 5 } };
		const before = assemble([
			delta({ role: 'assistant', content: null }, progress),
			delta({ role: 'assistant', content: null }, progress),
			role,
		]);
		expect(before.assembly.started).toBe(false);
		expect(before.text).toBe('');
		expect(answerOf(stream('chat-stream-progress')).text).toBe(
			plainly(recorded('chat-stream-progress').body).text,
		);
	});

	it('case 19: usage in a chunk of its own, without choices', () => {
		const answer = answerOf(stream('chat-stream-usage'));
		expect(answer).toMatchObject({
			finishReason: 'stop',
			usage: { promptTokens: 36, completionTokens: 12, totalTokens: 48 },
		});
		expect(answer.timings?.predicted_n).toBe(12);
	});

	it('case 20: usage in the finish chunk', () => {
		const usage = { prompt_tokens: 4, completion_tokens: 1, total_tokens: 5 };
		expect(
			answerOf(assemble([delta({ content: 'Hi' }), finish('stop', { usage }), DONE])).usage,
		).toEqual({
			promptTokens: 4,
			completionTokens: 1,
			totalTokens: 5,
		});
	});

	it('case 21: an empty answer is said to be empty, never passed on as success', () => {
		expect(failureOf(stream('chat-stream-empty'))).toMatchObject({
			kind: 'emptyAnswer',
			text: '',
			facts: { finishReason: 'stop' },
		});
		expect(
			failureOf(assemble([role, delta({ content: ' \n' }), finish('stop'), DONE])),
		).toMatchObject({
			kind: 'emptyAnswer',
		});
	});

	it('case 22: an answer that the token limit cut off is passed on with a note', () => {
		expect(answerOf(stream('chat-stream-length'))).toMatchObject({
			finishReason: 'length',
			notes: [CUT],
			text: plainly(recorded('chat-stream-length').body).text,
		});
	});

	it('case 23: max_tokens 0 gives one token and the note', () => {
		expect(answerOf(whole('chat-max-tokens-0'))).toMatchObject({
			text: 'Hello',
			usage: { completionTokens: 1 },
			notes: [CUT],
		});
	});

	it('case 24: max_completion_tokens counts before max_tokens', () => {
		expect(answerOf(whole('chat-max-tokens-order')).usage?.completionTokens).toBe(3);
	});

	it('case 26: of several choices only the first is read, whichever comes first', () => {
		const { body } = recorded('chat-stream-two-choices');
		expect(
			new Set(sseJson<{ choices: Choice[] }>(body).map(({ choices }) => choices[0]?.index)),
		).toEqual(new Set([0, 1]));
		expect(answerOf(stream('chat-stream-two-choices')).text).toBe(plainly(body).text);
		const second = { choices: [{ index: 1, finish_reason: null, delta: { content: 'no' } }] };
		expect(
			answerOf(
				assemble([
					second,
					delta({ content: 'yes' }),
					{ choices: [{ index: 1, finish_reason: 'length', delta: {} }] },
					finish('stop'),
					DONE,
				]),
			),
		).toMatchObject({
			text: 'yes',
			finishReason: 'stop',
		});
	});

	it('case 29: the model that answered is named, whatever was asked for', () => {
		expect(answerOf(whole('chat-other-model')).model).toBe('smollm2');
	});

	describe('case 31: a trailing assistant message, which the server repeats', () => {
		const prefill = 'One, two,';

		it('is removed from recorded answers', () => {
			const { body } = recorded('chat-stream-prefill');
			expect(plainly(body).text.startsWith(prefill)).toBe(true);
			expect(answerOf(stream('chat-stream-prefill', { prefill })).text).toBe(
				plainly(body).text.slice(prefill.length),
			);
			expect(
				answerOf(
					assembleWhole(recorded('chat-prefill').body.toString(), { prefill }),
				).text.startsWith(' three'),
			).toBe(true);
		});

		it.each([
			[['One', ', two', ', three'], ' three'],
			[['One, two,', ' three'], ' three'],
			[['One, two, three'], ' three'],
			[['One, three'], 'One, three'],
			[[' three', ', four'], ' three, four'],
			[['One', ' three'], 'One three'],
			[['One, t'], 'One, t'],
		])('%j begins with the new text', (pieces, text) => {
			expect(
				answerOf(
					assemble([...pieces.map((content) => delta({ content })), finish('stop'), DONE], {
						prefill,
					}),
				).text,
			).toBe(text);
		});
	});

	it('case 99: cached tokens are told', () => {
		const { promptTokens = 0, cachedTokens } = answerOf(whole('chat-cached')).usage ?? {};
		expect(cachedTokens).toBe(promptTokens - 1);
	});

	it('case 100: characters in two halves come out whole, lone halves do no harm', () => {
		const halves = [
			'{"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}',
			'{"choices":[{"index":0,"delta":{"content":"\\ude00b"}}]}',
		];
		const assembled = assemble([...halves, finish('stop'), DONE]);
		expect(answerOf(assembled).text).toBe('a😀b');
		const thinking = halves.map((data) => data.replace('content', 'reasoning_content'));
		expect(
			answerOf(assemble([...thinking, delta({ content: 'x' }), finish('stop'), DONE])).reasoning,
		).toBe('a😀b');
		expect(answerOf(assemble([halves[0]!, finish('stop'), DONE])).text).toBe('a\ud83d');
		expect(
			answerOf(assemble([halves[0]!, delta({ content: 'b\ufffd' }), finish('stop'), DONE])).text,
		).toBe('a\ud83db\ufffd');
	});

	it('case 100: half a character is never emitted', () => {
		const { assembly } = assemble([]);
		expect(joined(assembly.push({ text: 'a\ud83d' })).text).toBe('a');
		expect(joined(assembly.push({ text: '\ude00' })).text).toBe('😀');
		expect(joined(assembly.push({ reasoning: '\ud83d' })).reasoning).toBe('');
		expect(joined(assembly.push({ reasoning: '\ude00' })).reasoning).toBe('😀');
	});
});

describe('the end of a stream', () => {
	const text = [role, delta({ content: 'Hello' })];

	it('case 47: an error inside the stream is a failure with the text so far', () => {
		const failed = failureOf(stream('stream-context-exceeded'));
		expect(failed).toMatchObject({
			kind: 'contextExceeded',
			status: 500,
			serverText: 'Context size has been exceeded.',
		});
		expect(failed.text).toBe(plainly(recorded('stream-context-exceeded').body).text);
		expect(
			failureOf(
				assemble([
					...text,
					{ error: { message: 'Compute error.', type: 'server_error', code: 500 } },
				]),
			),
		).toMatchObject({ kind: 'streamError', text: 'Hello' });
	});

	it('case 48: the same followed by [DONE]', () => {
		expect(
			failureOf(
				assemble([
					...text,
					{ error: { message: 'boom', type: 'InternalServerError', param: null, code: 500 } },
					DONE,
				]),
			),
		).toMatchObject({ kind: 'streamError', serverText: 'boom' });
	});

	it('case 49: no finish, no end marker', () => {
		expect(failureOf(assemble(text))).toMatchObject({ kind: 'streamEndedEarly', text: 'Hello' });
		expect(failureOf(assemble([]))).toMatchObject({ kind: 'streamEndedEarly', text: '' });
	});

	it('case 50: a finish without [DONE] is complete', () => {
		expect(answerOf(assemble([...text, finish('stop')])).text).toBe('Hello');
	});

	it('case 51: [DONE] without a finish reason is not a complete answer', () => {
		expect(failureOf(assemble([...text, DONE]))).toMatchObject({
			kind: 'streamEndedEarly',
			text: 'Hello',
		});
		expect(
			failureOf(
				assemble([...text, { choices: [{ index: 0, delta: {}, finish_reason: '' }] }, DONE]),
			),
		).toMatchObject({ kind: 'streamEndedEarly' });
	});

	it('case 53: the error line of a router whose child died is reported', () => {
		expect(failureOf(stream('router-child-killed-stream'))).toMatchObject({
			kind: 'streamEndedEarly',
			serverText: 'proxy error: Failed to read connection',
			text: plainly(recorded('router-child-killed-stream').body).text,
		});
	});

	it('case 42: what comes after [DONE] is ignored', () => {
		expect(
			answerOf(
				assemble([...text, finish('stop'), DONE, delta({ content: ' more' }), { error: 'late' }]),
			).text,
		).toBe('Hello');
	});

	it('case 44: a whole answer in place of a stream, also without a reason', () => {
		expect(
			answerOf(assembleWhole({ choices: [{ message: { role: 'assistant', content: 'Hello' } }] })),
		).toMatchObject({
			text: 'Hello',
			finishReason: 'stop',
		});
		expect(
			answerOf(
				assemble([
					{ choices: [{ index: 0, message: { content: 'Hello' }, finish_reason: 'stop' }] },
					DONE,
				]),
			).text,
		).toBe('Hello');
	});

	it.each([
		['content_filter', 'filtered'],
		['abort', 'streamError'],
		['error', 'streamError'],
		['MALFORMED_FUNCTION_CALL', 'toolCallInvalid'],
		['malformed_function_call', 'toolCallInvalid'],
		['UNEXPECTED_TOOL_CALL', 'toolCallInvalid'],
		['SAFETY', 'filtered'],
		['PROHIBITED_CONTENT', 'filtered'],
	])('a finish with the reason %s is a failure', (reason, kind) => {
		expect(failureOf(assemble([...text, finish(reason), DONE]))).toMatchObject({
			kind,
			text: 'Hello',
		});
	});

	it('"null" in quotes and an empty text are not finish reasons: such an answer has ended early', () => {
		for (const reason of ['null', '']) {
			const chunk = {
				choices: [{ index: 0, delta: { content: 'half an' }, finish_reason: reason }],
			};
			expect(failureOf(assemble([chunk]))).toMatchObject({ kind: 'streamEndedEarly' });
			expect(answerOf(assemble([chunk, finish('stop'), DONE]))).toMatchObject({
				text: 'half an',
				finishReason: 'stop',
			});
			expect(
				answerOf(
					assembleWhole({ choices: [{ message: { content: 'all' }, finish_reason: reason }] }),
				),
			).toMatchObject({ text: 'all', finishReason: 'stop' });
		}
	});

	it('fast-check: a finish reason that is not text is reported, and never treated as missing or as success', () => {
		const value = fc.oneof(
			fc.integer(),
			fc.constant(true),
			fc.dictionary(fc.string(), fc.integer()),
			fc.array(fc.integer()),
		);
		fc.assert(
			fc.property(value, (reason) => {
				const end = { choices: [{ index: 0, delta: {}, finish_reason: reason }] };
				const { finishReason, notes } = answerOf(assemble([...text, end, DONE]));
				expect(finishReason).toBe(JSON.stringify(reason));
				expect(notes.join()).toContain('so it may not be complete');
			}),
		);
		const ends = { type: 'stop', reason: 'x' };
		const typed = assemble([
			...text,
			{ choices: [{ index: 0, delta: {}, finish_reason: ends }] },
			DONE,
		]);
		expect(answerOf(typed)).toMatchObject({ finishReason: 'stop', notes: [] });
		const malformed = finish('MALFORMED_FUNCTION_CALL');
		expect(failureOf(assemble([malformed, DONE]))).toMatchObject({
			kind: 'toolCallInvalid',
			serverText: 'finish_reason: malformed_function_call',
		});
	});

	it('an unknown finish reason is passed on', () => {
		expect(answerOf(assemble([...text, finish('eos_token'), DONE])).finishReason).toBe('eos_token');
	});
});

describe('thinking', () => {
	it.each([
		['reasoning_content', 62],
		['reasoning', 63],
	])('case 62, 63: %s is kept apart', (field) => {
		const assembled = assemble([
			role,
			delta({ [field]: 'Hm, ' }),
			delta({ [field]: 'so.' }),
			delta({ content: 'Yes.' }),
			finish('stop'),
			DONE,
		]);
		expect(answerOf(assembled)).toMatchObject({ text: 'Yes.', reasoning: 'Hm, so.' });
		expect(assembled).toMatchObject({ text: 'Yes.', reasoning: 'Hm, so.' });
	});

	it('case 62: as recorded', () => {
		const expected = plainly(recorded('thinking-stream').body);
		expect(answerOf(stream('thinking-stream'))).toMatchObject({
			text: expected.text,
			reasoning: expected.reasoning,
		});
		expect(answerOf(whole('thinking')).reasoning).not.toBe('');
		expect(answerOf(whole('thinking-off')).reasoning).toBe('');
	});

	it.each(['Hm', '\n\n'])(
		'case 62: text is not held back for a missing tag when thinking came in a field of its own: %j',
		(reasoning) => {
			const { assembly } = assemble([delta({ reasoning_content: reasoning })], {
				openingThinkTagMayBeMissing: true,
			});
			expect(joined(assembly.push({ text: 'Yes' })).text).toBe('Yes');
		},
	);

	it('case 64: raw tags are split off, as recorded', () => {
		const raw = plainly(recorded('thinking-stream-raw').body);
		expect(raw).toMatchObject({ text: expect.stringContaining('</think>'), reasoning: '' });
		const answer = answerOf(stream('thinking-stream-raw'));
		expect(`<think>${answer.reasoning}</think>\n\n${answer.text}`).toBe(raw.text);
	});

	it('case 64: without the opening tag', () => {
		const events = [
			delta({ content: 'Hm.\n</th' }),
			delta({ content: 'ink>\n\nYes' }),
			delta({ content: '.' }),
			finish('stop'),
			DONE,
		];
		const held = assemble(events, { openingThinkTagMayBeMissing: true });
		expect(answerOf(held)).toMatchObject({ text: 'Yes.', reasoning: 'Hm.\n' });
		const streamed = assemble(events);
		expect(answerOf(streamed)).toMatchObject({ text: 'Hm.\n</think>\n\nYes.', reasoning: '' });
	});

	it('case 65: nothing but thinking is a failure that says so', () => {
		expect(failureOf(stream('thinking-stream-length'))).toMatchObject({
			kind: 'onlyThinking',
			facts: { finishReason: 'length' },
			text: '',
			reasoning: plainly(recorded('thinking-stream-length').body).reasoning,
		});
		expect(
			failureOf(assemble([delta({ content: '<think>Hm' }), finish('stop'), DONE])),
		).toMatchObject({
			kind: 'onlyThinking',
			reasoning: 'Hm',
		});
		expect(
			failureOf(
				assemble([delta({ reasoning: 'Hm' }), delta({ content: '\n' }), finish('stop'), DONE]),
			),
		).toMatchObject({ kind: 'onlyThinking' });
	});

	it('thinking and then a call is an answer', () => {
		expect(
			answerOf(
				assemble([
					delta({ reasoning_content: 'Hm' }),
					piece(0, { name: 'f', arguments: '{}' }, { id: 'a' }),
					finish('tool_calls'),
					DONE,
				]),
			),
		).toMatchObject({
			reasoning: 'Hm',
			toolCalls: [{ name: 'f' }],
		});
	});
});

describe('tool calls', () => {
	const end = [finish('tool_calls'), DONE];
	const calls = (...events: object[]) => answerOf(assemble([role, ...events, ...end])).toolCalls;

	it.each([
		'tools-stream',
		'tools-auto-stream',
		'tools-parallel-stream',
		'tools-text-first-stream',
	])('as recorded: %s', (name) => {
		const expected = plainly(recorded(name).body);
		const answer = answerOf(stream(name));
		expect(answer).toMatchObject({ text: expected.text, finishReason: 'tool_calls', notes: [] });
		expect(answer.toolCalls).toEqual(expected.calls);
		expect(answer.toolCalls.length).toBe(name === 'tools-parallel-stream' ? 2 : 1);
		for (const call of answer.toolCalls)
			expect(JSON.parse(call.arguments)).toMatchObject({ unit: 'celsius' });
	});

	it.each([
		['tools', 1],
		['tools-parallel', 2],
	])('as recorded, in one piece: %s', (name, count) => {
		const answer = answerOf(whole(String(name)));
		expect(answer.toolCalls).toHaveLength(Number(count));
		expect(answer.toolCalls[0]).toMatchObject({
			name: 'get_weather',
			arguments: '{"city": "Zürich", "unit": "celsius"}',
		});
	});

	it('case 66: arguments one character at a time', () => {
		const json = '{"city":"Zürich","say":"\\"hi\\" 🦙"}';
		const pieces = [...json].map((char) => piece(0, { arguments: char }));
		expect(calls(piece(0, { name: 'f', arguments: '' }, { id: 'a' }), ...pieces)).toEqual([
			{ id: 'a', name: 'f', arguments: json },
		]);
		const units = json.split('').map((char) => piece(0, { arguments: char }));
		expect(calls(piece(0, { name: 'f' }, { id: 'a' }), ...units)).toEqual([
			{ id: 'a', name: 'f', arguments: json },
		]);
	});

	it('case 67: no arguments in the first piece', () => {
		expect(
			calls(
				piece(0, { name: 'f' }, { id: 'a', type: 'function' }),
				piece(0, { arguments: '{"x":1}' }),
			),
		).toEqual([{ id: 'a', name: 'f', arguments: '{"x":1}' }]);
		expect(
			calls(
				piece(0, { name: 'f', arguments: null }, { id: 'a' }),
				piece(0, { arguments: '{"x":1}' }),
			)[0]?.arguments,
		).toBe('{"x":1}');
	});

	it('case 68: two calls one after the other', () => {
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{' }, { id: 'a' }),
				piece(0, { arguments: '}' }),
				piece(1, { name: 'g', arguments: '{' }, { id: 'b' }),
				piece(1, { arguments: '}' }),
			),
		).toEqual([
			{ id: 'a', name: 'f', arguments: '{}' },
			{ id: 'b', name: 'g', arguments: '{}' },
		]);
	});

	it('case 69: two calls interleaved', () => {
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{"a"' }, { id: 'a' }),
				piece(1, { name: 'g', arguments: '{"b"' }, { id: 'b' }),
				piece(0, { arguments: ':1}' }),
				piece(1, { arguments: ':2}' }),
			),
		).toEqual([
			{ id: 'a', name: 'f', arguments: '{"a":1}' },
			{ id: 'b', name: 'g', arguments: '{"b":2}' },
		]);
	});

	it('case 70: the first id that is not empty counts', () => {
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{' }, { id: 'a' }),
				piece(0, { arguments: '}' }, { id: 'a' }),
			),
		).toEqual([{ id: 'a', name: 'f', arguments: '{}' }]);
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{' }, { id: 'a' }),
				piece(0, { arguments: '}' }, { id: '' }),
			)[0]?.id,
		).toBe('a');
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{' }, { id: '' }),
				piece(0, { arguments: '}' }, { id: 'late' }),
			)[0]?.id,
		).toBe('late');
	});

	it('case 71: a name that comes again is not doubled, a revised one replaces', () => {
		expect(
			calls(
				piece(0, { name: 'get', arguments: '{' }, { id: 'a' }),
				piece(0, { name: 'get', arguments: '}' }),
			)[0],
		).toEqual({ id: 'a', name: 'get', arguments: '{}' });
		expect(
			calls(
				piece(0, { name: 'get' }, { id: 'a' }),
				piece(0, { name: 'get_weather' }),
				piece(0, { arguments: '{}' }),
			)[0]?.name,
		).toBe('get_weather');
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{}' }, { id: 'a' }),
				piece(0, { name: 'f', arguments: '' }),
			),
		).toHaveLength(1);
	});

	it('case 72: several whole calls in one delta (Ollama)', () => {
		const all = ['a', 'b'].map((id, index) => ({
			id,
			index,
			type: 'function',
			function: { name: `f${index}`, arguments: `{"x":${index}}` },
		}));
		expect(calls(delta({ tool_calls: all }))).toEqual([
			{ id: 'a', name: 'f0', arguments: '{"x":0}' },
			{ id: 'b', name: 'f1', arguments: '{"x":1}' },
		]);
	});

	it('case 72: the same with one index for all, or none, with ids or without', () => {
		const whole = (more: object, name: string) => ({
			...more,
			type: 'function',
			function: { name, arguments: '{"x":1}' },
		});
		for (const [first, second] of [
			[
				{ index: 0, id: 'a' },
				{ index: 0, id: 'b' },
			],
			[{ id: 'a' }, { id: 'b' }],
			[{ index: 0 }, { index: 0 }],
			[{}, {}],
		]) {
			expect(
				calls(delta({ tool_calls: [whole(first!, 'f'), whole(second!, 'g')] })).map(
					({ name }) => name,
				),
			).toEqual(['f', 'g']);
			expect(
				calls(
					delta({ tool_calls: [whole(first!, 'f')] }),
					delta({ tool_calls: [whole(second!, 'g')] }),
				).map(({ name }) => name),
			).toEqual(['f', 'g']);
		}
	});

	it('calls that share their id are kept apart, without an index and with the same one', () => {
		for (const index of [undefined, 0]) {
			const f = (args: string, name = 'f') =>
				piece(index, { name, arguments: args }, { id: 'call_0' });
			const apart = (...events: object[]) =>
				calls(...events).map(({ name, arguments: args }) => `${name}${args}`);
			expect(apart(f('{"x":1}'), f('{"x":2}', 'g'))).toEqual(['f{"x":1}', 'g{"x":2}']);
			const together = ['{"x":1}', '{"x":2}'].map((args) => ({
				...(index === undefined ? {} : { index }),
				id: 'call_0',
				function: { name: 'f', arguments: args },
			}));
			expect(apart(delta({ tool_calls: together }))).toEqual(['f{"x":1}', 'f{"x":2}']);
			// One call that is repaired and sent whole each time.
			expect(apart(f('{}'), f('{"x":"a"}'), f('{"x":"ab"}'))).toEqual(['f{"x":"ab"}']);
		}
		const ids = calls(
			piece(0, { name: 'f', arguments: '{}' }, { id: 'call_0' }),
			piece(0, { name: 'g', arguments: '{}' }, { id: 'call_0' }),
		).map(({ id }) => id);
		expect(ids).toEqual(['call_0', expect.stringMatching(/^made-/)]);
	});

	it('calls without arguments and with one index for all are kept apart', () => {
		const names = (...events: object[]) => calls(...events).map(({ name }) => name);
		expect(
			names(
				piece(0, { name: 'f', arguments: '' }, { id: 'a' }),
				piece(0, { name: 'g', arguments: '' }, { id: 'b' }),
			),
		).toEqual(['f', 'g']);
		expect(
			names(delta({ tool_calls: ['f', 'g'].map((name) => ({ index: 0, function: { name } })) })),
		).toEqual(['f', 'g']);
	});

	it('an empty object before the text of the arguments is only a placeholder', () => {
		expect(
			calls(
				piece(0, { name: 'f', arguments: {} }, { id: 'a' }),
				piece(0, { arguments: '{"x":' }),
				piece(0, { arguments: '1}' }),
			),
		).toEqual([{ id: 'a', name: 'f', arguments: '{"x":1}' }]);
		expect(calls(piece(0, { name: 'f', arguments: {} }, { id: 'a' }))).toEqual([
			{ id: 'a', name: 'f', arguments: '{}' },
		]);
	});

	it('complete arguments that come again at the end are not appended', () => {
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{"x":' }, { id: 'a' }),
				piece(0, { arguments: '1}' }),
				piece(0, { name: 'f', arguments: '{"x":1}' }, { id: 'a' }),
			),
		).toEqual([{ id: 'a', name: 'f', arguments: '{"x":1}' }]);
	});

	it('pieces without an index follow their id, and without both the last call', () => {
		expect(
			calls(
				piece(undefined, { name: 'f', arguments: '{"a"' }, { id: 'a' }),
				piece(undefined, { arguments: ':1' }),
				piece(undefined, { name: 'g', arguments: '{"b"' }, { id: 'b' }),
				piece(undefined, { arguments: '}' }, { id: 'a' }),
				piece(undefined, { arguments: ':2}' }, { id: 'b' }),
			),
		).toEqual([
			{ id: 'a', name: 'f', arguments: '{"a":1}' },
			{ id: 'b', name: 'g', arguments: '{"b":2}' },
		]);
		expect(
			calls(
				piece(0, { name: 'f', arguments: '{' }, { id: 'a' }),
				piece(undefined, { arguments: '}' }, { id: 'a' }),
			),
		).toEqual([{ id: 'a', name: 'f', arguments: '{}' }]);
	});

	it('case 73: missing and duplicate ids are replaced by generated ones', () => {
		const [first, second] = calls(
			piece(0, { name: 'f', arguments: '{}' }),
			piece(1, { name: 'g', arguments: '{}' }),
		);
		expect(first?.id).toMatch(/^made-/);
		expect(second?.id).toMatch(/^made-/);
		expect(first?.id).not.toBe(second?.id);
		const same = calls(
			piece(0, { name: 'f', arguments: '{}' }, { id: 'call_0' }),
			piece(1, { name: 'g', arguments: '{}' }, { id: 'call_0' }),
		);
		expect(same.map(({ id }) => id)).toEqual(['call_0', expect.stringMatching(/^made-/)]);
	});

	it('case 73: generated ids are always different', () => {
		const { toolCalls } = answerOf(
			assemble([piece(0, { name: 'f' }), piece(1, { name: 'f' }), ...end], { callIds: undefined }),
		);
		expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
		for (const { id } of toolCalls) expect(id).toMatch(/^n8n[0-9a-z]{9}[01]$/);
	});

	it('case 74: text before a call', () => {
		expect(answerOf(stream('tools-text-first-stream'))).toMatchObject({
			text: 'Let me check.\n',
			toolCalls: [{ name: 'get_weather' }],
		});
	});

	it('case 75: a call that the token limit cut is never passed on', () => {
		for (const assembled of [stream('tools-stream-cut'), whole('tools-cut')]) {
			const failed = failureOf(assembled);
			expect(failed).toMatchObject({ kind: 'toolCallCut', tool: 'get_weather' });
			expect(failed.facts?.toolCalls).toEqual([
				{ name: 'get_weather', arguments: expect.stringMatching(/^\{"city": "[^"]*$/) },
			]);
		}
	});

	it('case 75: any of the calls may be the one that was cut', () => {
		const first = [
			piece(0, { name: 'f', arguments: '{"a":' }, { id: 'a' }),
			piece(1, { name: 'g', arguments: '{}' }, { id: 'b' }),
			finish('length'),
			DONE,
		];
		expect(failureOf(assemble(first))).toMatchObject({ kind: 'toolCallCut', tool: 'f' });
		const last = [
			piece(0, { name: 'f' }, { id: 'a' }),
			piece(1, { name: 'g' }, { id: 'b' }),
			finish('length'),
			DONE,
		];
		expect(failureOf(assemble(last))).toMatchObject({ kind: 'toolCallCut', tool: 'g' });
	});

	it('case 75: calls that were complete before the limit are passed on', () => {
		const answer = answerOf(
			assemble([
				piece(0, { name: 'f', arguments: '{"a":1}' }, { id: 'a' }),
				finish('length'),
				DONE,
			]),
		);
		expect(answer).toMatchObject({
			toolCalls: [{ name: 'f', arguments: '{"a":1}' }],
			finishReason: 'length',
			notes: [CUT],
		});
	});

	it.each(['{"a":1', '{"a":1}}', '[1]', '"text"', 'none', '{"a":1}{"b":2}'])(
		'arguments that are no JSON object are never passed on: %s',
		(args) => {
			expect(
				failureOf(assemble([piece(0, { name: 'f', arguments: args }, { id: 'a' }), ...end])),
			).toMatchObject({
				kind: 'toolCallInvalid',
				tool: 'f',
				facts: { toolCalls: [{ name: 'f', arguments: args }] },
			});
		},
	);

	it('a call without a name is never passed on, an empty one is none', () => {
		expect(failureOf(assemble([piece(0, { arguments: '{}' }, { id: 'a' }), ...end]))).toMatchObject(
			{
				kind: 'toolCallInvalid',
			},
		);
		expect(
			answerOf(
				assemble([
					delta({ content: 'Hi', tool_calls: [{ index: 0, function: {} }] }),
					finish('stop'),
					DONE,
				]),
			).toolCalls,
		).toEqual([]);
	});

	it('case 76: calls count although the reason is stop', () => {
		expect(
			answerOf(
				assemble([piece(0, { name: 'f', arguments: '{}' }, { id: 'a' }), finish('stop'), DONE]),
			).toolCalls,
		).toHaveLength(1);
	});

	it.each([
		[{ name: 'f', arguments: '' }],
		[{ name: 'f' }],
		[{ name: 'f', arguments: ' ' }],
		[{ name: 'f', arguments: 'null' }],
	])('case 77: no arguments: %j', (fn) => {
		expect(calls(piece(0, fn, { id: 'a' }))).toEqual([{ id: 'a', name: 'f', arguments: '{}' }]);
	});

	it('case 78: arguments as an object', () => {
		expect(calls(piece(0, { name: 'f', arguments: { city: 'Rome' } }, { id: 'a' }))).toEqual([
			{ id: 'a', name: 'f', arguments: '{"city":"Rome"}' },
		]);
		const two = [
			{ function: { name: 'f', arguments: { x: 1 } } },
			{ function: { name: 'g', arguments: { x: 2 } } },
		];
		expect(
			calls(delta({ tool_calls: two.map((entry) => ({ index: 0, ...entry })) })).map(
				({ arguments: args }) => args,
			),
		).toEqual(['{"x":1}', '{"x":2}']);
		expect(
			answerOf(
				assembleWhole({
					choices: [{ message: { content: null, tool_calls: two }, finish_reason: 'tool_calls' }],
				}),
			).toolCalls,
		).toHaveLength(2);
	});

	it('case 83: markup in the text is no call, and no tool was offered that it could be one of', () => {
		const answer = answerOf(whole('tools-none'));
		expect(answer).toMatchObject({ toolCalls: [], notes: [] });
		expect(answer.text).toContain('<tool_call>');
		expect(answerOf(whole('tools-ramble')).notes).toEqual([CUT]);
	});
});

describe('what a real Ollama sends', () => {
	const ollama = (name: string) => assembleBytes([httpFixture(`ollama-v0.17.4/${name}.http`).body]);
	const call = (city: string) => ({
		id: expect.stringMatching(/^call_\w{8}$/) as string,
		name: 'get_weather',
		arguments: `{"city":"${city}"}`,
	});

	it.each([
		['chat-stream', { text: 'Hello there, 你好 friend 😀.', finishReason: 'stop' }],
		[
			'chat-stream-usage',
			{
				text: 'Hello there, 你好 friend 😀.',
				usage: { promptTokens: 22, completionTokens: 9, totalTokens: 31 },
			},
		],
		['chat-stream-length', { finishReason: 'length', notes: [CUT] }],
		['tools-stream', { text: '', toolCalls: [call('Rome')], finishReason: 'tool_calls' }],
		[
			'tools-two-stream',
			{ text: '', toolCalls: [call('Köln'), call('Oslo')], finishReason: 'tool_calls' },
		],
		['tools-not-offered-stream', { toolCalls: [], notes: [] }],
		['thinking-stream', { text: 'I have thought.', reasoning: 'Let me think about it.\n' }],
		// This model thinks although thinking is off, and Ollama does not separate it.
		[
			'thinking-raw-stream',
			{
				text: 'I have thought.',
				reasoning: expect.stringContaining('Let me think about it.') as string,
			},
		],
		[
			'thinking-tools-stream',
			{ text: '', reasoning: 'I need the weather.\n', toolCalls: [call('Paris')] },
		],
	])('%s', (name, expected) => {
		const assembled = ollama(name);
		expect(answerOf(assembled)).toMatchObject(expected);
		expect(assembled.assembly.madeBy).toBe('ollama');
	});

	it('error-mid-stream: Ollama loses its own error, so what is left is an end without a finish', () => {
		const { result } = ollama('error-mid-stream');
		expect(result).toMatchObject({
			failed: {
				kind: 'streamEndedEarly',
				text: expect.stringMatching(/^Day 1: the llama climbed 7 steps\. Day 2/) as string,
			},
		});
	});

	it('empty-stream: nothing is an error', () => {
		expect(ollama('empty-stream').result).toMatchObject({
			failed: { kind: 'emptyAnswer', facts: { finishReason: 'stop' } },
		});
	});
});

describe('however a recorded stream arrives', () => {
	const comparable = ({ result, text, reasoning }: Assembled) => ({ result, text, reasoning });

	it('there are recordings to try', () => {
		expect(chatStreams.length).toBeGreaterThanOrEqual(25);
	});

	it.each(chatStreams)('%s: any split gives the same', (name) => {
		const { body } = httpFixture(name);
		const expected = comparable(assembleBytes([body]));
		expect(comparable(assembleBytes(oneBytePieces(body)))).toEqual(expected);
		fc.assert(
			fc.property(anySplit(body), (pieces) =>
				expect(comparable(assembleBytes(pieces))).toEqual(expected),
			),
			examples(20),
		);
	});

	it.each(chatStreams)(
		'%s: any cut gives the same answer or a failure with the text so far',
		(name) => {
			const { body } = httpFixture(name);
			const complete = assembleBytes([body]).result;
			fc.assert(
				fc.property(anyCut(body), fc.boolean(), ({ at, pieces }, openingThinkTagMayBeMissing) => {
					// An event without its closing blank line counts as soon as its line is complete, so it may not be cut inside
					// its JSON.
					const arrived = plainly(Buffer.from(`${wholeEvents(body.subarray(0, at))}\n\n`));
					const { result, text, reasoning } = assembleBytes(pieces, {
						openingThinkTagMayBeMissing,
					});
					if ('answer' in result) {
						// What may be missing then are the counts that come behind the finish.
						const { usage, timings, ...rest } = result.answer;
						const { usage: allUsage, timings: allTimings } = answerOf({ result: complete });
						expect([allUsage, undefined]).toContainEqual(usage);
						expect([allTimings, undefined]).toContainEqual(timings);
						expect(answerOf({ result: complete })).toMatchObject(rest);
						expect(arrived.finishReason).toBe(result.answer.finishReason);
					} else if (arrived.finishReason === undefined) {
						expect(result.failed).toMatchObject({ kind: 'streamEndedEarly', text, reasoning });
						if (name.includes('raw'))
							expect(withoutTags(reasoning + text)).toBe(withoutTags(arrived.text));
						else
							expect({ text, reasoning }).toEqual({
								text: arrived.text,
								reasoning: arrived.reasoning,
							});
					} else {
						expect('failed' in complete ? complete.failed.kind : undefined).toBe(
							result.failed.kind,
						);
					}
				}),
				examples(50),
			);
		},
	);

	/** The stream up to its last event that can be read; what follows it would be reported as unreadable. */
	function wholeEvents(bytes: Buffer): string {
		const lines = bytes.toString('utf8').split('\n');
		const last = lines.at(-1) ?? '';
		return isReadable(last) ? lines.join('\n') : lines.slice(0, -1).join('\n');
	}

	function isReadable(line: string): boolean {
		try {
			return line === '' || JSON.parse(line.replace(/^data: /, '')) !== undefined;
		} catch {
			return line === 'data: [DONE]';
		}
	}

	const withoutTags = (text: string) => text.replace(/<\/?think>|\s/g, '');
});

describe('two calls at once', () => {
	const first = [
		piece(0, { name: 'f', arguments: '{' }, { id: 'a' }),
		...['"x"', ':', '"ü"', '}'].map((args) => piece(0, { arguments: args })),
	];
	const second = [
		piece(1, { name: 'g', arguments: '' }, { id: 'b' }),
		...['{"y":[', '1,', '{}]', '}'].map((args) => piece(1, { arguments: args })),
	];

	it('any interleaving gives the same calls', () => {
		fc.assert(
			fc.property(anyInterleaving(first, second), (events) => {
				const { toolCalls } = answerOf(assemble([role, ...events, finish('tool_calls'), DONE]));
				expect(toolCalls.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
					{ id: 'a', name: 'f', arguments: '{"x":"ü"}' },
					{ id: 'b', name: 'g', arguments: '{"y":[1,{}]}' },
				]);
			}),
		);
	});

	it('any interleaving cut by the token limit is a cut call, or the calls that are complete', () => {
		fc.assert(
			fc.property(
				anyInterleaving(first, second),
				fc.nat({ max: first.length + second.length }),
				(events, at) => {
					const { result } = assemble([role, ...events.slice(0, at), finish('length'), DONE]);
					if ('answer' in result)
						for (const { arguments: args } of result.answer.toolCalls)
							expect(['{"x":"ü"}', '{"y":[1,{}]}', '{}']).toContain(args);
					else expect(result.failed.kind).toBe(at === 0 ? 'emptyAnswer' : 'toolCallCut');
				},
			),
		);
	});

	it('any interleaving of the recorded calls gives the recorded calls', () => {
		const chunks = sseJson<{ choices: Choice[] }>(recorded('tools-parallel-stream').body);
		const of = (wanted: number) =>
			chunks.filter(({ choices }) => choices[0]?.delta.tool_calls?.[0]?.index === wanted);
		const expected = answerOf(stream('tools-parallel-stream')).toolCalls;
		fc.assert(
			fc.property(anyInterleaving(of(0), of(1)), (events) => {
				const { toolCalls } = answerOf(
					assembleBytes([wire([...events, finish('tool_calls'), DONE])]),
				);
				expect(new Set(toolCalls.map((call) => JSON.stringify(call)))).toEqual(
					new Set(expected.map((call) => JSON.stringify(call))),
				);
			}),
			examples(50),
		);
	});
});

describe('state during the stream', () => {
	it('an answer has begun with text, thinking, a call or its end, not with a role', () => {
		const started = (...events: object[]) => assemble(events).assembly.started;
		expect(started()).toBe(false);
		expect(started(role, delta({ content: '' }))).toBe(false);
		expect(started(delta({ content: '<' }))).toBe(true);
		expect(started(delta({ reasoning: 'x' }))).toBe(true);
		expect(started(piece(0, { name: 'f' }))).toBe(true);
		expect(started(finish('stop'))).toBe(true);
	});

	it('it has text from its first letter on: leading white space does not count', () => {
		const speaks = (...events: object[]) => assemble(events).assembly.speaks;
		expect(speaks(delta({ content: '\n\n' }))).toBe(false);
		expect(speaks(delta({ reasoning: ' ' }))).toBe(false);
		expect(
			speaks(delta({ content: '\n' }), delta({ content: ' a' }), delta({ content: ' ' })),
		).toBe(true);
		expect(speaks(delta({ reasoning: 'x' }))).toBe(true);
		expect(speaks(piece(0, { name: 'f' }))).toBe(true);
		expect(speaks(finish('stop'))).toBe(true);
	});

	it('has all content with a reason, and has ended with the end marker or an error', () => {
		expect(assemble([delta({ content: 'x' })]).assembly).toMatchObject({
			hasAllContent: false,
			hasEnded: false,
		});
		expect(assemble([finish('stop')]).assembly).toMatchObject({
			hasAllContent: true,
			hasEnded: false,
		});
		expect(assemble([finish('stop'), DONE]).assembly).toMatchObject({
			hasAllContent: true,
			hasEnded: true,
		});
		expect(assemble([{ error: 'x' }]).assembly).toMatchObject({
			hasAllContent: false,
			hasEnded: true,
		});
	});

	it('flushing twice emits nothing twice', () => {
		const { assembly } = assemble([delta({ content: 'Hm.\n</thi' })], {
			openingThinkTagMayBeMissing: true,
		});
		expect(assembly.partial).toEqual({ text: 'Hm.\n</thi', reasoning: '' });
		expect(joined(assembly.flush())).toEqual({ text: '', reasoning: '' });
	});
});

describe('a long text in one piece', () => {
	const long = 'It is <b>so</b> [or not].\n'.repeat(20_000);
	const options = {
		openingThinkTagMayBeMissing: true,
		toolsInText: [{ name: 'w', parameters: {} }],
		family: FAMILIES.find(({ id }) => id === 'mistral'),
	};
	const steps = (texts: readonly string[]) => {
		const assembly = new Assembly(options);
		return [...texts.flatMap((text) => [...assembly.push({ text })]), ...assembly.flush()];
	};

	it('is read in slices, between which others have their turn', () => {
		expect(steps([long]).length).toBeGreaterThan(5);
	});

	it('is the same answer as in many pieces', () => {
		const text = `${long}</think>\n\n${long}`;
		const pieces = text.match(/[^]{1,999}/g)!;
		expect(joined(steps([text]))).toEqual(joined(steps(pieces)));
		expect(joined(steps([text]))).toEqual({ text: long, reasoning: long });
	});
});
