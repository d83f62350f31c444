import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';

import type { HealthChange } from '../../../lib/health/watch';
import { closeChannels } from '../../../lib/http/dispatcher';
import { ServerHealthTrigger } from '../../../nodes/ServerHealthTrigger/ServerHealthTrigger.node';
import { startLlamaServerSim, type LlamaServerSim } from '../../servers/llama-server';
import { polling } from '../../support/poll-context';

let server: LlamaServerSim;

const HOUR_MS = 3_600_000;

beforeEach(async () => {
	jest.useFakeTimers({
		doNotFake: [
			'setTimeout',
			'clearTimeout',
			'setImmediate',
			'clearImmediate',
			'nextTick',
			'queueMicrotask',
			'setInterval',
			'clearInterval',
			'performance',
		],
	});
	server = await startLlamaServerSim();
});
afterEach(async () => {
	jest.useRealTimers();
	await server.close();
	await closeChannels();
});

/** A node in n8n that watches a server. */
function watching(parameters: IDataObject = {}, mode: 'trigger' | 'manual' = 'trigger') {
	const state = { baseUrl: server.url };
	return {
		...polling(new ServerHealthTrigger(), {
			parameters: { options: { confirmations: 1 }, ...parameters },
			credentials: () => ({ baseUrl: state.baseUrl }),
			mode,
		}),
		serverIs: (isUp: boolean) => (state.baseUrl = isUp ? server.url : 'http://127.0.0.1:9'),
	};
}

