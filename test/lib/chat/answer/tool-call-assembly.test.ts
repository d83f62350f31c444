import fc from 'fast-check';

import { Assembly } from '../../../../lib/chat/answer/assembly';
import { ThinkingPresenter } from '../../../../lib/chat/answer/thinking-presenter';
import { ToolCallAssembly } from '../../../../lib/chat/answer/tool-call-assembly';
import { resultOf } from '../../../../lib/generators';
import type { ToolCallPiece } from '../../../../lib/chat/types';
import { process } from '../../../support/node';
import { examples } from '../../../support/properties';
import { anyInterleaving } from '../../../support/streams';
import {
	answerOf,
	assemble,
	assembleWhole,
	delta,
	DONE,
	failureOf,
	finish,
	joined,
	piece,
	role,
} from '../assemble';

const end = [finish('tool_calls'), DONE];
const calls = (...events: object[]) => answerOf(assemble([role, ...events, ...end])).toolCalls;
const plain = (...events: object[]) =>
	calls(...events).map(({ name, arguments: args }) => `${name} ${args}`);
const f = (args: unknown, more: object = {}) => piece(0, { name: 'f', arguments: args }, more);
const A = { id: 'a' };

describe('calls as servers really send them', () => {
	it('"message": null stands beside every delta', () => {
		const withMessage = (event: { choices: object[] }) => ({
			...event,
			choices: event.choices.map((choice) => ({ ...choice, message: null })),
		});
		expect(
			plain(
				withMessage(f('{"x"', A)),
				withMessage(piece(0, { arguments: ':1' })),
				withMessage(piece(0, { arguments: '}' })),
			),
		).toEqual(['f {"x":1}']);
	});

	it('an empty delta stands beside the whole message', () => {
		const message = {
			role: 'assistant',
			content: 'Hi',
			tool_calls: [{ ...A, function: { name: 'f', arguments: '{}' } }],
		};
		for (const empty of [{}, null, { role: 'assistant', content: '', tool_calls: [] }]) {
			const { result } = assemble([
				{ choices: [{ index: 0, delta: empty, message, finish_reason: 'tool_calls' }] },
				DONE,
			]);
			expect(answerOf({ result })).toMatchObject({
				text: 'Hi',
				toolCalls: [{ id: 'a', name: 'f' }],
			});
		}
	});

	it.each(['', ' ', null, undefined])(
		'the name in every piece and a last piece of %j (MiniMax on NVIDIA NIM)',
		(last) => {
			for (const ids of [
				[A, A, A],
				[A, {}, {}],
				[{}, {}, {}],
				[A, { id: 'b' }, { id: 'c' }],
			]) {
				expect(plain(f('{"x"', ids[0]), f(':1}', ids[1]), f(last, ids[2]))).toEqual(['f {"x":1}']);
				const keyless = (args: unknown, id: object = {}) =>
					piece(undefined, { name: 'f', arguments: args }, id);
				if (ids[1] !== undefined && !('id' in ids[1]) && !('id' in ids[0]!))
					expect(plain(keyless('{"x"'), keyless(':1}'), keyless(last))).toEqual(['f {"x":1}']);
			}
		},
	);

	it.each([['{}'], [{}], ['null'], ['""'], ['']])(
		'%j first, then the pieces (Bedrock; openai-agents-js issue 712, litellm issue 4537)',
		(first) => {
			expect(
				plain(f(first, A), piece(0, { arguments: '{"x"' }), piece(0, { arguments: ':1}' })),
			).toEqual(['f {"x":1}']);
			// With the name in every piece, too.
			expect(plain(f(first, A), f('{"x"', A), f(':1}', A))).toEqual(['f {"x":1}']);
			expect(plain(f(first), f('{"x":1}'))).toEqual(['f {"x":1}']);
		},
	);

	it.each([['{}'], [{}], ['null'], [''], [' '], ['""']])('complete arguments, then %j', (last) => {
		expect(plain(f('{"x":1}', A), piece(0, { arguments: last }))).toEqual(['f {"x":1}']);
		expect(plain(f('{"x":1}', A), f(last, A))).toEqual(['f {"x":1}']);
		expect(plain(f('{"x":1}'), f(last))).toEqual(['f {"x":1}']);
		expect(plain(f({ x: 1 }, A), f(last, A))).toEqual(['f {"x":1}']);
	});

	it('the complete call once more at the end, written in another way', () => {
		expect(plain(f('{"x":1,"y":"ü"}', A), f('{ "y": "\\u00fc", "x": 1 }', A))).toHaveLength(1);
		expect(plain(f('{"x":1}'), f('{ "x": 1 }'))).toHaveLength(1);
		expect(plain(f('{"x":1}', A), piece(0, { arguments: '{ "x": 1 }' }, { id: 'b' }))).toHaveLength(
			1,
		);
	});

	it('an index as text, interleaved', () => {
		const at = (index: string, fn: object, more: object = {}) =>
			delta({ tool_calls: [{ index, ...more, function: fn }] });
		expect(
			plain(
				at('0', { name: 'f', arguments: '{"a"' }, A),
				at('1', { name: 'g', arguments: '{"b"' }, { id: 'b' }),
				at('0', { arguments: ':1}' }),
				at('1', { arguments: ':2}' }),
			),
		).toEqual(['f {"a":1}', 'g {"b":2}']);
	});

	it('indexes with gaps, below zero, and missing behind the first piece', () => {
		expect(
			plain(
				piece(7, { name: 'f', arguments: '{' }),
				piece(3, { name: 'g', arguments: '{}' }),
				piece(7, { arguments: '}' }),
			),
		).toEqual(['f {}', 'g {}']);
		expect(
			plain(piece(-1, { name: 'f', arguments: '{"x"' }, A), piece(-1, { arguments: ':1}' })),
		).toEqual(['f {"x":1}']);
		expect(plain(f('{"x"', A), piece(undefined, { arguments: ':1}' }))).toEqual(['f {"x":1}']);
		expect(
			plain(piece(undefined, { name: 'f', arguments: '{"x"' }, A), piece(0, { arguments: ':1}' })),
		).toEqual(['f {"x":1}']);
	});

	it('another id in every piece', () => {
		const id = (text: string) => ({ id: text });
		expect(
			plain(
				f('', id('1')),
				piece(0, { arguments: '{"x"' }, id('2')),
				piece(0, { arguments: ':1}' }, id('3')),
			),
		).toEqual(['f {"x":1}']);
		expect(plain(f('{"x"', id('1')), f(':1}', id('2')), f('{"x":1}', id('3')))).toEqual([
			'f {"x":1}',
		]);
	});

	it.each([[['Rome']], [7], [true], ['["Rome"]'], ['7'], ['"Rome"']])(
		'arguments that are no object are an error, never a call without arguments: %j',
		(args) => {
			expect(failureOf(assemble([f(args, A), ...end]))).toMatchObject({
				kind: 'toolCallInvalid',
				tool: 'f',
			});
			const message = {
				content: null,
				tool_calls: [{ ...A, function: { name: 'f', arguments: args } }],
			};
			expect(
				failureOf(assembleWhole({ choices: [{ message, finish_reason: 'tool_calls' }] })),
			).toMatchObject({
				kind: 'toolCallInvalid',
			});
		},
	);

	it('an empty list is no arguments, as PHP writes an empty object', () => {
		expect(plain(f([], A))).toEqual(['f {}']);
		expect(plain(f('[]', A))).toEqual(['f {}']);
	});

	it('arguments under another name, or beside the function', () => {
		const args = { x: 1 };
		for (const fn of [
			{ parameters: args },
			{ arguments: {}, parameters: args },
			{ arguments: '', input: args },
			{ args },
		])
			expect(plain(piece(0, { name: 'f', ...fn }, A))).toEqual(['f {"x":1}']);
		expect(plain(piece(0, { name: 'f' }, { ...A, arguments: args }))).toEqual(['f {"x":1}']);
		expect(plain(delta({ tool_calls: [{ ...A, name: 'f', arguments: '{"x":1}' }] }))).toEqual([
			'f {"x":1}',
		]);
		// A list is an error there, too, and the schema of the tool is no argument.
		expect(
			failureOf(assemble([piece(0, { name: 'f', parameters: [1] }, A), ...end])),
		).toMatchObject({
			kind: 'toolCallInvalid',
		});
		const schema = { type: 'object', properties: { x: { type: 'number' } } };
		expect(plain(piece(0, { name: 'f', arguments: '{"x":1}', parameters: schema }, A))).toEqual([
			'f {"x":1}',
		]);
		expect(plain(piece(0, { name: 'f', arguments: '', parameters: schema }, A))).toEqual(['f {}']);
	});

	it('arguments as JSON text within JSON text', () => {
		expect(plain(f('"{\\"x\\":1}"', A))).toEqual(['f {"x":1}']);
	});

	it('function_call and tool_calls in one stream are one call', () => {
		const fn = { name: 'f', arguments: '{"x":1}' };
		expect(
			plain(delta({ tool_calls: [{ index: 0, ...A, function: fn }], function_call: fn })),
		).toEqual(['f {"x":1}']);
		expect(plain(f('{"x":1}', A), delta({ function_call: fn }))).toEqual(['f {"x":1}']);
		expect(
			plain(
				delta({ function_call: { name: 'f', arguments: '{"x"' } }),
				delta({ function_call: { arguments: ':1}' } }),
			),
		).toEqual(['f {"x":1}']);
	});

	it('names and lists that are null, a list that is an object', () => {
		expect(
			plain(
				f('{"x"', A),
				piece(0, { name: null, arguments: ':1}' }, { id: null }),
				delta({ tool_calls: null }),
			),
		).toEqual(['f {"x":1}']);
		expect(
			plain(delta({ tool_calls: { 0: { ...A, function: { name: 'f', arguments: '{}' } } } })),
		).toEqual(['f {}']);
		expect(
			plain(delta({ tool_calls: { ...A, function: { name: 'f', arguments: '{}' } } })),
		).toEqual(['f {}']);
	});

	it('a number as an id', () => {
		expect(calls(f('{}', { id: 0 }))[0]?.id).toBe('0');
	});

	it('the whole message behind the deltas repeats them', () => {
		const repeated = (content: string | null, args: string) => ({
			choices: [
				{
					index: 0,
					finish_reason: 'tool_calls',
					message: {
						role: 'assistant',
						content,
						tool_calls: [{ ...A, function: { name: 'f', arguments: args } }],
					},
				},
			],
		});
		const answer = answerOf(
			assemble([
				delta({ content: 'Let me ' }),
				delta({ content: 'see.' }),
				f('{"x":1}', A),
				repeated('Let me see.', '{"x":1}'),
				DONE,
			]),
		);
		expect(answer).toMatchObject({
			text: 'Let me see.',
			toolCalls: [{ name: 'f', arguments: '{"x":1}' }],
		});
		// It counts where the deltas lack something.
		expect(plain(f('{"x"', A), repeated(null, '{"x":1}'))).toEqual(['f {"x":1}']);
		expect(
			answerOf(assemble([delta({ reasoning: 'Hm' }), repeated('Hi', '{"x":1}'), DONE])).toolCalls,
		).toHaveLength(1);
	});

	it('pieces of a call that are named in turn by another name contradict each other', () => {
		expect(
			failureOf(assemble([f('{"x"', A), piece(0, { name: 'g', arguments: ':1}' }, A), ...end])),
		).toMatchObject({
			kind: 'toolCallInvalid',
		});
	});

	it('two calls without indexes and names stay separate', () => {
		expect(plain(f('{"x":1}'), f('{"x":2}'))).toEqual(['f {"x":1}', 'f {"x":2}']);
		expect(plain(f('{"x":1}', A), f('{"x":1}', { id: 'b' }))).toEqual(['f {"x":1}', 'f {"x":1}']);
		expect(plain(f('{"x":1}', A), piece(0, { name: 'g' }, { id: 'b' }))).toEqual([
			'f {"x":1}',
			'g {}',
		]);
		expect(plain(f('{"x":1}'), piece(0, { name: 'g', arguments: '' }))).toEqual([
			'f {"x":1}',
			'g {}',
		]);
	});

	it('calls on one index, each name first and without arguments, stay separate', () => {
		const arguments_ = fc.array(fc.integer(), { minLength: 1, maxLength: 4 });
		const cuts = fc.nat({ max: 3 });
		fc.assert(
			fc.property(arguments_, cuts, (values, cut) => {
				const distinct = [...new Set(values)].map((x) => `{"x":${x}}`);
				const events = distinct.flatMap((json) => [
					f(''),
					piece(0, { arguments: json.slice(0, 1 + cut) }),
					piece(0, { arguments: json.slice(1 + cut) }),
				]);
				expect(plain(...events)).toEqual(distinct.map((json) => `f ${json}`));
			}),
			examples(100),
		);
	});

	it('a number that JavaScript cannot represent is kept as text, and named', () => {
		const digits = fc.bigInt({ min: 2n ** 53n, max: 10n ** 30n }).map(String);
		fc.assert(
			fc.property(digits, fc.boolean(), fc.boolean(), (number, isNegative, isObject) => {
				const order = isNegative ? `-${number}` : number;
				const args = `{"order":${order},"days":2}`;
				const event = JSON.stringify(f(isObject ? 'ARGS' : args));
				const { result } = assemble([isObject ? event.replace('"ARGS"', args) : event, ...end]);
				const { toolCalls, notes } = answerOf({ result });
				const { order: received, days } = JSON.parse(toolCalls[0]!.arguments) as Record<
					string,
					unknown
				>;
				expect(String(received)).toBe(order);
				expect(days).toBe(2);
				if (typeof received === 'string') expect(notes).toEqual([expect.stringContaining(order)]);
				else expect(BigInt(received as number)).toBe(BigInt(order));
			}),
			examples(100),
		);
	});

	it('arguments of another id without a name never take the place of a call', () => {
		expect(
			failureOf(
				assemble([f('{"x":1}', A), piece(0, { arguments: '{"x":2}' }, { id: 'b' }), ...end]),
			),
		).toMatchObject({
			kind: 'toolCallInvalid',
		});
	});
});

