import { pauseFor } from '../../http/waiting';
import { advise, type FindingWithStatus } from '../findings/finding';
import type { SpeedRun } from './measure';

export interface SweepOptions {
	/** What happens where others use slots of the server, as far as it tells. */
	whenBusy: 'freeSlots' | 'skip' | 'measure';
	/** For all rounds together, in milliseconds. */
	limitMs: number;
	signal?: AbortSignal;
}

/** Runs one round: so many requests at once, each with this limit in milliseconds. */
export type RunRound = (atOnce: number, totalMs: number) => Promise<SpeedRun>;

/** The server's slots at this moment; null = not known. */
export interface Slots {
	total: number | null;
	busy: number | null;
}

/** Rounds with one request, where no more may run at once: they show how steady the speed is. */
const ANSWERS_ALONE = 4;
/** A slot of the round before may still count as busy for a moment. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 200;

/** Results of the rounds, with the finding that ended them early. */
interface SweepResult {
	runs: SpeedRun[];
	findings: FindingWithStatus[];
}

/**
 * Measures with more and more requests at once, up to the slots of the server. Looks before each round whether others
 * came, and takes no slot from them unless it is allowed to.
 *
 * @throws {ServerError} of kind `aborted`
 */
export async function sweep(
	run: RunRound,
	slots: () => Promise<Slots>,
	options: SweepOptions & { most: number; totalMs: number },
): Promise<SweepResult> {
	const { whenBusy, limitMs, most, totalMs, signal } = options;
	const startedAt = performance.now();
	const runs: SpeedRun[] = [];
	let lastMs = 0;
	for (let goal = 1; ; goal = Math.min(goal * 2, most)) {
		const seen = await readSlots(slots, whenBusy, signal);
		const top = Math.min(most, seen.total ?? most);
		const free = freeSlots(seen, whenBusy, top);
		const level = Math.min(goal, top);
		if (free < level) {
			// Measures with the free slots, if they are more than in the round before.
			if (free > (runs.at(-1)?.atOnce ?? 0)) runs.push(await run(free, totalMs));
			return { runs, findings: [busyFinding(runs, seen, level)] };
		}
		const leftMs = limitMs - (performance.now() - startedAt);
		// Twice as many take up to twice as long.
		if (runs.length > 0 && leftMs < 2 * lastMs)
			return { runs, findings: [cutFinding(level, lastMs, leftMs)] };
		const before = performance.now();
		runs.push(await run(level, Math.min(totalMs, Math.max(1, leftMs))));
		lastMs = performance.now() - before;
		if (isDone(runs, top)) return { runs, findings: [] };
	}
}

/** How many requests may be sent at once without taking slots from others. */
function freeSlots(
	{ total, busy }: Slots,
	whenBusy: SweepOptions['whenBusy'],
	top: number,
): number {
	const others = busy ?? 0;
	if (whenBusy === 'measure' || others === 0) return top;
	return whenBusy === 'skip' ? 0 : Math.min(top, (total ?? 0) - others);
}

function isDone(runs: readonly SpeedRun[], top: number): boolean {
	const last = runs.at(-1)!;
	const isLastRound = top === 1 ? runs.length === ANSWERS_ALONE : last.atOnce >= top;
	return isLastRound || last.failures.length > 0;
}

function busyFinding(
	runs: readonly SpeedRun[],
	{ total, busy }: Slots,
	level: number,
): FindingWithStatus {
	const observed = `${busy ?? 0} requests of others ran before the round with ${level} at once`;
	const slots = total ?? undefined;
	const last = runs.at(-1);
	return last === undefined
		? advise('sweepSkipped', observed, { slots })
		: advise('sweepReduced', observed, { slots, count: last.atOnce });
}

function cutFinding(level: number, lastMs: number, leftMs: number): FindingWithStatus {
	const left = Math.max(0, Math.round(leftMs));
	const observed = `The round before took ${Math.round(lastMs)} ms, ${left} ms were left`;
	return advise('sweepCut', observed, { count: level });
}

async function readSlots(
	slots: () => Promise<Slots>,
	whenBusy: SweepOptions['whenBusy'],
	signal: AbortSignal | undefined,
): Promise<Slots> {
	for (let look = 1; ; look++) {
		const seen = await slots();
		if ((seen.busy ?? 0) === 0 || whenBusy === 'measure' || look === LOOKS) return seen;
		// What ends the pause ends the next look too, with a better error.
		await pauseFor(LOOK_AGAIN_MS, signal).catch(() => undefined);
	}
}