describe('Server Health Trigger', () => {
	it('starts the workflow with what changed, and only then', async () => {
		const { poll, deliveries, serverIs } = watching();
		for (let i = 0; i < 3; i += 1) expect(await poll()).toBeNull();
		expect(deliveries).toEqual([]);
		serverIs(false);
		expect(await poll()).toBeNull();
		expect(deliveries.map(({ items }) => items)).toMatchObject([
			[
				{
					event: 'unhealthy',
					healthy: false,
					status: 'unreachable',
					before: { healthy: true },
					health: { findings: [{}] },
				},
			],
		]);
		expect(Object.keys(deliveries[0]!.items[0]!)).toEqual([
			'healthy',
			'status',
			'id',
			'event',
			'title',
			'text',
			'changedAt',
			'before',
			'health',
		]);
		await deliveries[0]!.end('success');
		await poll();
		expect(deliveries).toHaveLength(1);
		serverIs(true);
		await poll();
		expect(deliveries[1]!.items).toMatchObject([
			{ event: 'healthy', healthy: true, before: { status: 'unreachable' } },
		]);
	});

	it.each(['error', 'crashed', undefined] as const)(
		'gives a change again until the workflow has succeeded: it ended as %s',
		async (status) => {
			const { poll, deliveries, serverIs, stored } = watching();
			await poll();
			serverIs(false);
			await poll();
			await deliveries[0]!.end(status);
			await poll();
			expect(deliveries[1]!.items).toEqual(deliveries[0]!.items);
			await deliveries[1]!.end('success');
			await poll();
			expect(deliveries).toHaveLength(2);
			expect(stored().untold).toEqual([]);
		},
	);

	it('waits for a workflow that still runs, and then gives all further changes at once, in order', async () => {
		const { poll, deliveries, serverIs } = watching();
		await poll();
		serverIs(false);
		await poll();
		serverIs(true);
		await poll();
		serverIs(false);
		await poll();
		expect(deliveries).toHaveLength(1);
		await deliveries[0]!.end('success');
		await poll();
		expect(deliveries[1]!.items.map(({ event }) => event)).toEqual(['healthy', 'unhealthy']);
	});

	it('gives a change again after a day in which n8n did not say how its workflow ended', async () => {
		const { poll, deliveries, serverIs } = watching();
		await poll();
		serverIs(false);
		await poll();
		for (let time = 0; time < 23; time += 1) {
			jest.setSystemTime(Date.now() + HOUR_MS);
			await poll();
		}
		expect(deliveries).toHaveLength(1);
		jest.setSystemTime(Date.now() + HOUR_MS);
		await poll();
		expect(deliveries[1]!.items).toEqual(deliveries[0]!.items);
		await deliveries[1]!.end('success');
		await poll();
		expect(deliveries).toHaveLength(2);
	});

	it('gives a change again after n8n was restarted while its workflow ran', async () => {
		const { poll, deliveries, serverIs, restart } = watching();
		await poll();
		serverIs(false);
		await poll();
		restart();
		await poll();
		expect(deliveries[1]!.items).toEqual(deliveries[0]!.items);
	});

	it('repeats nothing after a restart, hours after the workflow succeeded', async () => {
		const { poll, deliveries, serverIs, restart } = watching();
		await poll();
		serverIs(false);
		await poll();
		await deliveries[0]!.end('success');
		for (let time = 0; time < 3; time += 1) {
			await poll();
			jest.setSystemTime(Date.now() + 2 * HOUR_MS);
			restart();
		}
		await poll();
		expect(deliveries).toHaveLength(1);
	});

	it('whatever happens, every change succeeds in the end, and comes again only for a failure or a restart', async () => {
		const step = fc.record({
			isUp: fc.boolean(),
			end: fc.constantFrom('success', 'error', 'cutOff'),
			/** Hours until a restart. */
			restart: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
		});
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
				const { poll, deliveries, serverIs, restart, stored } = watching();
				const untold = () => stored().untold as unknown as HealthChange[];
				let open = 0;
				const succeeded: string[] = [];
				const endAll = async (status: 'success' | 'error') => {
					for (; open < deliveries.length; open += 1) {
						await deliveries[open]!.end(status);
						if (status === 'success')
							succeeded.push(...deliveries[open]!.items.map(({ id }) => String(id)));
					}
				};
				let repeated = 0;
				await poll();
				for (const { isUp, end, restart: hours } of steps) {
					serverIs(isUp);
					await poll();
					if (end !== 'cutOff') await endAll(end);
					// n8n polls once more, and so starts a workflow that failed again.
					if (end === 'error') await poll();
					if (hours === undefined) continue;
					open = deliveries.length;
					// A first delivery that was cut off counts as done if n8n stands still for longer than an hour.
					const isCutOff = untold().some(
						({ id, given }) => given?.again === false && !succeeded.includes(id),
					);
					jest.setSystemTime(Date.now() + (isCutOff ? 0 : hours) * HOUR_MS);
					restart();
					repeated += 1;
				}
				for (let time = 0; time < 4; time += 1) {
					await poll();
					await endAll('success');
				}
				const given = new Set(deliveries.flatMap(({ items }) => items.map(({ id }) => String(id))));
				expect(new Set(succeeded)).toEqual(given);
				expect(succeeded.length - given.size).toBeLessThanOrEqual(given.size * repeated);
			}),
			{ numRuns: 20 },
		);
	});

	it('counts two checks in a row by default', async () => {
		const { poll, deliveries, serverIs } = watching({ options: {} });
		await poll();
		serverIs(false);
		await poll();
		expect(deliveries).toHaveLength(0);
		await poll();
		expect(deliveries).toHaveLength(1);
	});

	it('tells a server that is unhealthy from the first check on', async () => {
		const { poll, deliveries, serverIs } = watching();
		serverIs(false);
		await poll();
		expect(deliveries[0]!.items).toMatchObject([
			{ event: 'firstState', before: null, status: 'unreachable' },
		]);
	});

	it('shows the current state in the editor, without storing it', async () => {
		const { poll, deliveries, stored } = watching({}, 'manual');
		expect(await poll()).toMatchObject([[{ json: { event: 'firstState', healthy: true } }]]);
		expect([deliveries, stored()]).toEqual([[], {}]);
	});

	it('says which field is wrong', async () => {
		await expect(watching({ events: ['sometimes'] }).poll()).rejects.toThrow(/Trigger On/);
	});
});
