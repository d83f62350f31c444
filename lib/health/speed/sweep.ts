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

/**
 * Measures with more and more requests at once, up to the slots of the server. Looks before each round whether others
 * came, and takes no slot from them unless told to.
 *
 * @throws {ServerError} of kind `aborted`
 */
export async function sweep(
	run: RunRound,
	slots: () => Promise<Slots>,
	{ whenBusy, limitMs, most, totalMs, signal }: SweepOptions & { most: number; totalMs: number },
): Promise<{ runs: SpeedRun[]; findings: FindingWithStatus[] }> {
	const startedAt = performance.now();
	const runs: SpeedRun[] = [];
	let lastMs = 0;
	for (let wanted = 1; ; wanted = Math.min(wanted * 2, most)) {
		const { total, busy } = await readSlots(slots, whenBusy, signal);
		const top = Math.min(most, total ?? most);
		const others = busy ?? 0;
		const free =
			whenBusy === 'measure' || others === 0
				? top
				: Math.min(top, whenBusy === 'skip' ? 0 : (total ?? 0) - others);
		const level = Math.min(wanted, top);
		const known = total === null ? {} : { slots: total };
		if (free < level) {
			const observed = `${others} requests of others ran before the round with ${level} at once`;
			// Measures with the free slots, if they are more than in the round before.
			if (free > (runs.at(-1)?.atOnce ?? 0)) runs.push(await run(free, totalMs));
			const finding =
				runs.length === 0
					? advise('sweepSkipped', observed, known)
					: advise('sweepReduced', observed, { count: runs.at(-1)!.atOnce, ...known });
			return { runs, findings: [finding] };
		}
		const leftMs = limitMs - (performance.now() - startedAt);
		// Twice as many take up to twice as long.
		if (runs.length > 0 && leftMs < 2 * lastMs) {
			const observed = `The round before took ${Math.round(lastMs)} ms, ${Math.max(0, Math.round(leftMs))} ms were left`;
			return { runs, findings: [advise('sweepCut', observed, { count: level })] };
		}
		const before = performance.now();
		runs.push(await run(level, Math.min(totalMs, Math.max(1, leftMs))));
		lastMs = performance.now() - before;
		const isAll = top === 1 ? runs.length === ANSWERS_ALONE : level >= top;
		if (isAll || runs.at(-1)!.failures.length > 0) return { runs, findings: [] };
	}
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
