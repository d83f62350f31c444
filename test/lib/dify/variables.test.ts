import { listVariables, updateVariable } from '../../../lib/dify/variables';
import { SIM_VERSIONS } from '../../servers/dify';
import { clientOf, failureOf, say, startApp } from './client';

describe.each(SIM_VERSIONS)('conversations, %s', (version) => {
	test('variables have their types, in both directions', async () => {
		const variables = [
			{ name: 'lang', valueType: 'string', value: '42' },
			{ name: 'count', valueType: 'number', value: 1 },
			{ name: 'seen', valueType: 'array[string]', value: ['a'] },
			{ name: 'map', valueType: 'object', value: { a: 1 } },
		];
		const sim = await startApp(version, { mode: 'advanced-chat', variables });
		const client = clientOf(sim, 'advanced-chat');
		const { result } = await say(client);
		const id = result.conversationId!;
		const values = async () =>
			Object.fromEntries((await listVariables(client, 'u1', id, 'all')).map(({ name, value }) => [name, value]));
		expect(await values()).toEqual({ lang: '42', count: 1, seen: ['a'], map: { a: 1 } });
		expect(await listVariables(client, 'u1', id, 'all', 'count')).toMatchObject([{ name: 'count' }]);
		expect(await listVariables(client, 'u1', id, 2)).toHaveLength(2);
		await updateVariable(client, 'u1', id, 'lang', 7);
		await updateVariable(client, 'u1', id, 'count', '25');
		await updateVariable(client, 'u1', id, 'seen', '["b"]');
		const byId = String((await listVariables(client, 'u1', id, 'all', 'map'))[0]!.id);
		expect(await updateVariable(client, 'u1', id, byId, { b: 2 })).toMatchObject({ value: { b: 2 } });
		expect(await values()).toEqual({ lang: '7', count: 25, seen: ['b'], map: { b: 2 } });
		expect(await failureOf(updateVariable(client, 'u1', id, 'count', 'many'))).toMatchObject({
			kind: 'invalidParam',
		});
		const unknown = await failureOf(updateVariable(client, 'u1', id, 'nope', 'x'));
		expect(unknown.kind).toBe('notFound');
		expect(unknown.remedy).toContain('lang, count, seen, map');
	});
});
