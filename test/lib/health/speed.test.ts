import { forgetChecks } from '../../../lib/health/check';
import type { ModelFacts } from '../../../lib/health/observations';
import type { SpeedRun } from '../../../lib/health/speed';
import { testSpeed, type SpeedTestOptions, type SpeedTestResult } from '../../../lib/health/speed-test';
import { judgeSpeed } from '../../../lib/health/speed-verdict';
import { modelServerTarget } from '../../../nodes/ServerHealth/target';
import { type LlamaServerSim, reply, type SimOptions, startLlamaServerSim } from '../../servers/llama-server';
import { finding, ids, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

async function test(options: Partial<SpeedTestOptions> = {}, credential: object = {}): Promise<SpeedTestResult> {
	return await testSpeed(modelServerTarget({ baseUrl: server.url, apiKey: SESAME, ...credential }), {
		model: '',
		tokens: 16,
		atOnce: 1,
		firstTokenMs: 30_000,
		totalMs: 60_000,
		check: { timeLimitMs: 15_000 },
		...options,
	});
}

function generations(): Array<Record<string, unknown> & { messages: Array<{ content: string }> }> {
	return server.requests
		.filter(({ path }) => path.endsWith('/chat/completions'))
		.map(({ body }) => body as ReturnType<typeof generations>[number]);
}

const FOUR_SLOTS = { slots: 4, wanted: 1, atOnce: 1 };

beforeEach(forgetChecks);
describe('a speed test', () => {
	it("takes the server's own timings, streams, and keeps the prompt cache out", async () => {
		await sim();
		const result = await test();
		expect(result).toMatchObject({
			status: 'healthy',
			speed: {
				model: 'sim-model',
				runs: [
					{
						atOnce: 1,
						firstTokenMs: expect.any(Number) as number,
						tokensPerSecond: expect.any(Number) as number,
						promptTokensPerSecond: expect.any(Number) as number,
						samples: [{ generatedTokens: 16, measuredBy: 'server' }],
						failures: [],
					},
				],
			},
		});
		expect(result.summary).toMatch(/^sim-model: [\d.]+ tokens\/s, first token after \d+ ms\.$/);
		await test();
		const [first, second] = generations();
		expect(first).toMatchObject({
			stream: true,
			max_tokens: 16,
			temperature: 0,
			cache_prompt: false,
			ignore_eos: true,
		});
		const [firstLine, ...rest] = first!.messages[0]!.content.split('\n');
		const [otherLine, ...same] = second!.messages[0]!.content.split('\n');
		expect(firstLine).not.toBe(otherLine);
		expect(rest).toEqual(same);
	});

	it('measures by the clock where the server gives no timings (Ollama)', async () => {
		await sim({ profile: 'ollama', models: [{ id: 'qwen3' }], tokenDelayMs: 5 });
		const result = await test();
		const sample = result.speed!.runs[0]!.samples[0]!;
		expect(sample).toMatchObject({ measuredBy: 'clock', generatedTokens: 16 });
		expect(sample.tokensPerSecond).toBeGreaterThan(0);
		expect(sample.tokensPerSecond).toBeLessThan(400);
		expect(generations()[0]).not.toHaveProperty('ignore_eos');
	});

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
			meaning: 'The credential lets 1 request through at once, so the speed of 4 at once was not measured',
		});
		const some = await test({ atOnce: 4 }, { maxConcurrentRequests: 3 });
		expect(some.speed!.runs.map(({ atOnce, samples }) => [atOnce, samples.length])).toEqual([
			[1, 1],
			[3, 3],
		]);
		expect(ids(await test({ atOnce: 4 }, { maxConcurrentRequests: 4 }))).not.toContain('fewerAtOnce');
	});

	it('behind a proxy that collects the answer, it is the speed of the whole answer, and says so', async () => {
		await sim({ profile: 'vllm', promptDelayMs: 300 });
		const result = await test({ tokens: 64 });
		const [sample] = result.speed!.runs[0]!.samples;
		expect(sample).toMatchObject({ measuredBy: 'wholeAnswer', generatedTokens: 64, promptTokensPerSecond: null });
		expect(sample!.tokensPerSecond).toBeLessThan(64 / 0.3);
		expect(finding(result, 'speedOfWholeAnswer').advice).toContain('proxy_buffering off');
		expect(result.summary).toMatch(/^sim-model: at least [\d.]+ tokens\/s, /);
	});

	it('counts thinking: a model that spends all tokens on it is as fast as any (row 28)', async () => {
		await sim();
		server.script(reply.reasoning('I think about this for long, and longer.', '', { finish: 'length' }));
		const result = await test();
		expect(result).toMatchObject({
			status: 'healthy',
			speed: { runs: [{ failures: [], samples: [{ measuredBy: 'server' }] }] },
		});
	});

	it('is not tried where the check says that it cannot work', async () => {
		await sim({ apiKey: 'another' });
		expect(await test()).toMatchObject({ status: 'unauthorized', speed: null });
		expect(generations()).toHaveLength(0);
	});

	it('/health answers, a generation does not: busy or stuck (row 27)', async () => {
		await sim();
		server.script(reply.silence());
		const result = await test({ firstTokenMs: 150 });
		expect(result).toMatchObject({
			status: 'degraded',
			healthy: false,
			speed: { runs: [{ samples: [], tokensPerSecond: null }] },
		});
		expect(finding(result, 'noTokens').observed).toContain('No token arrived within the first-token limit of 150 ms');
		expect(finding(result, 'noTokens').advice).toContain('GPU hangs');
	});

	it('stops after the first round when it failed', async () => {
		await sim();
		server.script(reply.llamaError(500, 'Compute error.'));
		const result = await test({ atOnce: 4 });
		expect(result).toMatchObject({ status: 'degraded', speed: { runs: [{ atOnce: 1 }] } });
		expect(result.speed!.runs).toHaveLength(1);
		expect(finding(result, 'serverError').observed).toContain('Compute error.');
	});

	it.each([
		[
			413,
			reply.html(413, '<html><head><title>413 Request Entity Too Large</title></head></html>'),
			'tooLarge',
			'misconfigured',
		],
		[502, reply.html(502, '<html><head><title>502 Bad Gateway</title></head></html>'), 'gateway', 'unreachable'],
		[
			'a crash in the middle',
			reply.text('a few words and more of them', { cut: { at: { event: 3 }, how: 'rst' } }),
			'connectionLost',
			'unreachable',
		],
		[
			'a stream without an end',
			reply.text('a few words', { finish: false, done: false }),
			'streamEndedEarly',
			'degraded',
		],
	] as const)('explains %s on the way', async (_name, answer, id, status) => {
		await sim();
		server.script(answer);
		const result = await test();
		expect(ids(result)[0]).toBe(id);
		expect(result.status).toBe(status);
	});

	it('413 of the server itself, for a body that is too large', async () => {
		await sim({ nCtx: 100_000 });
		const { content } = { content: 'x'.repeat(1_200_000) };
		const answer = await fetch(`${server.url}/v1/chat/completions`, {
			method: 'POST',
			headers: { authorization: `Bearer ${SESAME}`, 'content-type': 'application/x-www-form-urlencoded' },
			body: JSON.stringify({ messages: [{ role: 'user', content }] }),
		});
		expect(answer.status).toBe(413);
		// This node sends JSON, so the same server takes its test.
		expect((await test()).status).toBe('healthy');
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

	it('is cancelled at once', async () => {
		await sim({ tokenDelayMs: 50 });
		const abort = new AbortController();
		const tested = test({ signal: abort.signal, tokens: 100 });
		await server.until(() => server.slots().some(({ busy }) => busy));
		abort.abort();
		await expect(tested).rejects.toMatchObject({ kind: 'aborted' });
		await server.until(() => server.slots().every(({ busy }) => !busy));
	});

	it('never shows the key', async () => {
		await sim();
		server.script(reply.llamaError(500, `echo ${SESAME}`));
		expect(JSON.stringify(await test())).not.toContain(SESAME);
	});
});

