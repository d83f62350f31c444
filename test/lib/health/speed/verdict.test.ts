import type { ModelFacts } from '../../../../lib/health/observations';
import type { SpeedRun } from '../../../../lib/health/speed/measure';
import type { SpeedSample } from '../../../../lib/health/speed/sample';
import { judgeSpeed } from '../../../../lib/health/speed/verdict';
import {
	type LlamaServerSim,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { SESAME } from '../support';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

const FOUR_SLOTS = { slots: 4, busy: 0, requested: 1, atOnce: 1 };

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
		remoteHost: null,
		loaded: true,
		state: 'loaded',
	});
	const run = (tokensPerSecond: number | null, generatedTokens = 64): SpeedRun => ({
		atOnce: 1,
		firstTokenMs: 100,
		firstTextMs: 100,
		queuedMs: 0,
		promptTokensPerSecond: 500,
		tokensPerSecond,
		acceptedDrafts: null,
		totalTokensPerSecond: tokensPerSecond,
		samples: [
			{
				firstTokenMs: 100,
				firstTokenBy: 'clock',
				firstTextMs: 100,
				totalMs: 2000,
				queuedMs: 0,
				arrival: 'streamed',
				hiddenTokens: 0,
				acceptedDrafts: null,
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

	it.each([
		[0.12, ['draftsRejected']],
		[0.3, []],
		[null, []],
	])('a share of accepted drafts of %s', (acceptedDrafts, expected) => {
		const judged = judgeSpeed([{ ...run(80), acceptedDrafts }], undefined, FOUR_SLOTS);
		expect(judged.map(({ id }) => id)).toEqual(expected);
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
		expect(verdict!.advice).toMatch(/--n-gpu-layers all.*gfx906/);
	});

	it.each([
		['the same model on a small GPU', 40, EIGHT_B_Q4, 64],
		['a mixture of experts that reads little per token', 15, 18e9, 64],
		['too few tokens to judge', 5, EIGHT_B_Q4, 8],
		['a model so small that a CPU runs it well', 30, 0.5e9, 64],
		['an unknown size at a bearable speed', 10, null, 64],
	])('no verdict on %s', (_name, tokensPerSecond, size, tokens) => {
		expect(judgeSpeed([run(tokensPerSecond, tokens)], model(size), FOUR_SLOTS)).toEqual([]);
	});

	it('a very low speed is reported for every size', () => {
		expect(judgeSpeed([run(1.2)], undefined, { ...FOUR_SLOTS, slots: null })).toMatchObject([
			{ id: 'slowGeneration', severity: 'warning' },
		]);
	});

	const runWith = (change: Partial<SpeedSample>, queuedMs = 0): SpeedRun[] => {
		const one = run(50);
		return [{ ...one, queuedMs, samples: one.samples.map((sample) => ({ ...sample, ...change })) }];
	};

	it.each<[string, SpeedRun[], Partial<typeof FOUR_SLOTS>, string[]]>([
		[
			'a collected answer of a server with timings',
			runWith({ arrival: 'collected' }),
			{},
			['answerCollected'],
		],
		[
			'a collected answer of one without',
			runWith({ arrival: 'collected', measuredBy: 'wholeAnswer' }),
			{},
			['answerCollected'],
		],
		['bursts', runWith({ arrival: 'bursts', measuredBy: 'clock' }), {}, ['answerCollected']],
		['hidden thinking', runWith({ hiddenTokens: 40 }), {}, ['thinkingHidden']],
		[
			'one piece',
			runWith({ arrival: null, measuredBy: 'wholeAnswer' }),
			{},
			['speedOfWholeAnswer'],
		],
		['a wait in n8n', runWith({}, 5_000), {}, ['waitedInN8n']],
		['a turn that came at once', runWith({}, 3), {}, []],
		['a server that others use', runWith({}), { busy: 2 }, ['busyDuringTest']],
		['a server that does not tell', runWith({}), { busy: null as unknown as number }, []],
	])('names %s', (_name, runs, more, expected) => {
		expect(judgeSpeed(runs, undefined, { ...FOUR_SLOTS, ...more }).map(({ id }) => id)).toEqual(
			expected,
		);
	});

	it('names the source of the numbers if the pieces do not give them', () => {
		const [known] = judgeSpeed(runWith({ arrival: 'collected' }), undefined, FOUR_SLOTS);
		const [unknown] = judgeSpeed(
			runWith({ hiddenTokens: 9, measuredBy: 'wholeAnswer' }),
			undefined,
			FOUR_SLOTS,
		);
		expect(known!.meaning).toContain('those of the server itself');
		expect(unknown!.meaning).toContain('the first token cannot be seen');
	});
});
