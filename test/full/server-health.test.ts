import { checkServer } from '../../lib/health/check';
import { waitUntilReady } from '../../lib/health/wait-until-ready';
import type { CheckOptions } from '../../lib/health/check-options';
import type { CheckResult } from '../../lib/health/check-result';
import { closePools } from '../../lib/http/dispatcher';
import { toCheckTarget } from '../../lib/health/target';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parts, startLlamaServer, stopEverything } from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import { NO_EXECUTION } from '../support/n8n/node-host';

afterAll(async () => {
	await stopEverything();
	await closePools();
});

interface Reachable {
	url: string;
}

async function check(
	{ url }: Reachable,
	options: CheckOptions = {},
	credential: Record<string, unknown> = {},
): Promise<CheckResult> {
	// Longer than the node's own timeout, for busy machines.
	return await checkServer(
		toCheckTarget('modelServer', { baseUrl: url, ...credential }, NO_EXECUTION),
		{
			timeoutMs: 60_000,
			...options,
		},
	);
}

function ids({ findings }: CheckResult): string[] {
	return findings.map(({ id }) => id);
}

async function isTaken(port: number): Promise<boolean> {
	const socket = net.connect(port, '127.0.0.1');
	const isPortTaken = await new Promise<boolean>((resolve) => {
		socket.once('connect', () => resolve(true));
		socket.once('error', () => resolve(false));
	});
	socket.destroy();
	return isPortTaken;
}

/** Keeps a server's slots busy until it is stopped. */
function occupy(
	{ url }: Reachable,
	count: number,
	body: Record<string, unknown> = {},
): { stop(): Promise<void> } {
	const abort = new AbortController();
	const requests = Array.from({ length: count }, async () => {
		const response = await fetch(`${url}/v1/chat/completions`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({
				messages: [{ role: 'user', content: 'Tell me a long story.' }],
				stream: true,
				max_tokens: 1500,
				ignore_eos: true,
				...body,
			}),
			signal: abort.signal,
		});
		await response.text();
	});
	const ended = Promise.allSettled(requests);
	return {
		stop: async () => {
			abort.abort();
			await ended;
		},
	};
}

describe('the real llama-server', () => {
	it('healthy: every detail that it reports', async () => {
		const server = await startLlamaServer({
			contextSize: 16384,
			parallel: 2,
			apiKey: 'right-key',
			args: ['--metrics'],
		});
		const result = await check(server, {}, { apiKey: 'right-key' });
		expect(result).toMatchObject({
			status: 'healthy',
			server: { type: 'llamaServer', slots: 2, busySlots: 0, queue: 0, sleeping: false },
			models: [
				{
					id: 'test-model',
					loaded: true,
					state: 'loaded',
					vision: false,
					tools: true,
					embeddings: false,
					parameters: expect.any(Number) as number,
					size: expect.any(Number) as number,
				},
			],
		});
		// The build of the Python package has no Git, and names no version.
		expect(result.server.version ?? 'b1-').toMatch(/^b\d+-/);
		expect(result.models![0]!.context).toBe(result.server.contextPerSlot);
		// Nothing was generated.
		expect((await server.slots()).filter((slot) => 'id_task' in slot)).toEqual([]);
		await server.stop();
	});

	it('is detected while it loads, and waited for', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 8192,
			wait: false,
		});
		// The server accepts connections before it loads the model. An earlier check takes longer with a slow resolver.
		while (server.service.running && !(await isTaken(server.port))) await delay(5);
		const result = await waitUntilReady(async () => await check(server), {
			timeoutMs: 240_000,
			pausesMs: [10],
		});
		expect(result.status).toBe('healthy');
		expect(result.wait.history.map(({ status }) => status)).toContain('loading');
		await server.stop();
	});

	it('two slots busy, and a queue', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 8192,
			parallel: 2,
			args: ['--metrics'],
		});
		const busy = occupy(server, 3);
		const queued = await until(
			async () => await check(server),
			({ server: { queue } }) => queue === 1,
		);
		expect(queued).toMatchObject({
			status: 'healthy',
			server: { slots: 2, busySlots: 2, queue: 1 },
		});
		expect(ids(queued)).toContain('requestsQueued');
		await busy.stop();
		await until(
			async () => await check(server),
			({ server: { busySlots } }) => busySlots === 0,
		);
		await server.stop();
	});

	it('sleeps: is not woken, and not kept awake', async () => {
		const server = await startLlamaServer({ args: ['--sleep-idle-seconds', '1', '--metrics'] });
		// It falls asleep although it is checked ten times a second.
		const asleep = await until(
			async () => await check(server),
			({ server: { sleeping } }) => sleeping === true,
		);
		expect(asleep).toMatchObject({ status: 'healthy', models: [{ state: 'sleeping' }] });
		expect(ids(asleep)).toContain('serverSleeping');
		expect((await server.props()).is_sleeping).toBe(true);
		await server.stop();
	});
});
