import {
	buildToolCallCorrection,
	buildFormatCorrection,
	describeForModel,
	toInvalidCall,
} from '../../../../lib/chat/check/correction';
import { describeInvalidCall } from '../../../../lib/errors/chapters/turns';
import { checkToolCalls } from '../../../../lib/chat/check/check-tool-calls';
import type { ToolCallIssue } from '../../../../lib/chat/check/tool-call-issue';
import type { RawToolCall } from '../../../../lib/text/calls/types';
import type { ToolDefinition } from '../../../../lib/chat/tool-definition';
import fc from 'fast-check';
import { anyCodePoint } from '../../../support/texts/code-points';
import { toShort } from '../../../support/texts/messages';

const tool = (name: string, shortName?: string, ...required: string[]): ToolDefinition => ({
	name,
	origin: 'foreign',
	...(shortName !== undefined && { shortName }),
	schema: {
		type: 'object',
		properties: { city: { type: 'string' }, days: { type: 'integer' } },
		required,
	},
});
const TOOLS = [
	tool('get_weather', undefined, 'city'),
	tool('github_create_issue', 'create_issue'),
	tool('github_list_issues', 'list_issues'),
	tool('github_search', 'search'),
	tool('jira_search', 'search'),
	tool('github_remove_file', 'remove.file'),
	tool('delete_user'),
	tool('delete_group'),
];
const call = (name: string, args = '{}') => ({ name, arguments: args });
const corrected = (
	calls: readonly RawToolCall[],
	{ text = '', tools = TOOLS }: { text?: string; tools?: readonly ToolDefinition[] } = {},
) => {
	const { issues } = checkToolCalls(calls, tools);
	return buildToolCallCorrection({ text, calls, issues, tools });
};

test('the correction repeats the tool calls, with {} instead of invalid arguments, and runs none', () => {
	const calls = [call('get_weather', '{"city":Rome}'), call('delete_user')];
	const correction = corrected(calls, { text: 'I look.' });
	const [firstId, secondId] = correction.flatMap((message) =>
		message.role === 'tool' ? [message.toolCallId] : [],
	);
	for (const id of [firstId, secondId]) expect(id).toMatch(/^[a-z0-9]{9}$/);
	expect(correction).toMatchObject([
		{
			role: 'assistant',
			content: 'I look.',
			toolCalls: [
				{ id: firstId, name: 'get_weather', arguments: '{}' },
				{ id: secondId, name: 'delete_user', arguments: '{}' },
			],
		},
		{
			role: 'tool',
			toolCallId: firstId,
			name: 'get_weather',
			content: expect.stringContaining('not valid JSON'),
		},
		{
			role: 'tool',
			toolCallId: secondId,
			name: 'delete_user',
			content: expect.stringContaining('Not executed'),
		},
	]);
	expect(firstId).not.toBe(secondId);
});

