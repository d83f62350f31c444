import { checkServer } from '../../lib/health/check';
import type { CheckOptions } from '../../lib/health/probes';
import type { CheckResult } from '../../lib/health/check-result';
import { addSpeedTest } from '../../lib/health/speed';
import { closePools } from '../../lib/http/dispatcher';
import { changeModel } from '../../lib/servers/model-actions';
import { createModelServer } from '../../lib/servers/credential';
import { toCheckTarget } from '../../nodes/shared/health/target';
import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { loadScript } from '../support/scripts';
import { parts, workFolder } from '../e2e/support/playground';
import { until } from '../e2e/support/until';

const spawned = new Set<childProcess.ChildProcess>();

afterAll(async () => {
	for (const child of spawned) child.kill('SIGKILL');
	await closePools();
});

interface Reachable {
	url: string;
}

async function check(
	{ url }: Reachable,
	options: CheckOptions = {},
	apiKey = '',
): Promise<CheckResult> {
	// Longer than the node's own timeout, for busy machines.
	return await checkServer(toCheckTarget('modelServer', { baseUrl: url, apiKey }), {
		timeoutMs: 10_000,
		...options,
	});
}

const ids = ({ findings }: CheckResult): string[] => findings.map(({ id }) => id);

/** A llama-server as a router over a folder of models. */
async function startRouter(
	models: string[],
	args: string[] = [],
): Promise<Reachable & { stop(): void }> {
	const folder = workFolder('router');
	for (const name of models) {
		const file = name === 'smollm2' ? parts().smolLm2 : parts().noise;
		fs.copyFileSync(file, path.join(folder, `${name}.gguf`));
	}
	const { freePort } = await loadScript<{ freePort(): Promise<number> }>('ports');
	const port = await freePort();
	const env = Object.fromEntries(
		Object.entries(process.env).filter(([name]) => !name.startsWith('LLAMA_')),
	);
	const child = childProcess.spawn(
		parts().llamaServer,
		[
			'--host',
			'127.0.0.1',
			'--port',
			String(port),
			'--models-dir',
			folder,
			'--ctx-size',
			'2048',
			'--parallel',
			'2',
			'--threads',
			'1',
			...args,
		],
		{
			env: { ...env, LLAMA_CACHE: folder },
			stdio: 'ignore',
		},
	);
	spawned.add(child);
	const url = `http://127.0.0.1:${port}`;
	await until(
		async () => await check({ url }, { timeoutMs: 500 }),
		({ status }) => status !== 'unreachable',
	);
	return { url, stop: () => child.kill('SIGTERM') };
}

describe("the real llama-server's router", () => {
	it('two generated models: reported without loading them, loaded, unloaded', async () => {
		const router = await startRouter(['alpha', 'beta'], ['--metrics']);
		const target = toCheckTarget('modelServer', { baseUrl: router.url });
		const before = await check(router, { expectations: { model: 'alpha' } });
		expect(before).toMatchObject({
			status: 'healthy',
			server: { type: 'llamaServer' },
			models: [
				{ id: 'alpha', loaded: false },
				{ id: 'beta', loaded: false },
			],
		});
		expect(ids(before)).toEqual(['modelNotLoaded']);

		const server = createModelServer({ baseUrl: router.url });
		expect(
			await changeModel(server, 'load', { model: 'alpha', wait: true, timeoutMs: 240_000 }),
		).toMatchObject({
			before: 'unloaded',
			state: 'loaded',
			changed: true,
		});
		const after = await check(router, { expectations: { model: 'alpha' } });
		expect(after).toMatchObject({
			status: 'healthy',
			models: [
				{ id: 'alpha', loaded: true, tools: true, vision: false },
				{ id: 'beta', loaded: false },
			],
			server: { slots: 2, busySlots: 0, queue: 0 },
		});
		expect(after.server.contextPerSlot).toBeGreaterThan(0);
		expect(
			await addSpeedTest(target, after, {
				model: '',
				tokens: 8,
				concurrency: 1,
				firstTokenMs: 240_000,
				totalMs: 240_000,
			}),
		).toMatchObject({ status: 'healthy', speed: { model: 'alpha' } });

		expect(
			await changeModel(server, 'unload', { model: 'alpha', wait: true, timeoutMs: 240_000 }),
		).toMatchObject({
			before: 'loaded',
			state: 'unloaded',
		});
		expect(ids(await check(router, { expectations: { model: 'gamma' } }))).toEqual([
			'expectedModelMissing',
		]);
		router.stop();
	});

	it('a model that cannot be loaded', async () => {
		const router = await startRouter(
			['alpha'],
			['--cache-type-k', 'q4_0', '--flash-attn', 'off', '--cache-type-v', 'q4_0'],
		);
		const server = createModelServer({ baseUrl: router.url });
		await expect(
			changeModel(server, 'load', { model: 'alpha', wait: true, timeoutMs: 240_000 }),
		).rejects.toMatchObject({ type: 'modelLoadFailed' });
		// A forced unload looks the same to the router, so it is a remark where the model is expected.
		expect(await check(router)).toMatchObject({
			status: 'healthy',
			models: [{ id: 'alpha', state: 'failed' }],
			findings: [],
		});
		const expected = await check(router, { expectations: { model: 'alpha' } });
		expect(expected).toMatchObject({
			status: 'healthy',
			findings: [
				{ id: 'modelNotLoaded', detail: expect.stringContaining('exited with code') as string },
			],
		});
		router.stop();
	});
});
