import * as fc from 'fast-check';

import { selectTools } from '../../../../lib/chat/prepare/tool-selection';
import type { ToolDefinition } from '../../../../lib/chat/tool-definition';
import type { InputMessage } from '../../../../lib/chat/input-message';
import { toInput, toTool } from '../../../support/texts/messages';

const tool = (name: string, description = ''): ToolDefinition =>
	toTool({ name, description, schema: { type: 'object', properties: {} } });
const human = (content: unknown): InputMessage => toInput({ type: 'human', content });
const calls = (...names: string[]): InputMessage =>
	toInput({
		type: 'ai',
		content: '',
		toolCalls: names.map((name) => ({ id: `of ${name}`, name, args: {} })),
	});
const namesOf = (...call: Parameters<typeof selectTools>) =>
	selectTools(...call).map(({ name }) => name);

/** Tools, a question, and which tools were called or are forced. */
const situations = fc
	.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 1, maxLength: 30 })
	.chain((names) =>
		fc.record({
			tools: fc.constant(names.map((name) => tool(name))),
			question: fc.oneof(fc.string(), fc.constantFrom(...names)),
			max: fc.integer({ min: 1, max: 35 }),
			called: fc.subarray(names),
			forced: fc.option(fc.constantFrom(...names), { nil: undefined }),
		}),
	);

test('any selection keeps the order and all called and forced tools, and has the maximum size', () => {
	fc.assert(
		fc.property(situations, ({ tools, question, max, called, forced }) => {
			const messages = [human(question), calls(...called)];
			const toolChoice = forced === undefined ? 'auto' : { name: forced };
			const selected = selectTools({ messages, tools, toolChoice }, max);
			expect(selected).toEqual(tools.filter((one) => selected.includes(one)));
			const requiredNames = new Set(forced === undefined ? called : [...called, forced]);
			for (const name of requiredNames) expect(selected.map((one) => one.name)).toContain(name);
			expect(selected.length).toBeGreaterThanOrEqual(Math.min(max, tools.length));
			expect(selected.length).toBeLessThanOrEqual(max + requiredNames.size);
		}),
	);
});

test('calls of offered tools do not change the selection, and a call of an omitted tool adds it', () => {
	fc.assert(
		fc.property(situations, fc.nat(), ({ tools, question, max, called }, pick) => {
			const before = [calls(...called), human(question)];
			const first = namesOf({ messages: before, tools }, max);
			expect(namesOf({ messages: [...before, calls(...first)], tools }, max)).toEqual(first);
			const leftOut = tools.map(({ name }) => name).filter((name) => !first.includes(name));
			const missing = leftOut[pick % Math.max(1, leftOut.length)];
			if (missing === undefined) return;
			const joined = namesOf({ messages: [...before, calls(missing)], tools }, max);
			expect(new Set(joined)).toEqual(new Set([...first, missing]));
		}),
	);
});

test('the tool of the output parser, which ends a run of the agent, is always selected', () => {
	const tools = [tool('one'), tool('two'), tool('format_final_json_response')];
	const messages = [human('one and two')];
	expect(namesOf({ messages, tools }, 1)).toEqual(['one', 'format_final_json_response']);
});

const TOOLS = [
	tool('get_weather', 'Returns the weather of a city'),
	tool('createOrder', 'Orders articles for a customer'),
	tool('set_light', 'Changes the light of a room'),
	tool('send_message', 'Sends a text to a person'),
	tool('查询天气', '查询城市的天气'),
];
const offeredFor = (max: number, ...messages: InputMessage[]) =>
	namesOf({ messages, tools: TOOLS }, max);

test.each([
	['What is the weather in Paris?', 'get_weather'],
	['two orders of tea, please', 'createOrder'],
	['Turn the LIGHTS off', 'set_light'],
	['message Anna that I am late', 'send_message'],
	['今天巴黎的天气怎么样？', '查询天气'],
	[`Sum this up: ${'word '.repeat(5_000)}. Then set the light.`, 'set_light'],
])('"%s" is offered %s', (question, best) => {
	expect(offeredFor(1, human(question))).toEqual([best]);
});

test('the newest question has the most weight, and older ones still count', () => {
	const questions = [human('and the weather?'), human('set the light')];
	expect(offeredFor(1, ...questions)).toEqual(['set_light']);
	expect(offeredFor(2, ...questions)).toEqual(['get_weather', 'set_light']);
});

test('text next to images counts, but messages of the model and the system do not', () => {
	const image = { type: 'image_url', image_url: { url: 'data:,order' } };
	const messages: InputMessage[] = [
		toInput({ type: 'system', content: 'You send messages.' }),
		human([{ type: 'text', text: 'The light?' }, image]),
		toInput({ type: 'ai', content: 'An order?' }),
	];
	expect(offeredFor(1, ...messages)).toEqual(['set_light']);
});

test('invalid calls keep their tools, too', () => {
	const invalid = toInput({
		type: 'ai',
		content: '',
		invalidToolCalls: [{ name: 'createOrder' }, {}],
	});
	const selected = offeredFor(1, human('light'), invalid);
	expect(selected).toEqual(['createOrder', 'set_light']);
});

test.each([
	{ title: 'at the beginning', before: 0, after: 5_000, isFound: true },
	{ title: 'at the end', before: 5_000, after: 0, isFound: true },
	{ title: 'just within its first 2,000 characters', before: 1_993, after: 5_000, isFound: true },
	{ title: 'just within its last 2,000 characters', before: 5_000, after: 1_993, isFound: true },
	{ title: 'in the middle', before: 3_000, after: 3_000, isFound: false },
])('a word $title of a long question counts: $isFound', ({ before, after, isFound }) => {
	const tools = [tool('other'), tool('third'), tool('weather')];
	const filler = (length: number) => '. '.repeat(Math.ceil(length / 2)).slice(0, length);
	const question = `${filler(before)}weather${filler(after)}`;
	const selected = namesOf({ messages: [human(question)], tools }, 1);
	expect(selected.includes('weather')).toBe(isFound);
});

test('a question of blocks counts with each of its texts', () => {
	const tools = [tool('other'), tool('third'), tool('weather')];
	const blocks = [{ type: 'image_url' }, 'How is', { type: 'text', text: 'the weather' }];
	expect(namesOf({ messages: [human(blocks)], tools }, 1)).toContain('weather');
});

test('only the last four questions count', () => {
	const tools = [tool('other'), tool('third'), tool('weather')];
	const ask = (count: number) =>
		['weather', ...Array.from({ length: count }, () => 'and?')].map((text) => human(text));
	expect(namesOf({ messages: ask(3), tools }, 1)).toContain('weather');
	expect(namesOf({ messages: ask(4), tools }, 1)).not.toContain('weather');
});
