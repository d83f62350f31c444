import { testSpeed, type SpeedTestResult } from '../../lib/health/speed/speed-test';
import { closeChannels } from '../../lib/http/dispatcher';
import { modelServerTarget } from '../../nodes/shared/health/target';
import { type ReverseProxyOptions, startReverseProxy } from '../servers/reverse-proxy';
import { useSimulator } from '../servers/use-simulator';
import {
	parts,
	scriptedModel,
	startLlamaServer,
	stopEverything,
	type LlamaServer,
} from '../e2e/support/playground';
import { until } from '../e2e/support/until';

/** All generated text is thinking. */
const THINKING = `<think>\n${'So much to consider, and no end to it. '.repeat(16)}`;

const startProxy = useSimulator(startReverseProxy);

let plain: LlamaServer;
let thinking: LlamaServer;

beforeAll(async () => {
	plain = await startLlamaServer({
		model: parts().smolLm2,
		contextSize: 4096,
		parallel: 2,
		args: ['--metrics'],
	});
	thinking = await startLlamaServer({
		model: await scriptedModel([{ reply: THINKING }]),
		contextSize: 4096,
		parallel: 2,
		args: ['--reasoning-format', 'deepseek'],
	});
});
afterAll(async () => {
	await stopEverything();
	await closeChannels();
});

const TOKENS = 96;

async function test(server: LlamaServer, proxy?: ReverseProxyOptions): Promise<SpeedTestResult> {
	const url = proxy === undefined ? server.url : (await startProxy(server.url, proxy)).url;
	return await testSpeed(modelServerTarget({ baseUrl: url }), {
		model: '',
		tokens: TOKENS,
		atOnce: 1,
		firstTokenMs: 240_000,
		totalMs: 240_000,
		check: { timeLimitMs: 10_000 },
	});
}

const ids = ({ findings }: SpeedTestResult) => findings.map(({ id }) => id);
/**
 * Retries once: a busy machine reads pieces late, which looks like a buffering proxy, or separately although they arrived
 * together.
 */
const testUntil = async (
	arrival: string,
	server: LlamaServer,
	proxy?: ReverseProxyOptions,
): Promise<SpeedTestResult> =>
	await until(
		async () => await test(server, proxy),
		(result) => sampleOf(result).arrival === arrival,
	);
const sampleOf = ({ speed }: SpeedTestResult) => speed!.runs[0]!.samples[0]!;

describe('the speed test on the real llama-server', () => {
	it('sees the first token as it comes where nothing is in between', async () => {
		const result = await testUntil('streamed', plain);
		const sample = sampleOf(result);
		expect(sample).toMatchObject({
			arrival: 'streamed',
			firstTokenBy: 'clock',
			measuredBy: 'server',
			hiddenTokens: 0,
		});
		expect(ids(result)).not.toContain('answerCollected');
	});

	it.each<[string, ReverseProxyOptions, string]>([
		['a proxy that holds the whole answer back', { buffer: 'all' }, 'collected'],
		['a proxy that hands on 6 KB at a time', { buffer: 6144 }, 'bursts'],
	])(
		'behind %s the numbers are those of the server, and it says so',
		async (_name, proxy, arrival) => {
			const result = await testUntil(arrival, plain, proxy);
			const sample = sampleOf(result);
			expect(sample).toMatchObject({
				arrival,
				firstTokenBy: 'server',
				measuredBy: 'server',
				generatedTokens: TOKENS,
			});
			// The server's own time to the first token: long before the first piece, which the proxy sent at the end.
			expect(sample.firstTokenMs).toBeGreaterThan(0);
			const generationMs = (TOKENS * 1000) / sample.tokensPerSecond!;
			expect(sample.firstTokenMs! + generationMs * 0.8).toBeLessThan(sample.totalMs);
			expect(result.findings.find(({ id }) => id === 'answerCollected')!.meaning).toContain(
				'those of the server itself',
			);
		},
	);

	it('thinking that is shown is the first token, and no text follows it', async () => {
		const result = await testUntil('streamed', thinking);
		expect(sampleOf(result)).toMatchObject({
			firstTokenBy: 'clock',
			firstTextMs: null,
			hiddenTokens: 0,
		});
		expect(result.speed!.runs[0]!.failures).toEqual([]);
	});

	it('thinking that a gateway drops is counted, and it says so', async () => {
		const result = await test(thinking, { dropsThinking: true });
		const sample = sampleOf(result);
		expect(sample).toMatchObject({
			arrival: null,
			firstTokenBy: 'server',
			firstTextMs: null,
			generatedTokens: TOKENS,
			hiddenTokens: TOKENS,
			measuredBy: 'server',
		});
		expect(sample.firstTokenMs).toBeLessThan(sample.totalMs);
		expect(ids(result)).toContain('thinkingHidden');
		expect(result.summary).toMatch(/first token after [\d.]+ s\.$/);
	});
});