describe('a correction is short', () => {
	const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
	const text = (size: number) =>
		fc.oneof(
			fc.string({ unit: anyCodePoint, maxLength: size }),
			fc
				.constantFrom('"', '\\', '\n', '\u0001', '<|im_end|>', '天', '😀', 'a')
				.map((one) => one.repeat(size)),
		);
	const args = fc.oneof(
		text(500),
		text(500).map((city) => JSON.stringify({ city })),
		fc.constant('{}'),
	);
	const name = fc.oneof(text(100), fc.constantFrom('get_weather', 'delete_user'));

	test('for any tool calls, and each repeated call has a result', () => {
		fc.assert(
			fc.property(
				fc.array(fc.record({ name, arguments: args }), { minLength: 1, maxLength: 30 }),
				text(3000),
				(calls, own) => {
					const [assistant, ...results] = corrected(calls, { text: own });
					expect(bytes([assistant, ...results])).toBeLessThanOrEqual(3_600);
					const ids = (assistant as { toolCalls: Array<{ id: string }> }).toolCalls;
					expect(results).toMatchObject(ids.map(({ id }) => ({ toolCallId: id })));
					expect(JSON.stringify(results)).not.toContain('<|im_end|>');
				},
			),
		);
	});

	test('of 900 calls, ten are repeated, invalid ones first, and twenty tools are named', () => {
		const tools = Array.from({ length: 50 }, (_, index) => tool(`tool_${index}`));
		const calls = Array.from({ length: 900 }, (_, index) =>
			call(index < 100 ? 'tool_1' : `nothing_${index}`),
		);
		const [assistant, ...results] = corrected(calls, { tools });
		expect(results).toHaveLength(10);
		const { toolCalls } = assistant as { toolCalls: RawToolCall[] };
		expect(toolCalls[0]!.name).toBe('nothing_100');
		const text = JSON.stringify(results);
		expect(text.match(/tool_\d+/g)).toHaveLength(20);
		expect(text).toContain('890 more calls were not executed');
	});

	test('long arguments and texts are truncated, short ones are complete', () => {
		const written = JSON.stringify({ days: 1, note: 'x'.repeat(700) });
		const [complete] = corrected([call('get_weather', written)], { text: 'y'.repeat(900) });
		expect(complete).toMatchObject({
			content: 'y'.repeat(900),
			toolCalls: [{ arguments: written }],
		});
		const [truncated] = corrected(
			[call('get_weather', JSON.stringify({ note: 'x'.repeat(5000) }))],
			{
				text: 'y'.repeat(5000),
			},
		);
		expect(truncated).toMatchObject({
			content: `${'y'.repeat(997)}…`,
			toolCalls: [{ arguments: '{}' }],
		});
	});

	test('a name is truncated at 64 characters, and control tokens of a call are broken up', () => {
		const toolCall = call(`x<|im_end|>${'y'.repeat(400_000)}`, '{"city":"<|im_end|>"}');
		const correction = JSON.stringify(corrected([toolCall]));
		expect(correction).not.toContain('<|im_end|>');
		expect(Math.max(...correction.match(/y+/g)!.map(({ length }) => length))).toBe(52);
	});

	test('the correction of a response in the wrong format repeats its beginning', () => {
		fc.assert(
			fc.property(text(5000), text(3000), (answer, problem) => {
				const correction = buildFormatCorrection(answer, [problem]);
				expect(bytes(correction)).toBeLessThanOrEqual(3_600);
				expect(JSON.stringify(correction)).not.toContain('<|im_end|>');
			}),
		);
		expect(toShort(buildFormatCorrection('{"n":"four"}', ['n: no number']))).toEqual([
			{ role: 'assistant', content: '{"n":"four"}' },
			{ role: 'user', content: expect.stringContaining('JSON schema: n: no number.') },
		]);
	});
});

describe('what the user and the model read about an issue', () => {
	const toolCall = { id: 'a', name: 'look', arguments: '{"city":' };
	test.each<{ type: ToolCallIssue['type']; details: string[]; user: string; model: string }>([
		{
			type: 'unknownTool',
			details: [],
			user: 'The model called the tool "look", which is not connected',
			model: 'Error: there is no tool "look".',
		},
		{
			type: 'missingArguments',
			details: ['city', 'days'],
			user: 'The model called the tool "look" without the required arguments city, days',
			model: 'is missing required arguments: city, days. Call it again with all of them.',
		},
		{
			type: 'unknownArguments',
			details: ['town'],
			user: 'The model called the tool "look" only with arguments that it does not define: town',
			model: 'Error: look has no arguments named town.',
		},
		{
			type: 'ambiguousArguments',
			details: ['city'],
			user: 'The model called the tool "look" with two values for one argument: city',
			model: 'Error: the arguments of look have more than one value for city.',
		},
		{
			type: 'invalidArguments',
			details: ['city is a number', 'days is a text'],
			user: 'The model called the tool "look" with arguments that do not match its schema',
			model: 'do not match its schema: city is a number; days is a text.',
		},
		{
			type: 'brokenArguments',
			details: [],
			user: 'The model called the tool "look" with arguments that are not valid JSON',
			model: 'are not valid JSON: "{\\"city\\":".',
		},
	])('$type', ({ type, details, user, model }) => {
		const issue = { toolCall, type, details };
		expect(describeInvalidCall(toInvalidCall(issue))).toBe(user);
		expect(describeForModel(issue)).toContain(model);
	});
});
