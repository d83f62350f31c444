import type { IDataObject } from 'n8n-workflow';

import { closeChannels } from '../../../lib/http/dispatcher';
import { ServerHealthTrigger } from '../../../nodes/ServerHealthTrigger/ServerHealthTrigger.node';
import { startLlamaServerSim, type LlamaServerSim } from '../../servers/llama-server';
import { polling } from '../../support/poll-context';

let server: LlamaServerSim;

beforeEach(async () => {
	server = await startLlamaServerSim();
});
afterEach(async () => {
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

	it('gives a change again after n8n was restarted while its workflow ran', async () => {
		const before = watching();
		await before.poll();
		before.serverIs(false);
		await before.poll();
		const { deliveries } = await import('../../../nodes/shared/deliveries');
		const progressOf = jest.spyOn(deliveries, 'progressOf').mockReturnValue(undefined);
		await before.poll();
		expect(before.deliveries[1]!.items).toEqual(before.deliveries[0]!.items);
		progressOf.mockRestore();
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
		expect(deliveries[0]!.items).toMatchObject([{ event: 'firstState', before: null, status: 'unreachable' }]);
	});

	it('shows the current state in the editor, without storing it', async () => {
		const { poll, deliveries, stored } = watching({}, 'manual');
		expect(await poll()).toMatchObject([[{ json: { event: 'firstState', healthy: true } }]]);
		expect([deliveries, stored()]).toEqual([[], {}]);
	});

	it('says which field is wrong', async () => {
		await expect(watching({ events: ['sometimes'] }).poll()).rejects.toThrow(/Tell When the Server/);
	});
});
