import { createToolNames, toValidName, withWireNames } from '../../../../lib/chat/tools/tool-names';
import type { ToolDefinition } from '../../../../lib/chat/tool-definition';
import type { ChatMessage } from '../../../../lib/chat/chat-message';
import { toMessages } from '../../../support/texts/messages';

describe('names of tools', () => {
	const named = (...names: string[]) =>
		createToolNames(names.map((name) => ({ name }) as ToolDefinition));

	test.each([
		['get-weather_2', 'get-weather_2'],
		['get weather.now', 'get_weather_now'],
		['天气', '__'],
		['', '_'],
		['x'.repeat(65), 'x'.repeat(64)],
	])('%j is valid as %j', (name, valid) => {
		expect(toValidName(name)).toBe(valid);
	});

	test('stay if they are valid, and others never take them', () => {
		const names = named('a b', 'a.b', 'a_b', 'a_b_3');
		expect(['a b', 'a.b', 'a_b', 'a_b_3'].map(names.toWire)).toEqual([
			'a_b_2',
			'a_b_4',
			'a_b',
			'a_b_3',
		]);
		expect(['a_b_2', 'a_b_4', 'a_b', 'unknown'].map(names.toOriginal)).toEqual([
			'a b',
			'a.b',
			'a_b',
			'unknown',
		]);
		expect(names.toWire('not offered')).toBe('not_offered');
	});

	test('stay within the length that servers accept', () => {
		const long = 'x'.repeat(64);
		const names = named(long, `${long}y`, `${long}z`);
		expect([`${long}y`, `${long}z`].map(names.toWire)).toEqual([
			`${'x'.repeat(60)}_2`,
			`${'x'.repeat(60)}_3`,
		]);
	});

	test('are those of the server in calls and their results, and nowhere else', () => {
		const toolCalls = [{ id: '1', name: 'a b', arguments: '{}' }];
		const messages = toMessages([
			{ role: 'user', content: 'a b' },
			{ role: 'assistant', content: 'a b' },
			{ role: 'assistant', content: '', toolCalls },
			{ role: 'tool', toolCallId: '1', name: 'a b', content: 'a b' },
		]);
		expect(withWireNames(messages, named('a b'))).toEqual([
			messages[0],
			messages[1],
			{ ...messages[2], toolCalls: [{ ...toolCalls[0], name: 'a_b' }] },
			{ ...messages[3], name: 'a_b' },
		]);
	});
});

test('messages get the wire names of calls and results; others stay as they are', () => {
	const names = createToolNames([{ name: 'a b' } as ToolDefinition]);
	const messages = [
		{ role: 'user', content: 'a b', name: 'a b' },
		{ role: 'assistant', content: 'a b' },
		{ role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'a b', arguments: '{}' }] },
		{ role: 'tool', content: 'a b', toolCallId: '1', name: 'a b' },
		{ role: 'tool', content: 'a b', toolCallId: '1' },
		{ role: 'tool', content: 'x', toolCallId: '2', name: 'other tool' },
	] as unknown as ChatMessage[];
	const before = structuredClone(messages);
	const sent = withWireNames(messages, names);
	expect(messages).toEqual(before);
	expect(sent).toEqual([
		messages[0],
		messages[1],
		{ ...messages[2], toolCalls: [{ id: '1', name: 'a_b', arguments: '{}' }] },
		{ ...messages[3], name: 'a_b' },
		messages[4],
		{ ...messages[5], name: 'other_tool' },
	]);
	expect(Object.keys(sent[4]!)).not.toContain('name');
});
