/** Any models and numbers that a server reports: what a check takes of them, and whether the expected context is there. */
import fc from 'fast-check';
import { examples } from '../../support/jest/properties';
import { json, useServers } from '../../support/servers/scripted-server';
import { list } from '../servers/json-server';
import { check, ids } from './support';

const start = useServers();

const count = fc.option(fc.nat(3), { nil: undefined });
const models = fc.uniqueArray(
	fc.record({
		id: fc.constantFrom('a', 'b', 'c'),
		context: fc.option(fc.constantFrom(1_000, 8_000, 64_000), { nil: undefined }),
	}),
	{ minLength: 1, selector: ({ id }) => id },
);

/** How servers call the numbers of running and waiting requests. */
const METRICS = {
	llamacpp: ['llamacpp:requests_processing', 'llamacpp:requests_deferred'],
	vllm: ['vllm:num_requests_running', 'vllm:num_requests_waiting'],
} as const;

test('any models and metrics', async () => {
	const cases = fc.record({
		models,
		owner: fc.constantFrom<keyof typeof METRICS>('llamacpp', 'vllm'),
		running: count,
		waiting: count,
		expected: fc.constantFrom('a', 'b', undefined),
		minContext: fc.constantFrom(4_000, 32_000),
	});
	await fc.assert(
		fc.asyncProperty(cases, async (given) => {
			const { owner, running, waiting, expected, minContext } = given;
			const entries = given.models.map(({ id, context }) => ({
				id,
				owned_by: owner,
				...(context !== undefined && { max_model_len: context }),
			}));
			const [ofRunning, ofWaiting] = METRICS[owner];
			const lines = [
				...(running === undefined ? [] : [`${ofRunning} ${running}`]),
				...(waiting === undefined ? [] : [`${ofWaiting} ${waiting}`]),
			];
			const server = await start({
				'GET /v1/models': json(list(...entries)),
				'GET /metrics': (_request, response) => void response.end(`${lines.join('\n')}\n`),
				'GET /health': json({ status: 'ok' }),
			});
			const expectations = { minContext, ...(expected !== undefined && { model: expected }) };
			const result = await check(server.url, { expectations });
			expect([result.server.busySlots, result.server.queue]).toEqual([running, waiting]);
			expect(result.models?.map(({ id, context }) => ({ id, context }))).toEqual(given.models);
			const [only, second] = given.models;
			const checked =
				expected === undefined
					? second === undefined && only
					: given.models.find(({ id }) => id === expected);
			const contexts = given.models.flatMap(({ context }) => context ?? []);
			const context =
				(checked || undefined)?.context ??
				(contexts.length > 0 ? Math.max(...contexts) : undefined);
			expect(ids(result).filter((id) => id === 'contextBelowExpected')).toEqual(
				context !== undefined && context < minContext ? ['contextBelowExpected'] : [],
			);
		}),
		examples(60),
	);
});
