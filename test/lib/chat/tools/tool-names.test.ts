import { createToolNames, toValidName, withWireNames } from '../../../../lib/chat/tools/tool-names';
import type { ToolDefinition } from '../../../../lib/chat/tool-definition';
import type { ChatMessage } from '../../../../lib/chat/chat-message';

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
		const messages: ChatMessage[] = [
			{ role: 'user', content: 'a b' },
			{ role: 'assistant', content: 'a b' },
			{ role: 'assistant', content: '', toolCalls },
			{ role: 'tool', toolCallId: '1', name: 'a b', content: 'a b' },
		];
		expect(withWireNames(messages, named('a b'))).toEqual([
			messages[0],
			messages[1],
			{ ...messages[2], toolCalls: [{ ...toolCalls[0], name: 'a_b' }] },
			{ ...messages[3], name: 'a_b' },
		]);
	});
});
