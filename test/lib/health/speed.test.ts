import { sleep } from 'n8n-workflow';

import { checkServer } from '../../../lib/health/check';
import { formatSeconds, addSpeedTest } from '../../../lib/health/speed';
import type { SpeedOptions, SpeedCheckResult } from '../../../lib/health/speed';
import { acquirePermit } from '../../../lib/http/queue';
import { createModelServer } from '../../../lib/servers/endpoint';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { toCheckTarget } from '../../../lib/health/target';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim, SimOptions } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { closeRawServers, rawServer } from '../../support/servers/raw-http-server';
import type { RawHandler } from '../../support/servers/raw-http-server';
import { finding, ids, json, LIMITS, routes, SESAME } from './support';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const startServer = useSimulator(startLlamaServerSim);
afterEach(closeRawServers);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

async function test(
	options: Partial<SpeedOptions> = {},
	credential: object = {},
): Promise<SpeedCheckResult> {
	const target = toCheckTarget(
		'modelServer',
		{
			baseUrl: server?.url,
			apiKey: SESAME,
			...credential,
		},
		NO_EXECUTION,
	);
	const health = await checkServer(target, LIMITS);
	const limits = { firstTokenMs: 30_000, totalMs: 60_000 };
	return await addSpeedTest(target, health, {
		model: '',
		tokens: 8,
		concurrency: 1,
		...limits,
		...options,
	});
}

const generations = () => server.requests.filter(({ path }) => path.endsWith('/chat/completions'));