describe('whatever the habits of the server', () => {
	const args = fc
		.dictionary(fc.constantFrom('x', 'y', '}', '"'), fc.jsonValue({ maxDepth: 2 }), {
			minKeys: 1,
			maxKeys: 3,
		})
		.map((value) => JSON.stringify(value));
	const habits = fc.record({
		index: fc.constantFrom('number', 'text', 'none'),
		ids: fc.constantFrom('first', 'all'),
		nameInAll: fc.boolean(),
		nullMessage: fc.boolean(),
		before: fc.constantFrom(undefined, '', '{}', 'null', '""'),
		after: fc.constantFrom(undefined, '', ' ', '{}', 'again'),
		cuts: fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
	});

	it('every call comes out once and with its arguments, interleaved or not', () => {
		const both = fc
			.tuple(args, args, habits)
			.chain(([one, other, { index, ids, nameInAll, nullMessage, before, after, cuts }]) => {
				const eventsOf = (json: string, number: number) => {
					const places = [0, ...cuts.filter((at) => at < json.length), json.length].sort(
						(a, b) => a - b,
					);
					const pieces = places.slice(1).map((end, at) => json.slice(places[at], end));
					const texts = [before, ...pieces, after === 'again' ? json : after].filter(
						(text) => text !== undefined,
					);
					return texts.map((text, at) => {
						const hasId = at === 0 || ids === 'all' || index === 'none';
						const call = {
							...(index === 'none' ? {} : { index: index === 'text' ? String(number) : number }),
							...(hasId ? { id: `id${number}` } : {}),
							function: {
								...(at === 0 || nameInAll ? { name: `f${number}` } : {}),
								arguments: text,
							},
						};
						const choice = { index: 0, finish_reason: null, delta: { tool_calls: [call] } };
						return { choices: [nullMessage ? { ...choice, message: null } : choice] };
					});
				};
				return anyInterleaving(eventsOf(one, 0), eventsOf(other, 1)).map((events) => ({
					events,
					wanted: [`f0 ${one}`, `f1 ${other}`],
				}));
			});
		fc.assert(
			fc.property(both, ({ events, wanted }) => {
				expect(plain(...events).toSorted()).toEqual(wanted);
			}),
			examples(1000),
		);
	});

	it('a call whose arguments are cut is never passed on', () => {
		fc.assert(
			fc.property(args, fc.nat({ max: 60 }), fc.boolean(), (json, at, named) => {
				const cut = json.slice(0, 1 + (at % (json.length - 1)));
				const { result } = assemble([
					f(cut, A),
					named ? f('', A) : piece(0, { arguments: '' }),
					...end,
				]);
				expect(result).toMatchObject({ failed: { kind: 'toolCallInvalid' } });
			}),
		);
	});
});

