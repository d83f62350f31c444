/** Runs cells concurrently. */
import { type CellResult, runCell } from './run-case';
import { isCutShort, problemsOf } from './check-case';
import { type CellName, limitMsOf } from './matrix';
import type { NodeSet } from './operation';
import { pause } from './fault-server';
import { type Prepared, prepare } from './node-runner';

export interface RunCell extends CellName {
	result: CellResult;
	problems: string[];
}

/** Concurrent cells among those that transfer 100 MB, or endless text. */
const HEAVY_AT_ONCE = 3;
/** Tolerance beyond a limit on an idle machine. */
const LATE_MS = 3_000;
/**
 * On a busy machine a low limit (of the node, or of identifying the server) may expire before the fault. Then the cell runs
 * again with limits multiplied by this; real problems occur again.
 */
const PATIENCE = 10;

/** Answers of the simulators, each recorded once. */
export class Recordings {
	private readonly known = new Map<string, Promise<Prepared>>();

	constructor(private readonly nodes: NodeSet) {}

	async of({ operation, phase }: Pick<CellName, 'operation' | 'phase'>): Promise<Prepared> {
		const tools = phase === 'call';
		const name = `${operation.label} ${tools}`;
		const known = this.known.get(name) ?? prepare(this.nodes, operation, tools);
		this.known.set(name, known);
		return await known;
	}
}

/**
 * Runs the cells, `atOnce` at a time.
 *
 * @param onDone called after each one
 */
export async function runCells(
	nodes: NodeSet,
	cells: readonly CellName[],
	{ atOnce, onDone }: { atOnce: number; onDone?: (done: RunCell) => void },
): Promise<RunCell[]> {
	const recordings = new Recordings(nodes);
	const lag = new LagMeter();
	const heavy = new Places(HEAVY_AT_ONCE);
	const results = new Array<RunCell>(cells.length);
	let next = 0;
	const worker = async () => {
		for (let at = next++; at < cells.length; at = next++) {
			const cell = cells[at]!;
			const isHeavy = cell.fault === 'huge' || cell.fault === 'endless' || cell.phase === 'upload';
			if (isHeavy) await heavy.enter();
			const prepared = await recordings.of(cell);
			const run = async (patience: number): Promise<RunCell & { lagMs: number }> => {
				const before = lag.total;
				const result = await runCell(nodes, prepared, cell.phase, cell.fault, patience);
				const lagMs = lag.total - before;
				const lateMs = LATE_MS + lagMs + (patience - 1) * limitMsOf(cell.operation, cell.phase);
				return { ...cell, result, lagMs, problems: problemsOf(cell, result, lateMs) };
			};
			const first = await run(1);
			const stoodStill = first.problems.length > 0 && first.lagMs > LATE_MS;
			const done = stoodStill || isCutShort(cell, first.result) ? await run(PATIENCE) : first;
			if (isHeavy) heavy.leave();
			results[at] = done;
			onDone?.(done);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, cells.length) }, worker));
	lag.stop();
	return results;
}

class Places {
	private free: number;
	private readonly waiting: Array<() => void> = [];

	constructor(count: number) {
		this.free = count;
	}

	async enter(): Promise<void> {
		if (this.free > 0) {
			this.free -= 1;
			return;
		}
		await new Promise<void>((resolve) => {
			this.waiting.push(resolve);
		});
	}

	leave(): void {
		const next = this.waiting.shift();
		if (next === undefined) this.free += 1;
		else next();
	}
}

/** Measures how long this process was blocked, since it is both sides of every connection. */
class LagMeter {
	/** Milliseconds. */
	total = 0;
	private running = true;

	constructor() {
		void this.watch();
	}

	stop(): void {
		this.running = false;
	}

	private async watch(): Promise<void> {
		while (this.running) {
			const before = performance.now();
			await pause(50);
			this.total += Math.max(0, performance.now() - before - 60);
		}
	}
}