describe('a speed test', () => {
	it('does not count the time that a request waits in the queue of n8n', async () => {
		await sim({ tokenDelayMs: 20 });
		const credential = { baseUrl: server.url, apiKey: SESAME, maxConcurrentRequests: 1 };
		const { now } = performance;
		let passedMs = 0;
		jest.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + passedMs);
		const { release } = await acquirePermit(
			`1 ${createModelServer(credential, NO_EXECUTION).id}`,
			1,
			{
				priority: 'batch',
				stats: { waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 },
				// Called when the first request waits.
				preempt: () => {
					setImmediate(() => {
						passedMs = 1e6;
						release();
					});
					return false;
				},
			},
		);
		const result = await test({}, credential);
		jest.restoreAllMocks();
		expect(passedMs).toBe(1e6);
		// A response whose times are far apart looks buffered, and has no time to its first token.
		const { firstTokenMs = passedMs } = result.speed!.runs[0]!;
		expect(firstTokenMs).toBeLessThan(passedMs);
	});

	it('of one request and of concurrent requests, by the server timings', async () => {
		await sim({ slots: 4, metrics: true, tokenDelayMs: 20 });
		const result = await test({ concurrency: 3 });
		expect(result).toMatchObject({
			status: 'healthy',
			speed: {
				model: 'sim-model',
				runs: [
					{ concurrentRequests: 1, failures: [] },
					{ concurrentRequests: 3, failures: [] },
				],
			},
		});
		for (const run of result.speed!.runs) {
			expect(run.tokensPerSecond).toBeGreaterThan(0);
			expect(run.promptTokensPerSecond).toBeGreaterThan(0);
			expect(run.totalTokensPerSecond).toBeGreaterThan(0);
			expect(run.firstTokenMs).toBeGreaterThanOrEqual(0);
		}
		expect(result.summary).toMatch(/^sim-model: [\d.]+ tokens\/s, first token after [\d.]+ s\.$/);
		expect(generations()).toHaveLength(4);
		const bodies = generations().map(({ body }) => body as { messages: object[] });
		for (const body of bodies)
			expect(body).toMatchObject({ max_tokens: 8, ignore_eos: true, cache_prompt: false });
		expect(new Set(bodies.map(({ messages }) => JSON.stringify(messages))).size).toBe(4);
	});

	it.each([
		[{ slots: 4 }, 8, 0, [1, 4]],
		[{ slots: 4 }, 4, 0, [1, 4]],
		[{ slots: 4 }, 3, 0, [1, 3]],
		[{ slots: 1 }, 4, 0, [1]],
		// The limit of the credential decides alone, as in the queue.
		[{ slots: 4 }, 8, 2, [1, 2]],
		[{ slots: 1 }, 8, 3, [1, 3]],
		// A server that reports no slots.
		[{ profile: 'fastapi' as const }, 3, 0, [1, 3]],
		[{ profile: 'fastapi' as const }, 3, 2, [1, 2]],
	])(
		'with %j, %i concurrent requests and a limit of %i: rounds of %j',
		async (options, concurrency, maxConcurrentRequests, rounds) => {
			await sim(options);
			const result = await test({ concurrency }, { maxConcurrentRequests });
			expect(result.speed!.runs.map(({ concurrentRequests }) => concurrentRequests)).toEqual(
				rounds,
			);
		},
	);

	it('without server timings uses the clock, including the reasoning', async () => {
		await sim({ profile: 'fastapi', tokenDelayMs: 20 });
		server.script(reply.reasoning('Let me think about this mill for a while.'));
		const result = await test();
		expect(result.speed!.runs).toMatchObject([
			{ failures: [], firstTokenMs: expect.any(Number) as number },
		]);
		expect(result.speed!.runs[0]!.tokensPerSecond).toBeGreaterThan(0);
	});

	it.each([
		[
			'one character again and again',
			() => reply.text('@@@@@@@@@@@@'),
			'garbledOutput',
			'degraded',
		],
		['nothing', () => reply.empty(), 'emptyResponse', 'degraded'],
		['an error', () => reply.llamaError(500, 'Compute error.'), 'serverError', 'degraded'],
	])('%s: the server is not healthy', async (_name, answer, id, status) => {
		await sim();
		server.script(answer());
		const result = await test({ concurrency: 4 });
		expect(result).toMatchObject({
			status,
			summary: `The server is ${status}, with 1 error.`,
			speed: { runs: [{ failures: [{ type: id }] }] },
		});
		expect(result.speed!.runs[0]).not.toHaveProperty('tokensPerSecond');
		expect(result.findings[0]!.id).toBe(id);
		expect(generations()).toHaveLength(1);
	});

	it.each([
		['a response of a handful of tokens', 0, 2, 'A response had only 2 tokens'],
		['a busy server', 1, 8, 'The server was processing 1 other request'],
	])('%s: the speed is uncertain', async (_name, busy, tokens, observed) => {
		await sim({ metrics: true });
		if (busy > 0)
			server.route(
				'GET /metrics',
				reply.error(200, `llamacpp:requests_processing ${busy}\nllamacpp:requests_deferred 0\n`),
			);
		const result = await test({ tokens });
		expect(finding(result, 'speedUncertain')).toMatchObject({ severity: 'info', observed });
		expect(result).toMatchObject({
			status: 'healthy',
			speed: { runs: [{ generatedTokens: tokens }] },
		});
		expect((await test()).findings.some(({ id }) => id === 'speedUncertain')).toBe(busy > 0);
	});

	it('silence: the queue, a long prompt or the GPU', async () => {
		await sim();
		server.script(reply.silence());
		const result = await test({ firstTokenMs: 200 });
		expect(finding(result, 'generationStuck')).toMatchObject({
			severity: 'error',
			suggestion: expect.stringContaining('rocm-smi') as string,
		});
		expect(result.status).toBe('degraded');
	});

	it('of an unhealthy server sends nothing', async () => {
		await sim({ apiKey: 'another' });
		const result = await test();
		expect(result).toMatchObject({ status: 'unauthorized' });
		expect(result).not.toHaveProperty('speed');
		expect(generations()).toEqual([]);
	});

	it('several models and none selected: an error that names them', async () => {
		await sim({ profile: 'router', models: [{ id: 'a' }, { id: 'b' }] });
		await expect(test()).rejects.toMatchObject({
			type: 'invalidInput',
			suggestion: expect.stringContaining('a, b') as string,
		});
	});
});

