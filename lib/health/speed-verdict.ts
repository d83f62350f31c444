import { advise, fromFailure, type FindingWithStatus } from './finding';
import type { ModelFacts } from './observations';
import type { SpeedRun } from './speed';

/**
 * Every generated token reads all weights of a dense model once, so size times tokens per second is the bandwidth in
 * use. Memory of desktop CPUs gives 20 to 60 GB/s, the slowest GPUs worth buying for this over 200, an MI50 about
 * 1,000. A mixture of experts reads less than its size per token, so this errs on the side of silence.
 */
const CPU_BANDWIDTH = 60e9;
/** What an MI50 really reaches, of its 1,024 GB/s. */
const MI50_BANDWIDTH = 400e9;
/** Smaller models run well on CPUs, and are too quick to be judged. */
const MIN_SIZE = 1e9;
const MIN_TOKENS = 16;
/** Nobody reads along at less. */
const UNBEARABLE = 3;

/** Requests at once: the server's slots, what the user wants, and what the credential lets through. */
export interface RunsAtOnce {
	slots: number | null;
	wanted: number;
	atOnce: number;
}

/** What the numbers of a speed test suggest. Pure. `status`: only where no run brought an answer. */
export function judgeSpeed(
	runs: readonly SpeedRun[],
	model: ModelFacts | undefined,
	{ slots, wanted, atOnce }: RunsAtOnce,
): FindingWithStatus[] {
	const findings: FindingWithStatus[] = [];
	const first = runs[0];
	for (const failure of firstOfEachKind(runs)) {
		const observed = `The test generation failed: ${failure.message}${failure.serverText ? `, "${failure.serverText}"` : ''}`;
		// Only where nothing came at all, although the server had answered everything else:
		// docs/protocols/llama-server.md 9.3.
		if (failure.kind === 'firstTokenLimit') findings.push(advise('noTokens', 'error', observed, {}, 'degraded'));
		else findings.push(fromFailure(failure, observed));
	}
	if (first !== undefined) findings.push(...judgeBandwidth(first, model));
	if (wanted > atOnce)
		findings.push(
			advise('fewerAtOnce', 'warning', `${wanted} requests at once were wanted`, { count: atOnce, wanted }),
		);
	if (runs.some(({ samples }) => samples.some(({ measuredBy }) => measuredBy === 'wholeAnswer')))
		findings.push(
			advise('speedOfWholeAnswer', 'warning', 'The answer did not come piece by piece as it was generated'),
		);
	const most = Math.max(0, ...runs.map(({ atOnce }) => atOnce));
	if (slots !== null && most > slots) {
		findings.push(
			advise('queued', 'info', `${most} requests were sent at once to ${slots} slots`, { count: most - slots, slots }),
		);
	}
	return findings;
}

function judgeBandwidth({ tokensPerSecond, samples }: SpeedRun, model: ModelFacts | undefined): FindingWithStatus[] {
	const tokens = samples[0]?.generatedTokens ?? 0;
	// The speed of a whole answer only says what the model makes at least.
	if (tokensPerSecond === null || tokens < MIN_TOKENS || samples[0]?.measuredBy === 'wholeAnswer') return [];
	const size = model?.size ?? null;
	if (size === null || size < MIN_SIZE) {
		if (tokensPerSecond >= UNBEARABLE) return [];
		return [advise('slowGeneration', 'warning', `${tokensPerSecond} tokens/s`)];
	}
	const bandwidth = size * tokensPerSecond;
	if (bandwidth >= CPU_BANDWIDTH) return [];
	const observed = `${tokensPerSecond} tokens/s with a model of ${gigabytes(size)} GB: ${gigabytes(bandwidth)} GB/s`;
	return [advise('gpuMaybeUnused', 'warning', observed, { speed: Math.round(MI50_BANDWIDTH / size) })];
}

function firstOfEachKind(runs: readonly SpeedRun[]): SpeedRun['failures'] {
	const failures = runs.flatMap((run) => run.failures);
	return failures.filter(({ kind }, at) => failures.findIndex((other) => other.kind === kind) === at);
}

function gigabytes(bytes: number): number {
	return Math.round(bytes / 1e8) / 10;
}
