import * as fc from 'fast-check';

import {
	calledTools,
	fitByWords,
	questionsOf,
	toolsToOffer,
} from '../../../lib/chat/tools-at-once';
import type { SourceMessage, ToolDefinition } from '../../../lib/chat/types';

const NOTHING_CALLED = { earlier: new Set<string>(), inTurn: new Set<string>() };

const tool = (name: string, description = ''): ToolDefinition => ({
	name,
	description,
	parameters: { type: 'object', properties: {} },
});
const namesIn = (tools: readonly ToolDefinition[]) => tools.map(({ name }) => name);
const human = (content: unknown): SourceMessage => ({ type: 'human', content });
const calls = (...names: string[]): SourceMessage => ({
	type: 'ai',
	content: '',
	toolCalls: names.map((name) => ({ id: `of ${name}`, name, args: {} })),
});

/** Some tools, how well each fits, and which were called. */
const situations = fc
	.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 1, maxLength: 30 })
	.chain((names) =>
		fc.record({
			tools: fc.constant(names.map((name) => tool(name))),
			fit: fc.array(fc.double({ min: 0, max: 2, noNaN: true }), {
				minLength: names.length,
				maxLength: names.length,
			}),
			most: fc.integer({ min: 1, max: 35 }),
			earlier: fc.subarray(names),
			inTurn: fc.subarray(names),
			forced: fc.option(fc.constantFrom(...names), { nil: undefined }),
		}),
	);

test('any choice divides the tools in their order, keeps called and forced ones, and is as large as it may be', () => {
	fc.assert(
		fc.property(situations, ({ tools, fit, most, earlier, inTurn, forced }) => {
			const called = { earlier: new Set(earlier), inTurn: new Set(inTurn) };
			const { offered, leftOut } = toolsToOffer(tools, fit, most, called, forced);
			const isOffered = new Set(offered);
			expect(offered).toEqual(tools.filter((one) => isOffered.has(one)));
			expect(leftOut).toEqual(tools.filter((one) => !isOffered.has(one)));
			const kept = new Set([...earlier, ...inTurn, ...(forced === undefined ? [] : [forced])]);
			for (const name of kept) expect(namesIn(offered)).toContain(name);
			expect(offered.length).toBeGreaterThanOrEqual(Math.min(most, tools.length));
			expect(offered.length).toBeLessThanOrEqual(most + kept.size);
		}),
	);
});

test('calls of offered tools change nothing during a turn, and one that was left out joins', () => {
	fc.assert(
		fc.property(situations, fc.nat(), ({ tools, fit, most, earlier, forced }, pick) => {
			const before = { earlier: new Set(earlier), inTurn: new Set<string>() };
			const first = toolsToOffer(tools, fit, most, before, forced);
			const after = { ...before, inTurn: new Set(namesIn(first.offered)) };
			expect(toolsToOffer(tools, fit, most, after, forced)).toEqual(first);
			const missing = first.leftOut[pick % Math.max(1, first.leftOut.length)];
			if (missing === undefined) return;
			const joined = toolsToOffer(
				tools,
				fit,
				most,
				{ ...before, inTurn: new Set([missing.name]) },
				forced,
			);
			expect(new Set(joined.offered)).toEqual(new Set([...first.offered, missing]));
		}),
	);
});

test('no tool that fits better is left out for one that fits worse', () => {
	fc.assert(
		fc.property(situations, ({ tools, fit, most }) => {
			const { offered, leftOut } = toolsToOffer(tools, fit, most, NOTHING_CALLED);
			const fitOf = (one: ToolDefinition) => fit[tools.indexOf(one)]!;
			const worst = Math.min(...offered.map(fitOf));
			for (const one of leftOut) expect(fitOf(one)).toBeLessThanOrEqual(worst);
		}),
	);
});

test('the tool that ends a run of the agent with an output parser always stays', () => {
	const tools = [tool('one'), tool('two'), tool('format_final_json_response')];
	const { offered } = toolsToOffer(tools, [1, 1, 0], 2, NOTHING_CALLED);
	expect(namesIn(offered)).toEqual(['one', 'format_final_json_response']);
});

const TOOLS = [
	tool('get_weather', 'Tells the weather of one city'),
	tool('createOrder', 'Orders articles for a customer'),
	tool('set_light', 'Changes the light of a room'),
	tool('send_message', 'Sends a text to a person'),
	tool('查询天气', '查询城市的天气'),
];

test.each([
	['What is the weather in Paris?', 'get_weather'],
	['two orders of tea, please', 'createOrder'],
	['Turn the LIGHTS off', 'set_light'],
	['message Anna that I am late', 'send_message'],
	['今天巴黎的天气怎么样？', '查询天气'],
])('by words, "%s" fits %s best', (question, best) => {
	const fit = fitByWords([question], TOOLS);
	expect(TOOLS[fit.indexOf(Math.max(...fit))]!.name).toBe(best);
});

test('the newest question counts most, and older ones still count', () => {
	const [weather, , light, message] = fitByWords(['set the light', 'and the weather?'], TOOLS);
	expect(light!).toBeGreaterThan(weather!);
	expect(weather!).toBeGreaterThan(message!);
});

test('any texts give a number for each tool, from 0 to 2', () => {
	fc.assert(
		fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.array(fc.string()), (asked, texts) => {
			const fit = fitByWords(
				asked,
				texts.map((text) => tool(text, text)),
			);
			expect(fit).toHaveLength(texts.length);
			for (const one of fit) {
				expect(one).toBeGreaterThanOrEqual(0);
				expect(one).toBeLessThanOrEqual(2);
			}
		}),
	);
});

test('questions are the texts of the user, the newest first, of long ones the ends', () => {
	const picture = { type: 'image_url', image_url: { url: 'data:,' } };
	const long = `Sum this up: ${'word '.repeat(5_000)}. Then send it.`;
	const [newest, older, ...others] = questionsOf([
		{ type: 'system', content: 'Be brief.' },
		human('Hello'),
		{ type: 'ai', content: 'Hi' },
		human([{ type: 'text', text: 'What is this?' }, picture]),
		human([picture]),
		{ type: 'generic', role: 'user', content: long },
	]);
	expect(newest).toMatch(/^Sum this up: [^]* Then send it\.$/);
	expect(newest!.length).toBeLessThan(5_000);
	expect(older).toBe('What is this?\n');
	expect(others).toEqual(['Hello']);
});

test('called tools are those of the calls before and after the last question', () => {
	const invalid: SourceMessage = { type: 'ai', content: '', invalidToolCalls: [{ name: 'c' }, {}] };
	const called = calledTools([human('1'), calls('a', 'b'), human('2'), calls('d'), invalid]);
	expect(called).toEqual({ earlier: new Set(['a', 'b']), inTurn: new Set(['d', 'c']) });
});