describe('meaning of the numbers', () => {
	const chunk = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`;
	const text = (content: string) => chunk({ choices: [{ index: 0, delta: { content } }] });
	/** A server with one model, and an answer with such timings. */
	const llama = (size: number, events: string[], pauseMs = 0, id = 'm'): RawHandler =>
		routes({
			'/v1/models': json('200 OK', {
				data: [{ id, owned_by: 'llamacpp', meta: { size, n_ctx: 16_384 } }],
			}),
			'/v1/chat/completions': (_path, socket) => {
				socket.write(
					'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n',
				);
				const send = () => socket.end(events.join(''));
				void sleep(pauseMs).then(send);
			},
		});
	const timed = (perSecond: number) => [
		text('A mill'),
		text(' by the river'),
		chunk({ choices: [], timings: { predicted_n: 64, predicted_per_second: perSecond } }),
		'data: [DONE]\n\n',
	];
	const measured = async (answers: RawHandler) =>
		await test({}, { baseUrl: await rawServer(answers) });

	it.each([
		['a small model, however slow', 5e8, 2, []],
		['a model of 8 GB at the speed of a CPU', 8e9, 5, ['gpuPossiblyUnused']],
		['a model of 8 GB at the speed of a GPU', 8e9, 40, []],
	])('findings about the speed of %s', async (_name, size, perSecond, expected) => {
		// A stopped clock: on a busy machine, all of an answer comes at once.
		const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
		const result = await measured(llama(size, timed(perSecond)));
		clock.mockRestore();
		expect(ids(result)).toEqual(expected);
		expect(result.healthy).toBe(true);
		if (expected.length > 0) expect(result.findings[0]!.suggestion).toContain('MI50');
	});

	it('a buffered response: the first token is not measurable, the speed is a minimum', async () => {
		const events = [text('A mill'), text(' by'), text(' the river'), 'data: [DONE]\n\n'];
		const result = await measured(llama(5e8, events, 200));
		const [run] = result.speed!.runs;
		expect(run).toMatchObject({ tokensPerSecond: expect.any(Number) as number });
		expect(run).not.toHaveProperty('firstTokenMs');
		expect(ids(result)).toContain('streamBuffered');
		expect(result.summary).toMatch(
			/^m: at least [\d.]+ tokens\/s, time to first token not measurable\.$/,
		);
	});

	it.each([1e308, -1e308, 1e17])(
		'a speed of %d says nothing: it is measured instead',
		async (perSecond) => {
			const result = await measured(llama(5e8, timed(perSecond), 200));
			const { tokensPerSecond } = result.speed!.runs[0]!;
			expect(tokensPerSecond).toBeLessThan(10_000);
			expect(tokensPerSecond).toBeGreaterThan(0);
			expect(JSON.stringify(result.speed)).not.toContain('null');
		},
	);

	it('the name of a model is shown as text, and cut', async () => {
		const name = `<img src=x>${'m'.repeat(500_000)}`;
		const { summary, findings } = await measured(llama(5e8, timed(50), 0, name));
		expect(summary).toMatch(/^<\u200bimg src=x>m+…: /);
		expect(summary.length).toBeLessThan(300);
		expect(JSON.stringify(findings).length).toBeLessThan(10_000);
	});

	it('an error in the middle of the response', async () => {
		const result = await measured(
			llama(5e8, [text('A mill'), chunk({ error: { message: 'CUDA error', code: 500 } })]),
		);
		expect(result).toMatchObject({ status: 'degraded', findings: [{ severity: 'error' }] });
		expect(result.findings[0]!.observed).toContain('CUDA error');
	});
});

it.each([
	[46, '0.046'],
	[210, '0.21'],
	[12_500, '12.5'],
])('%d ms as text', (ms, words) => {
	expect(formatSeconds(ms)).toBe(words);
});
