import { advise, fromGeneration, type FindingWithStatus } from '../findings/finding';
import type { ModelFacts } from '../observations';
import type { SpeedRun } from './measure';
import type { SpeedSample } from './sample';
import { gigabytes } from '../numbers';
import { largestOf } from '../../values';

/**
 * Every generated token reads all weights of a dense model once, so size times tokens per second is the bandwidth in
 * use. Memory of desktop CPUs gives 20 to 60 GB/s, the slowest GPUs worth buying for this over 200, an MI50 about
 * 1,000. A mixture of experts reads less than its size per token, so this errs on the side of silence.
 */
const CPU_BANDWIDTH = 60e9;
/** What an MI50 really reaches, of its 1,024 GB/s. */
const MI50_BANDWIDTH = 400e9;
/** Bytes. Smaller models run well on CPUs, and are too quick to be judged. */
const MIN_SIZE = 1e9;
const MIN_TOKENS = 16;
/** Tokens per second. Less is reported as slow. */
const UNBEARABLE = 3;

/** Share of accepted drafts below which drafting costs more than it saves. */
const FEW_DRAFTS = 0.3;

/** Shorter waits in n8n's own queue are not reported. */
const MIN_QUEUED_MS = 100;

/** Requests at once: the server's slots, what the user wants, and what the credential lets through. */
interface RunsAtOnce {
	slots: number | null;
	/** Slots that others used when the test began. */
	busy: number | null;
	requested: number;
	atOnce: number;
}

/** What the rules look at. */
interface Measured extends RunsAtOnce {
	runs: readonly SpeedRun[];
	samples: readonly SpeedSample[];
	model: ModelFacts | undefined;
}

type SpeedRule = (
	measured: Measured,
) => FindingWithStatus | readonly FindingWithStatus[] | undefined;

/** Findings from the numbers of a speed test. Pure. */
export function judgeSpeed(
	runs: readonly SpeedRun[],
	model: ModelFacts | undefined,
	atOnce: RunsAtOnce,
): FindingWithStatus[] {
	const samples = runs.flatMap((run) => run.samples);
	return Object.values(SPEED_RULES).flatMap(
		(rule) => rule({ runs, samples, model, ...atOnce }) ?? [],
	);
}

const SPEED_RULES: Readonly<Record<string, SpeedRule>> = {
	failedGeneration: ({ runs }) => firstOfEachKind(runs).map(fromGeneration),

	slowGeneration: ({ runs: [first], model }) => {
		const speed = speedOfGeneration(first);
		const isJudgedBySize = (model?.size ?? 0) >= MIN_SIZE;
		return speed === undefined || isJudgedBySize || speed >= UNBEARABLE
			? undefined
			: advise('slowGeneration', `${speed} tokens/s`);
	},

	gpuMaybeUnused: ({ runs: [first], model }) => {
		const speed = speedOfGeneration(first);
		const size = model?.size ?? 0;
		const bandwidth = size * (speed ?? 0);
		if (speed === undefined || size < MIN_SIZE || bandwidth >= CPU_BANDWIDTH) return undefined;
		const observed = `${speed} tokens/s with a model of ${gigabytes(size)} GB: ${gigabytes(bandwidth)} GB/s`;
		return advise('gpuMaybeUnused', observed, { speed: Math.round(MI50_BANDWIDTH / size) });
	},

	draftsRejected: ({ runs: [first] }) => {
		const share = first?.acceptedDrafts ?? null;
		if (share === null || share >= FEW_DRAFTS) return undefined;
		const percent = Math.round(share * 100);
		return advise('draftsRejected', `${percent} % of the drafted tokens were accepted`, {
			percent,
		});
	},

	fewerAtOnce: ({ requested, atOnce }) =>
		requested > atOnce
			? advise('fewerAtOnce', `${requested} requests at once were wanted`, {
					count: atOnce,
					required: requested,
				})
			: undefined,

	waitedInN8n: ({ runs }) => {
		const queuedMs = largestOf(
			runs.map((run) => run.queuedMs),
			0,
		);
		return queuedMs >= MIN_QUEUED_MS
			? advise('waitedInN8n', `A request waited ${queuedMs} ms before it was sent`)
			: undefined;
	},

	answerCollected: ({ samples }) => {
		const collected = samples.filter(
			({ arrival }) => arrival === 'collected' || arrival === 'bursts',
		);
		const [first] = collected;
		if (first === undefined) return undefined;
		const observed =
			first.arrival === 'bursts'
				? 'The answer came many pieces at a time'
				: `The whole answer came at once, after ${first.totalMs} ms`;
		return advise('answerCollected', observed, { byServer: isByServer(collected) });
	},

	thinkingHidden: ({ samples }) => {
		const hidden = samples.filter(
			({ hiddenTokens, arrival }) => hiddenTokens > 0 && arrival !== 'collected',
		);
		const [first] = hidden;
		if (first === undefined) return undefined;
		const { generatedTokens, hiddenTokens, firstTextMs } = first;
		const text = firstTextMs === null ? 'none' : `after ${firstTextMs} ms`;
		const observed = `${generatedTokens} tokens were generated, about ${hiddenTokens} of them never came; first text ${text}`;
		return advise('thinkingHidden', observed, { byServer: isByServer(hidden) });
	},

	speedOfWholeAnswer: ({ samples }) =>
		samples.some(isUnexplained)
			? advise('speedOfWholeAnswer', 'Too little came to measure between its pieces')
			: undefined,

	busyDuringTest: ({ busy, slots }) =>
		busy !== null && busy > 0
			? advise('busyDuringTest', `${busy} requests ran on the server before the test`, {
					count: busy,
					slots: slots ?? undefined,
				})
			: undefined,

	queued: ({ runs, slots }) => {
		const most = largestOf(
			runs.map(({ atOnce }) => atOnce),
			0,
		);
		if (slots === null || most <= slots) return undefined;
		const observed = `${most} requests were sent at once to ${slots} slots`;
		return advise('queued', observed, { count: most - slots, slots }, { severity: 'info' });
	},
};

/** Tokens per second of the first answer, where it is long enough; the speed of a whole answer is only a lower bound. */
function speedOfGeneration(run: SpeedRun | undefined): number | undefined {
	const [first] = run?.samples ?? [];
	if (first === undefined || first.measuredBy === 'wholeAnswer') return undefined;
	if ((first.generatedTokens ?? 0) < MIN_TOKENS) return undefined;
	return run?.tokensPerSecond ?? undefined;
}

/** Whether the numbers come from the server's own timings. */
function isByServer(samples: readonly SpeedSample[]): boolean {
	return samples.every(({ measuredBy }) => measuredBy === 'server');
}

/** Whether only the speed of the whole answer is known, and no other finding says why. */
function isUnexplained({ measuredBy, arrival, hiddenTokens }: SpeedSample): boolean {
	return measuredBy === 'wholeAnswer' && arrival !== 'collected' && hiddenTokens === 0;
}

function firstOfEachKind(runs: readonly SpeedRun[]): SpeedRun['failures'] {
	const failures = runs.flatMap((run) => run.failures);
	return failures.filter(
		({ kind }, at) => failures.findIndex((other) => other.kind === kind) === at,
	);
}
