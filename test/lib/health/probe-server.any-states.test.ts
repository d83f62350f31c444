/** A router with models in any states: a check asks only for what the loaded one can tell, and changes nothing. */
import fc from 'fast-check';
import { examples } from '../../support/jest/properties';
import { json, useServers } from '../../support/servers/scripted-server';
import { list } from '../servers/json-server';
import { check } from './support';

const start = useServers();

const STATES = ['loaded', 'sleeping', 'loading', 'unloaded', 'failed'] as const;
const models = fc.uniqueArray(
	fc.record({ id: fc.constantFrom('a', 'b', 'c'), state: fc.constantFrom(...STATES) }),
	{ minLength: 1, selector: ({ id }) => id },
);

test('any states', async () => {
	const cases = fc.record({ models, expected: fc.constantFrom('a', 'b', undefined) });
	await fc.assert(
		fc.asyncProperty(cases, async (given) => {
			const entries = given.models.map(({ id, state }) => ({
				id,
				owned_by: 'llamacpp',
				status: state === 'failed' ? { value: 'unloaded', failed: true } : { value: state },
			}));
			const server = await start({
				'GET /v1/models': json(list(...entries)),
				'GET /props': json({ role: 'router', total_slots: 2 }),
				'GET /health': json({ status: 'ok' }),
			});
			const { expected } = given;
			await check(server.url, { expectations: expected === undefined ? {} : { model: expected } });
			const loaded: string[] = given.models
				.filter(({ state }) => state === 'loaded')
				.map(({ id }) => id);
			const asked = server.requests.flatMap(({ path }) => {
				const model = new URL(path, server.url).searchParams.get('model');
				return model === null ? [] : [model];
			});
			expect(asked.filter((model) => !loaded.includes(model))).toEqual([]);
			for (const { path } of server.requests)
				if (path.includes('model=')) expect(path).toContain('autoload=false');
			// An empty body, which a llama-server rejects before it does anything.
			const changes = server.requests.filter(({ method, body }) => {
				return method !== 'GET' && JSON.stringify(body) !== '{}';
			});
			expect(changes.map(({ path }) => path)).toEqual([]);
		}),
		examples(60),
	);
});