describe('the verdict on the numbers', () => {
	const model = (size: number | null): ModelFacts => ({
		id: 'm',
		aliases: [],
		context: null,
		trainedContext: null,
		parameters: null,
		size,
		quantization: null,
		vision: null,
		audio: null,
		tools: null,
		embeddings: null,
		loaded: true,
		state: 'loaded',
	});
	const run = (tokensPerSecond: number | null, generatedTokens = 64): SpeedRun => ({
		atOnce: 1,
		firstTokenMs: 100,
		promptTokensPerSecond: 500,
		tokensPerSecond,
		totalTokensPerSecond: tokensPerSecond,
		samples: [
			{
				firstTokenMs: 100,
				totalMs: 2000,
				promptTokens: 250,
				promptTokensPerSecond: 500,
				generatedTokens,
				tokensPerSecond,
				measuredBy: 'server',
			},
		],
		failures: [],
	});
	const EIGHT_B_Q4 = 4.9e9;

	beforeEach(async () => {
		await sim();
	});

	it('an 8B model at the speed of a CPU: says so as an estimate, with what an MI50 makes', () => {
		const [verdict] = judgeSpeed([run(7.5)], model(EIGHT_B_Q4), FOUR_SLOTS);
		expect(verdict).toMatchObject({
			id: 'gpuMaybeUnused',
			severity: 'warning',
			observed: '7.5 tokens/s with a model of 4.9 GB: 36.8 GB/s',
		});
		expect(verdict!.status).toBeUndefined();
		expect(verdict!.meaning).toContain('An MI50 would generate about 82 tokens/s');
		expect(verdict!.meaning).toContain('an estimate');
		expect(verdict!.advice).toMatch(/--n-gpu-layers 99.*gfx906/);
	});

	it.each([
		['the same model on a small GPU', 40, EIGHT_B_Q4, 64],
		['a mixture of experts that reads little per token', 15, 18e9, 64],
		['too few tokens to judge', 5, EIGHT_B_Q4, 8],
		['a model so small that a CPU runs it well', 30, 0.5e9, 64],
		['an unknown size at a bearable speed', 10, null, 64],
	])('no word about %s', (_name, tokensPerSecond, size, tokens) => {
		expect(judgeSpeed([run(tokensPerSecond, tokens)], model(size), FOUR_SLOTS)).toEqual([]);
	});

	it('an unbearable speed is one, whatever the size', () => {
		expect(judgeSpeed([run(1.2)], undefined, { ...FOUR_SLOTS, slots: null })).toMatchObject([
			{ id: 'slowGeneration', severity: 'warning' },
		]);
	});
});
