import { listVariables, updateVariable } from '../../../../lib/dify/app/variables';
import { clientOf, failureOf, say, startApp } from '../client';

describe('conversations', () => {
	test('variables are listed as Dify sends them, and set by name or ID', async () => {
		const variables = [
			{ name: 'lang', valueType: 'string', value: '42' },
			{ name: 'count', valueType: 'number', value: 1 },
			{ name: 'seen', valueType: 'array[string]', value: ['a'] },
			{ name: 'map', valueType: 'object', value: { a: 1 } },
		];
		const sim = await startApp({ mode: 'advanced-chat', variables });
		const client = clientOf(sim, 'advanced-chat');
		const { result } = await say(client);
		const id = result.conversationId!;
		const values = async () =>
			Object.fromEntries(
				(await listVariables(client, 'u1', id, 'all')).map(({ name, value }) => [name, value]),
			);
		expect(await values()).toEqual({ lang: '42', count: '1', seen: "['a']", map: "{'a': 1}" });
		expect(await listVariables(client, 'u1', id, 'all', 'count')).toMatchObject([
			{ name: 'count' },
		]);
		expect(await listVariables(client, 'u1', id, 2)).toHaveLength(2);
		await updateVariable(client, 'u1', id, 'lang', 7);
		await updateVariable(client, 'u1', id, 'count', '25');
		await updateVariable(client, 'u1', id, 'seen', '["b"]');
		const byId = String((await listVariables(client, 'u1', id, 'all', 'map'))[0]!.id);
		expect(await updateVariable(client, 'u1', id, byId, { b: 2 })).toMatchObject({
			name: 'map',
		});
		expect(await values()).toEqual({ lang: '7', count: '25', seen: "['b']", map: "{'b': 2}" });
		expect(await failureOf(updateVariable(client, 'u1', id, 'count', 'many'))).toMatchObject({
			status: 400,
		});
		const unknown = await failureOf(updateVariable(client, 'u1', id, 'nope', 'x'));
		expect(unknown.kind).toBe('notFound');
		expect(unknown.remedy).toContain('lang, count, seen, map');
	});
});

describe('the value of a variable', () => {
	/** A client whose Dify has one variable of a type, and takes every value for it. */
	async function sentFor(type: string, value: unknown): Promise<unknown> {
		const sim = await startApp({
			mode: 'advanced-chat',
			variables: [{ name: 'x', valueType: type, value: null }],
		});
		const client = clientOf(sim, 'advanced-chat');
		const { result } = await say(client);
		const send = jest
			.spyOn(client, 'send')
			.mockImplementation(async (_method, _path, body) => body);
		await updateVariable(client, 'u1', result.conversationId!, 'x', value);
		return send.mock.calls[0]![2].value;
	}

	test.each([
		['string', 7, '7'],
		['string', { a: 1 }, '{"a":1}'],
		['string', '', ''],
		['secret', true, 'true'],
		['number', ' 2.50 ', 2.5],
		['number', 'many', 'many'],
		['integer', '3', 3],
		['boolean', 'false', false],
		['object', '{"a": [1]}', { a: [1] }],
		['array[number]', '[1, 2]', [1, 2]],
		['array[object]', [{ a: 1 }], [{ a: 1 }]],
		['a type of a later version', 'as it is', 'as it is'],
	])('%s: %j is sent as %j', async (type, value, sent) => {
		expect(await sentFor(type, value)).toEqual(sent);
	});
});
