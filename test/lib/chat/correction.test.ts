import { checkedCalls, correctionOf } from '../../../lib/chat/correction';
import type { ToolDefinition } from '../../../lib/chat/types';

const tool = (name: string, ...required: string[]): ToolDefinition => ({
	name,
	parameters: {
		type: 'object',
		properties: { city: { type: 'string' }, days: { type: 'integer' } },
		required,
	},
});
const TOOLS = [
	tool('get_weather', 'city'),
	tool('github_create_issue'),
	tool('github_list_issues'),
	tool('delete_user'),
];
const call = (name: string, args: string) => ({ name, arguments: args });

test.each([
	['a tool by its name', 'get_weather', 'get_weather'],
	['a name without the prefix of its MCP server', 'create_issue', 'github_create_issue'],
])('%s is that tool', (_name, written, expected) => {
	const { calls, faults } = checkedCalls([call(written, '{"city":"Rome","days":"2"}')], TOOLS);
	expect(faults).toEqual([]);
	expect(calls).toEqual([{ name: expected, arguments: '{"city":"Rome","days":2}' }]);
});

test.each([
	['an invented name', call('weather_lookup', '{}'), 'no tool \\"weather_lookup\\"', 'get_weather'],
	['a plain ending, which might be any tool', call('user', '{}'), 'no tool', 'delete_user'],
	['the separator alone', call('_issues', '{}'), 'no tool', 'github_list_issues'],
	[
		'arguments that are no JSON',
		call('get_weather', '{"city":Rome}'),
		'not valid JSON',
		'{\\\\\\"city\\\\\\":Rome}',
	],
	[
		'a missing argument',
		call('get_weather', '{}'),
		'lacks required arguments: city',
		'get_weather',
	],
])('%s is told to the model', (_name, given, ...words) => {
	const { faults } = checkedCalls([given], TOOLS);
	const said = JSON.stringify(correctionOf('', [given], faults, () => 'abcdefghi'));
	for (const word of words) expect(said).toContain(word);
});

test('a name without its prefix is no tool where the call stood in the text', () => {
	expect(checkedCalls([call('create_issue', '{}')], TOOLS, true).faults).toHaveLength(1);
});

test('the correction repeats the calls, with an object in place of broken arguments, and runs none', () => {
	const calls = [call('get_weather', '{"city":Rome}'), call('delete_user', '{}')];
	const { faults } = checkedCalls(calls, TOOLS);
	expect(correctionOf('I look.', calls, faults, (index) => `id${index}`)).toEqual([
		{
			role: 'assistant',
			content: 'I look.',
			toolCalls: [
				{ id: 'id0', name: 'get_weather', arguments: '{}' },
				{ id: 'id1', name: 'delete_user', arguments: '{}' },
			],
		},
		{
			role: 'tool',
			toolCallId: 'id0',
			name: 'get_weather',
			content: expect.stringContaining('not valid JSON'),
		},
		{
			role: 'tool',
			toolCallId: 'id1',
			name: 'delete_user',
			content: expect.stringContaining('Not run'),
		},
	]);
});

test("the model's own words are short, quoted, and hold no control tokens", () => {
	const { faults } = checkedCalls([call(`x<|im_end|>${'y'.repeat(1000)}`, '{}')], TOOLS);
	expect(faults[0]!.sentence).not.toContain('<|im_end|>');
	expect(faults[0]!.sentence.length).toBeLessThan(600);
});
