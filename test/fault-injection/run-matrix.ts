/** Runs cases concurrently. */
import { type CaseResult, runCase } from './run-case';
import { isCutShort, problemsOf } from './check-case';
import { type CaseName, limitMsOf } from './matrix';
import type { NodeSet } from './operation';
import { pause } from './fault-server';
import { type Prepared, prepare } from './node-runner';

export interface CheckedCase extends CaseName {
	result: CaseResult;
	problems: string[];
}

/** Concurrent cases among those that transfer 100 MB, or endless text. */
const HEAVY_AT_ONCE = 3;
/** Tolerance beyond a timeout on an idle machine. */
const LATE_MS = 3_000;
/**
 * On a busy machine a low timeout (of the node, or of identifying the server) may expire before the fault. Then the case runs
 * again with timeouts multiplied by this; real problems occur again.
 */
const PATIENCE = 10;

/** Responses of the simulators, each recorded once. */
export class Recordings {
	private readonly known = new Map<string, Promise<Prepared>>();

	constructor(private readonly nodes: NodeSet) {}

	async of({ operation, phase }: Pick<CaseName, 'operation' | 'phase'>): Promise<Prepared> {
		const tools = phase === 'call';
		const name = `${operation.label} ${tools}`;
		const known = this.known.get(name) ?? prepare(this.nodes, operation, tools);
		this.known.set(name, known);
		return await known;
	}
}

/**
 * Runs the cases, `atOnce` at a time.
 *
 * @param onDone called after each one
 */
export async function runCases(
	nodes: NodeSet,
	cases: readonly CaseName[],
	{ atOnce, onDone }: { atOnce: number; onDone?: (done: CheckedCase) => void },
): Promise<CheckedCase[]> {
	const recordings = new Recordings(nodes);
	const lag = new LagMeter();
	const heavy = new Places(HEAVY_AT_ONCE);
	const results = new Array<CheckedCase>(cases.length);
	let next = 0;
	const worker = async () => {
		for (let at = next++; at < cases.length; at = next++) {
			const testCase = cases[at]!;
			const isHeavy =
				testCase.fault === 'huge' || testCase.fault === 'endless' || testCase.phase === 'upload';
			if (isHeavy) await heavy.enter();
			const prepared = await recordings.of(testCase);
			const run = async (patience: number): Promise<CheckedCase & { lagMs: number }> => {
				const before = lag.total;
				const result = await runCase(nodes, prepared, testCase.phase, testCase.fault, patience);
				const lagMs = lag.total - before;
				const lateMs =
					LATE_MS + lagMs + (patience - 1) * limitMsOf(testCase.operation, testCase.phase);
				return { ...testCase, result, lagMs, problems: problemsOf(testCase, result, lateMs) };
			};
			const first = await run(1);
			const stoodStill = first.problems.length > 0 && first.lagMs > LATE_MS;
			const done = stoodStill || isCutShort(testCase, first.result) ? await run(PATIENCE) : first;
			if (isHeavy) heavy.leave();
			results[at] = done;
			onDone?.(done);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, cases.length) }, worker));
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