describe('the reason of the end', () => {
	const CUT = expect.stringContaining('cut off by the token limit') as string;

	it('length counts, though stop follows', () => {
		for (const reasons of [
			['length', 'stop'],
			['length', 'tool_calls'],
			['stop', 'length'],
		])
			expect(
				answerOf(
					assemble([delta({ content: 'Hi' }), ...reasons.map((reason) => finish(reason)), DONE]),
				),
			).toMatchObject({
				finishReason: 'length',
				notes: [CUT],
			});
		expect(
			failureOf(
				assemble([delta({ content: 'Hi' }), finish('content_filter'), finish('stop'), DONE]),
			),
		).toMatchObject({
			kind: 'filtered',
		});
		expect(
			failureOf(assemble([f('{"x"', A), finish('length'), finish('stop'), DONE])),
		).toMatchObject({
			kind: 'toolCallCut',
		});
	});

	it.each(['max_tokens', 'MAX_TOKENS', 'model_length'])('%s is the token limit, too', (reason) => {
		expect(answerOf(assemble([delta({ content: 'Hi' }), finish(reason), DONE])).notes).toEqual([
			CUT,
		]);
	});

	it('tool_calls without any call is said', () => {
		expect(
			answerOf(assemble([delta({ content: 'Hi' }), finish('tool_calls'), DONE])),
		).toMatchObject({
			text: 'Hi',
			toolCalls: [],
			notes: [expect.stringContaining('sent no call')],
		});
		expect(failureOf(assemble([finish('tool_calls'), DONE]))).toMatchObject({
			kind: 'emptyAnswer',
		});
	});

	it('is ignored while calls are incomplete or when more content follows', () => {
		const finished = (...events: object[]) => assemble(events).assembly.hasAllContent;
		expect(finished(delta({ content: 'Hi' }), finish('stop'))).toBe(true);
		expect(finished(finish('stop'), delta({ content: 'Hi' }))).toBe(false);
		expect(finished(delta({ content: 'Hi' }), finish('tool_calls'))).toBe(false);
		expect(finished(f('{"x"', A), finish('tool_calls'))).toBe(false);
		expect(finished(f('', A), finish('tool_calls'))).toBe(false);
		expect(finished(f('{"x":1}', A), finish('tool_calls'))).toBe(true);
		expect(finished(f('{"x"', A), finish('length'))).toBe(true);
		expect(
			finished(delta({ content: 'Hi' }), finish('stop'), {
				choices: [],
				usage: { prompt_tokens: 1 },
			}),
		).toBe(true);
	});
});

