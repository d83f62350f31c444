import type { IDataObject } from 'n8n-workflow';

import { ServerHealthTrigger } from '../../../nodes/ServerHealthTrigger/ServerHealthTrigger.node';
import { startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { polling } from '../../support/n8n/poll-context';

const start = useSimulator(startLlamaServerSim);
let server: LlamaServerSim;

beforeEach(async () => {
	server = await start();
});

/** A node in n8n that watches a server. */
function watching(parameters: IDataObject = {}, mode: 'trigger' | 'manual' = 'trigger') {
	const state = { baseUrl: server.url };
	const n8n = polling(new ServerHealthTrigger(), {
		parameters: { options: { confirmations: 1 }, ...parameters },
		credentials: () => ({ baseUrl: state.baseUrl }),
		mode,
	});
	return {
		...n8n,
		/** What the workflow is started with; undefined: it is not. */
		poll: async () => (await n8n.poll())?.[0]?.map(({ json }) => json),
		serverIs: (isUp: boolean) => (state.baseUrl = isUp ? server.url : 'http://127.0.0.1:9'),
	};
}

describe('Server Health Trigger', () => {
	it('starts the workflow once for each change, and only then', async () => {
		const { poll, serverIs } = watching();
		for (let i = 0; i < 3; i += 1) expect(await poll()).toBeUndefined();
		serverIs(false);
		const down = await poll();
		expect(down).toMatchObject([
			{
				event: 'unhealthy',
				previous: { healthy: true },
				health: { healthy: false, status: 'unreachable', findings: [{}] },
			},
		]);
		expect(Object.keys(down![0]!)).toEqual([
			'event',
			'title',
			'text',
			'changedAt',
			'previous',
			'health',
		]);
		for (let i = 0; i < 3; i += 1) expect(await poll()).toBeUndefined();
		serverIs(true);
		expect(await poll()).toMatchObject([
			{ event: 'healthy', previous: { status: 'unreachable' }, health: { healthy: true } },
		]);
	});

	it.each([
		['breaks', true],
		['works again', false],
	])('a server that %s while n8n is down is reported at its next start', async (_name, wasUp) => {
		const { poll, serverIs, restart } = watching({
			options: { confirmations: 1 },
		});
		serverIs(wasUp);
		await poll();
		serverIs(!wasUp);
		restart();
		expect(await poll()).toMatchObject([{ event: wasUp ? 'unhealthy' : 'healthy' }]);
		restart();
		expect(await poll()).toBeUndefined();
	});

	it.each([
		{ since: 'now', what: 'text' },
		{ since: 1_767_268_800, what: 'a number' },
		{ since: undefined, what: 'missing' },
		{ since: '9999-01-01T00:00:00.000Z', what: 'in the future' },
		{ since: '2020-01-01 (<img src=x>)', what: 'a date with a comment' },
		{ since: '1', what: 'a digit' },
		{ since: '2026-99-01T00:00:00.000Z', what: 'no month' },
	])('a stored time that is unreadable is unknown: $what', async ({ since }) => {
		const { poll, serverIs, stored } = watching();
		await poll();
		Object.assign(stored().state as IDataObject, { since });
		serverIs(false);
		const [change] = (await poll())!;
		expect(change!.previous).toEqual({ healthy: true, status: 'healthy' });
		expect(change!.text).toContain('It was healthy.\n');
	});

	it.each([
		{ state: 'down' },
		{ state: { healthy: 'no', status: 'unreachable' } },
		{ state: { healthy: false, status: 'constructor' } },
		{ state: null, candidate: [] },
	])('a stored state that is none is that of a first check: %j', async (broken) => {
		const { poll, serverIs, stored } = watching();
		await poll();
		Object.assign(stored(), broken);
		expect(await poll()).toBeUndefined();
		serverIs(false);
		expect(await poll()).toMatchObject([{ event: 'unhealthy' }]);
	});

	it('a stored candidate that is none is forgotten', async () => {
		const { poll, serverIs, stored } = watching({ options: { confirmations: 2 } });
		await poll();
		stored().candidate = { state: { healthy: false }, seen: 'twice' };
		serverIs(false);
		expect(await poll()).toBeUndefined();
		expect(await poll()).toMatchObject([{ event: 'unhealthy' }]);
	});

	it('counts two checks in a row by default', async () => {
		const { poll, serverIs } = watching({ options: {} });
		await poll();
		serverIs(false);
		expect(await poll()).toBeUndefined();
		expect(await poll()).toHaveLength(1);
	});

	it('shows the current state in the editor, without storing it', async () => {
		const { poll, stored } = watching({}, 'manual');
		expect(await poll()).toMatchObject([{ event: 'firstState', health: { healthy: true } }]);
		expect(stored()).toEqual({});
	});

	it.each([
		{ fields: { events: [] }, message: 'The field "Trigger On" is empty' },
		{ fields: { events: ['sometimes'] }, message: 'The field "Trigger On" must be one of' },
		{
			fields: { options: { confirmations: 0 } },
			message: 'The field "Consecutive Checks" must be a number from 1 to 100, but is 0',
		},
	])('$message: also in the editor, where no change is watched', async ({ fields, message }) => {
		for (const mode of ['manual', 'trigger'] as const)
			await expect(watching(fields, mode).poll()).rejects.toThrow(message);
	});

	it('names the invalid field, and its title once', async () => {
		const failed = watching({ events: ['sometimes'] }).poll();
		const { message, description } = (await failed.catch((error: unknown) => error)) as {
			message: string;
			description: string;
		};
		expect(message).toContain('Trigger On');
		expect(description).not.toContain(message);
	});
});
