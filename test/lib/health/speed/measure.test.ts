import type { SpeedSample } from '../../../../lib/health/speed/sample';
import {
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
import { type ReverseProxyOptions, startReverseProxy } from '../../../servers/reverse-proxy';
import { useSimulator } from '../../../servers/use-simulator';
import { performance } from '../../../support/node';

const mockClock = { ms: 1_000 };
jest.mock('../../../servers/wire-reply', () => {
	const actual = jest.requireActual<typeof import('../../../servers/wire-reply')>(
		'../../../servers/wire-reply',
	);
	const waitFor: typeof actual.waitFor = async (what, signal) => {
		await actual.waitFor(what, signal);
		if (typeof what === 'number') mockClock.ms += what;
	};
	return { ...actual, waitFor };
});

const startServer = useSimulator(startLlamaServerSim);
const startGateway = useSimulator(startReverseProxy);

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
	it('measures by the clock where the server gives no timings (Ollama)', async () => {
		await sim({ profile: 'ollama', models: [{ id: 'qwen3' }], tokenDelayMs: 5 });
		const result = await test();
		const sample = result.speed!.runs[0]!.samples[0]!;
		expect(sample).toMatchObject({ measuredBy: 'clock', generatedTokens: 16 });
		expect(sample.tokensPerSecond).toBeGreaterThan(0);
		expect(sample.tokensPerSecond).toBeLessThan(400);
		expect(generations()[0]).not.toHaveProperty('ignore_eos');
	});

	describe('on a clock that only the delays of the server move, however busy the machine is', () => {
		const { now } = performance;
		beforeEach(() => {
			performance.now = () => mockClock.ms;
		});
		afterEach(() => {
			performance.now = now;
		});

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
			expect(result.summary).toMatch(/^sim-model: [\d.]+ tokens\/s, first token after [\d.]+ s\.$/);
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

		it('behind a proxy that collects the answer, it is the speed of the whole answer, and says so', async () => {
			await sim({ profile: 'vllm', promptDelayMs: 300 });
			const result = await test({ tokens: 64 });
			const [sample] = result.speed!.runs[0]!.samples;
			expect(sample).toMatchObject({
				arrival: 'collected',
				measuredBy: 'wholeAnswer',
				generatedTokens: 64,
				promptTokensPerSecond: null,
				firstTokenMs: null,
			});
			expect(sample!.tokensPerSecond).toBeLessThan(64 / 0.3);
			expect(finding(result, 'answerCollected').advice).toContain('proxy_buffering off');
			expect(result.summary).toMatch(
				/^sim-model: at least [\d.]+ tokens\/s, first token not to be seen\.$/,
			);
		});

		it.each<[string, SimOptions, ReverseProxyOptions, string, Partial<SpeedSample>]>([
			[
				'that holds the answer back to its end',
				{ tokenDelayMs: 8 },
				{ buffer: 'all' },
				'answerCollected',
				{
					arrival: 'collected',
					firstTokenMs: null,
					firstTextMs: null,
					measuredBy: 'wholeAnswer',
					hiddenTokens: 0,
				},
			],
			[
				'that hands on 4 KB at a time',
				{ tokenDelayMs: 8 },
				{ buffer: 4096 },
				'answerCollected',
				{ arrival: 'bursts', firstTokenMs: null, measuredBy: 'clock' },
			],
			[
				'that drops thinking which is all there is',
				{ tokenDelayMs: 8, template: 'thinking' },
				{ dropsThinking: true },
				'thinkingHidden',
				{ firstTokenMs: null, firstTextMs: null, measuredBy: 'wholeAnswer', generatedTokens: 80 },
			],
		])('behind a gateway %s', async (_name, options, proxy, id, expected) => {
			await sim({ profile: 'vllm', ...options });
			if (options.template === 'thinking')
				server.script(
					reply.reasoning('thought '.repeat(80), '', {
						finish: 'length',
						usage: { completion: 80 },
					}),
				);
			const gateway = await startGateway(server.url, proxy);
			const result = await test({ tokens: 80 }, { baseUrl: gateway.url });
			expect(result.speed!.runs[0]).toMatchObject({ failures: [], samples: [expected] });
			// 80 tokens, 8 ms each: no more than 125 a second.
			expect(result.speed!.runs[0]!.tokensPerSecond).toBeLessThan(150);
			expect(ids(result)).toContain(id);
			expect(ids(result)).not.toContain('speedOfWholeAnswer');
		});

		it('the same without a gateway shows when thinking and text began', async () => {
			await sim({ profile: 'vllm', tokenDelayMs: 5 });
			server.script(reply.reasoning('thought '.repeat(20), 'and then the answer '.repeat(5)));
			const [sample] = (await test({ tokens: 80 })).speed!.runs[0]!.samples;
			expect(sample).toMatchObject({ arrival: 'streamed', firstTokenBy: 'clock', hiddenTokens: 0 });
			expect(sample!.firstTextMs! - sample!.firstTokenMs!).toBeGreaterThan(80);
		});

		it('sees each piece of a server whose events differ in their text only', async () => {
			await sim({ tokenDelayMs: 5 });
			server.script(reply.text('and then the wheel turns again '.repeat(10)));
			const [sample] = (await test({ tokens: 60 })).speed!.runs[0]!.samples;
			expect(sample).toMatchObject({ arrival: 'streamed', firstTokenBy: 'clock', hiddenTokens: 0 });
			expect(sample!.totalMs - sample!.firstTokenMs!).toBeGreaterThan(200);
		});
	});

	it('counts thinking: a model that spends all tokens on it is as fast as any (row 28)', async () => {
		await sim();
		server.script(
			reply.reasoning('I think about this for long, and longer.', '', { finish: 'length' }),
		);
		const result = await test();
		expect(result).toMatchObject({
			status: 'healthy',
			speed: { runs: [{ failures: [], samples: [{ measuredBy: 'server' }] }] },
		});
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
		expect(finding(result, 'noTokens').observed).toContain(
			'No token arrived within the first-token limit of 150 ms',
		);
		expect(finding(result, 'noTokens').advice).toContain('GPU hangs');
	});

	it.each([
		[
			413,
			reply.html(413, '<html><head><title>413 Request Entity Too Large</title></head></html>'),
			'tooLarge',
			'misconfigured',
		],
		[
			502,
			reply.html(502, '<html><head><title>502 Bad Gateway</title></head></html>'),
			'gateway',
			'unreachable',
		],
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
			headers: {
				authorization: `Bearer ${SESAME}`,
				'content-type': 'application/x-www-form-urlencoded',
			},
			body: JSON.stringify({ messages: [{ role: 'user', content }] }),
		});
		expect(answer.status).toBe(413);
		// This node sends JSON, so the same server takes its test.
		expect((await test()).status).toBe('healthy');
	});
});