describe('effort', () => {
	/** CPU time, which does not depend on other processes. */
	const cost = (pieces: ToolCallPiece[]) => {
		const before = process.cpuUsage();
		const assembly = new ToolCallAssembly();
		for (const each of pieces) assembly.add([each]);
		expect(resultOf(assembly.finish(false))).toMatchObject({ calls: [{ name: 'f' }] });
		const { user, system } = process.cpuUsage(before);
		return (user + system) / 1000;
	};
	const many = (count: number, args: string) =>
		Array.from({ length: count }, (): ToolCallPiece => ({ index: 0, name: 'f', arguments: args }));

	it('the name in every piece of 200 KB', () => {
		const pieces = [...many(1, '{"x":"'), ...many(50_000, 'abcd'), ...many(1, '"}')];
		// 24 s when the arguments were parsed with every piece.
		expect(cost(pieces)).toBeLessThan(2_000);
	});

	/** CPU time of so many pieces of white space, as from a model in a loop. */
	const costOfWhiteSpace = (count: number): number => {
		const before = process.cpuUsage();
		for (const field of ['text', 'reasoning'])
			for (const tags of [true, false]) {
				const assembly = new Assembly({
					toolsInText: [{ name: 'f', parameters: {} }],
					openingThinkTagMayBeMissing: tags,
				});
				const presenter = new ThinkingPresenter(true);
				for (let i = 0; i < count; i++) presenter.show(joined(assembly.push({ [field]: '\n' })));
			}
		const { user, system } = process.cpuUsage(before);
		return user + system;
	};

	it('eight times as many pieces of white space cost about eight times as much, not 64 times', () => {
		costOfWhiteSpace(1_000);
		expect(costOfWhiteSpace(80_000)).toBeLessThan(24 * costOfWhiteSpace(10_000));
	});

	it('20,000 pieces of {}, of the same arguments, and of white space', () => {
		for (const args of ['{}', '{"x":1}', ' '])
			expect(cost([...many(1, '{"x":1}'), ...many(20_000, args)])).toBeLessThan(2_000);
	});
});
