import type { ModelFacts } from '../../../../lib/health/observations';
import {
	modelToTest,
	type SpeedTestOptions,
	type SpeedTestResult,
	testSpeed,
} from '../../../../lib/health/speed/speed-test';
import { modelServerTarget } from '../../../../nodes/shared/health/target';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { finding, ids, SESAME } from '../support';
import { queuedRequests } from '../../../../lib/http/queue';
import { delay } from '../../../support/node';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

async function test(
	options: Partial<SpeedTestOptions> = {},
	credential: object = {},
): Promise<SpeedTestResult> {
	return await testSpeed(
		modelServerTarget({ baseUrl: server.url, apiKey: SESAME, ...credential }),
		{
			model: '',
			tokens: 16,
			atOnce: 1,
			firstTokenMs: 30_000,
			totalMs: 60_000,
			check: { timeLimitMs: 15_000 },
			...options,
		},
	);
}

function generations(): Array<Record<string, unknown> & { messages: Array<{ content: string }> }> {
	return server.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as ReturnType<typeof generations>[number]);
}

describe('a speed test', () => {
	it('runs several at once in a second round, and says that some waited', async () => {
		await sim({ slots: 2, tokenDelayMs: 3 });
		const result = await test({ atOnce: 3, tokens: 500 });
		expect(result.speed!.runs.map(({ atOnce, samples }) => [atOnce, samples.length])).toEqual([
			[1, 1],
			[3, 3],
		]);
		const [alone, together] = result.speed!.runs;
		expect(together!.firstTokenMs).toBeGreaterThan(alone!.firstTokenMs!);
		expect(together!.totalTokensPerSecond).toBeGreaterThan(0);
		expect(finding(result, 'queued').observed).toBe('3 requests were sent at once to 2 slots');
		expect(result.status).toBe('healthy');
	});

	it('measures no more at once than the credential lets through, and says so', async () => {
		await sim({ tokenDelayMs: 1 });
		const limited = await test({ atOnce: 4 }, { maxConcurrentRequests: 1 });
		expect(limited.speed!.runs.map(({ atOnce }) => atOnce)).toEqual([1]);
		expect(finding(limited, 'fewerAtOnce')).toMatchObject({
			severity: 'warning',
			meaning:
				'The credential lets 1 request through at once, so the speed of 4 at once was not measured',
		});
		const some = await test({ atOnce: 4 }, { maxConcurrentRequests: 3 });
		expect(some.speed!.runs.map(({ atOnce, samples }) => [atOnce, samples.length])).toEqual([
			[1, 1],
			[3, 3],
		]);
		expect(ids(await test({ atOnce: 4 }, { maxConcurrentRequests: 4 }))).not.toContain(
			'fewerAtOnce',
		);
	});

	it('with a limit that others use up: the wait in n8n is told, and is no time of the server', async () => {
		await sim({ tokenDelayMs: 5, slots: 4 });
		const credential = { baseUrl: server.url, apiKey: SESAME, maxConcurrentRequests: 1 };
		const connection = modelServerTarget(credential).connect({});
		const leave = await connection.enter({});
		const askedAt = performance.now();
		const tested = test({ tokens: 20 }, { maxConcurrentRequests: 1 });
		while (queuedRequests() === 0) await delay(5);
		await delay(400);
		leave();
		const result = await tested;
		const wholeMs = performance.now() - askedAt;
		const [sample] = result.speed!.runs[0]!.samples;
		expect(sample!.queuedMs).toBeGreaterThanOrEqual(390);
		expect(result.speed!.runs[0]!.queuedMs).toBe(sample!.queuedMs);
		expect(sample!.arrival).toBe('streamed');
		expect(finding(result, 'waitedInN8n').observed).toBe(
			`A request waited ${sample!.queuedMs} ms before it was sent`,
		);
		expect(sample!.queuedMs + sample!.totalMs).toBeLessThanOrEqual(wholeMs + 2);
		expect(sample!.firstTokenMs).toBeLessThan(sample!.totalMs);
		expect(queuedRequests()).toBe(0);
	});

	it('ends in the queue of n8n when it is cancelled there', async () => {
		await sim();
		const credential = { baseUrl: server.url, apiKey: SESAME, maxConcurrentRequests: 1 };
		const leave = await modelServerTarget(credential).connect({}).enter({});
		const abort = new AbortController();
		const tested = test({ signal: abort.signal }, { maxConcurrentRequests: 1 });
		while (queuedRequests() === 0) await delay(5);
		abort.abort();
		await expect(tested).rejects.toMatchObject({ kind: 'aborted' });
		leave();
		expect(queuedRequests()).toBe(0);
		expect(generations()).toHaveLength(0);
	});

	it('says that others used the server', async () => {
		await sim({ tokenDelayMs: 20, metrics: true });
		const abort = new AbortController();
		const other = fetch(`${server.url}/v1/chat/completions`, {
			method: 'POST',
			headers: { authorization: `Bearer ${SESAME}`, 'content-type': 'application/json' },
			body: JSON.stringify({
				messages: [{ role: 'user', content: 'hi' }],
				stream: true,
				max_tokens: 4000,
				ignore_eos: true,
			}),
			signal: abort.signal,
		}).then(async (answer) => await answer.text());
		const ended = other.catch(() => undefined);
		await server.until(() => server.slots().some(({ busy }) => busy));
		const result = await test();
		abort.abort();
		await ended;
		expect(finding(result, 'busyDuringTest').meaning).toContain(
			'Others used 1 of 4 slots when the test began',
		);
	});

	it('is not tried where the check says that it cannot work', async () => {
		await sim({ apiKey: 'another' });
		expect(await test()).toMatchObject({ status: 'unauthorized', speed: null });
		expect(generations()).toHaveLength(0);
	});

	it('stops after the first round when it failed', async () => {
		await sim();
		server.script(reply.llamaError(500, 'Compute error.'));
		const result = await test({ atOnce: 4 });
		expect(result).toMatchObject({ status: 'degraded', speed: { runs: [{ atOnce: 1 }] } });
		expect(result.speed!.runs).toHaveLength(1);
		expect(finding(result, 'serverError').observed).toContain('Compute error.');
	});

	it('needs a name where several models are there and none is loaded', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(test()).rejects.toMatchObject({
			kind: 'invalidInput',
			remedy: 'Choose the model to test in the node.',
		});
		expect(await test({ model: 'b' })).toMatchObject({ status: 'healthy', speed: { model: 'b' } });
		// Now b is loaded, and therefore meant.
		expect(await test()).toMatchObject({ speed: { model: 'b' } });
	});

	it('a loaded model for vectors is not the one that is meant', () => {
		const model = (id: string, state: string, embeddings: boolean | null) =>
			({ id, state, embeddings }) as ModelFacts;
		const vectors = model('vectors', 'loaded', true);
		expect(modelToTest([vectors, model('chat', 'unloaded', null)], 'ollama')).toBe('chat');
		expect(modelToTest([vectors], 'ollama')).toBe('vectors');
	});

	it('is cancelled at once', async () => {
		await sim({ tokenDelayMs: 50 });
		const abort = new AbortController();
		const tested = test({ signal: abort.signal, tokens: 100 });
		await server.until(() => server.slots().some(({ busy }) => busy));
		abort.abort();
		await expect(tested).rejects.toMatchObject({ kind: 'aborted' });
		await server.until(() => server.slots().every(({ busy }) => !busy));
	});

	it('the key is never shown', async () => {
		await sim();
		server.script(reply.llamaError(500, `echo ${SESAME}`));
		expect(JSON.stringify(await test())).not.toContain(SESAME);
	});
});
