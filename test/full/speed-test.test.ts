import { checkServer } from '../../lib/health/check';
import { type SpeedCheckResult, addSpeedTest } from '../../lib/health/speed';
import { closePools } from '../../lib/http/dispatcher';
import { toCheckTarget } from '../../nodes/shared/health/target';
import { type ReverseProxyOptions, startReverseProxy } from '../simulators/reverse-proxy';
import { useSimulator } from '../simulators/use-simulator';
import {
	parts,
	scriptedModel,
	startLlamaServer,
	stopEverything,
	type LlamaServer,
} from '../e2e/support/playground';

/** All generated text is thinking. It takes long enough to differ from an immediate response. */
const THINKING = `<think>\n${'So much to consider, and no end to it. '.repeat(200)}`;
const THINKING_TOKENS = 1_024;

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
	await closePools();
});

async function test(
	server: LlamaServer,
	proxy?: ReverseProxyOptions,
	tokens = 96,
): Promise<SpeedCheckResult> {
	const url = proxy === undefined ? server.url : (await startProxy(server.url, proxy)).url;
	const target = toCheckTarget('modelServer', { baseUrl: url });
	return await addSpeedTest(target, await checkServer(target, { timeoutMs: 10_000 }), {
		model: '',
		tokens,
		concurrency: 1,
		firstTokenMs: 240_000,
		totalMs: 240_000,
	});
}

const ids = ({ findings }: SpeedCheckResult) => findings.map(({ id }) => id);

describe('the speed test on the real llama-server', () => {
	it('measures the first token if there is no proxy', async () => {
		const result = await test(plain);
		expect(result.speed!.runs).toMatchObject([
			{ failures: [], firstTokenMs: expect.any(Number) as number },
		]);
		expect(ids(result)).not.toContain('streamBuffered');
	});

	it('reports that the first token cannot be measured behind a buffering proxy', async () => {
		const result = await test(plain, { buffer: 'all' });
		expect(result.speed!.runs).toMatchObject([{ tokensPerSecond: expect.any(Number) as number }]);
		expect(ids(result)).toContain('streamBuffered');
	});

	it('visible thinking is the first token', async () => {
		const result = await test(thinking, undefined, THINKING_TOKENS);
		expect(result.speed!.runs).toMatchObject([
			{ failures: [], firstTokenMs: expect.any(Number) as number },
		]);
	});
});
