import { advise, fromGeneration, type FindingWithStatus } from '../findings/finding';
import type { ModelFacts } from '../observations';
import type { SpeedRun } from './measure';
import type { SpeedSample } from './sample';
import { gigabytes } from '../numbers';

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

/** Shorter waits in n8n's own queue are not reported. */
const MIN_QUEUED_MS = 100;

/** Requests at once: the server's slots, what the user wants, and what the credential lets through. */
export interface RunsAtOnce {
	slots: number | null;
	/** Slots that others used when the test began. */
	busy: number | null;
	wanted: number;
	atOnce: number;
}

/** Findings from the numbers of a speed test. Pure. */
export function judgeSpeed(
	runs: readonly SpeedRun[],
	model: ModelFacts | undefined,
	{ slots, busy, wanted, atOnce }: RunsAtOnce,
): FindingWithStatus[] {
	const findings: FindingWithStatus[] = [];
	const first = runs[0];
	findings.push(...firstOfEachKind(runs).map(fromGeneration));
	if (first !== undefined) findings.push(...judgeBandwidth(first, model));
	if (wanted > atOnce)
		findings.push(
			advise('fewerAtOnce', `${wanted} requests at once were wanted`, { count: atOnce, wanted }),
		);
	const queuedMs = Math.max(0, ...runs.map((run) => run.queuedMs));
	if (queuedMs >= MIN_QUEUED_MS)
		findings.push(advise('waitedInN8n', `A request waited ${queuedMs} ms before it was sent`));
	findings.push(...judgeArrival(runs.flatMap(({ samples }) => samples)));
	if (busy !== null && busy > 0)
		findings.push(
			advise('busyDuringTest', `${busy} requests ran on the server before the test`, {
				count: busy,
				...(slots === null ? {} : { slots }),
			}),
		);
	const most = Math.max(0, ...runs.map(({ atOnce }) => atOnce));
	if (slots !== null && most > slots)
		findings.push(
			advise(
				'queued',
				`${most} requests were sent at once to ${slots} slots`,
				{ count: most - slots, slots },
				{ severity: 'info' },
			),
		);
	return findings;
}

/** Why the pieces do not show how fast the model is, and where the numbers come from instead. */
function judgeArrival(samples: readonly SpeedSample[]): FindingWithStatus[] {
	const findings: FindingWithStatus[] = [];
	const collected = samples.filter(
		({ arrival }) => arrival === 'collected' || arrival === 'bursts',
	);
	const hidden = samples.filter(
		({ hiddenTokens, arrival }) => hiddenTokens > 0 && arrival !== 'collected',
	);
	const byServer = (some: readonly SpeedSample[]) =>
		some.every(({ measuredBy }) => measuredBy === 'server');
	const [late] = collected;
	if (late !== undefined)
		findings.push(
			advise(
				'answerCollected',
				late.arrival === 'bursts'
					? 'The answer came many pieces at a time'
					: `The whole answer came at once, after ${late.totalMs} ms`,
				{ byServer: byServer(collected) },
			),
		);
	const [unseen] = hidden;
	if (unseen !== undefined)
		findings.push(
			advise(
				'thinkingHidden',
				`${unseen.generatedTokens} tokens were generated, about ${unseen.hiddenTokens} of them never came; first text ${unseen.firstTextMs === null ? 'none' : `after ${unseen.firstTextMs} ms`}`,
				{ byServer: byServer(hidden) },
			),
		);
	const isUnexplained = ({ measuredBy, arrival, hiddenTokens }: SpeedSample) =>
		measuredBy === 'wholeAnswer' && arrival !== 'collected' && hiddenTokens === 0;
	if (samples.some(isUnexplained))
		findings.push(advise('speedOfWholeAnswer', 'Too little came to measure between its pieces'));
	return findings;
}

function judgeBandwidth(
	{ tokensPerSecond, samples }: SpeedRun,
	model: ModelFacts | undefined,
): FindingWithStatus[] {
	const tokens = samples[0]?.generatedTokens ?? 0;
	// The speed of a whole answer is only a lower bound.
	if (tokensPerSecond === null || tokens < MIN_TOKENS || samples[0]?.measuredBy === 'wholeAnswer')
		return [];
	const size = model?.size ?? null;
	if (size === null || size < MIN_SIZE) {
		if (tokensPerSecond >= UNBEARABLE) return [];
		return [advise('slowGeneration', `${tokensPerSecond} tokens/s`)];
	}
	const bandwidth = size * tokensPerSecond;
	if (bandwidth >= CPU_BANDWIDTH) return [];
	const observed = `${tokensPerSecond} tokens/s with a model of ${gigabytes(size)} GB: ${gigabytes(bandwidth)} GB/s`;
	return [advise('gpuMaybeUnused', observed, { speed: Math.round(MI50_BANDWIDTH / size) })];
}

function firstOfEachKind(runs: readonly SpeedRun[]): SpeedRun['failures'] {
	const failures = runs.flatMap((run) => run.failures);
	return failures.filter(
		({ kind }, at) => failures.findIndex((other) => other.kind === kind) === at,
	);
}
