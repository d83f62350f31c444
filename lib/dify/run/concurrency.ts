import { afterMs } from '../../http/limits';
import { RequestQueue } from '../../http/queue';

/** Runs in a row without a refusal after which the limit is raised by one. */
const RUNS_BEFORE_MORE = 8;

/** Dify frees the place of a run a moment after its stream has ended. */
const AFTER_END_MS = 200;

/**
 * Limits the concurrent runs of one app by this n8n. An app with a limit refuses further runs. If own runs use up the
 * limit, the next run waits for one of them to end, and fewer are sent at once from then on.
 */
export class RunConcurrency {
	/** Unlimited until Dify refuses a run. */
	private readonly queue = new RequestQueue(Infinity);
	private readonly leaving: Array<() => void> = [];
	private sinceRefusal = 0;

	/** @param onIdle called when no run has a place or waits for one */
	constructor(private readonly onIdle: () => void = () => {}) {}

	/** Waits for a place. @throws the reason of the signal when that aborts */
	async enter(signal?: AbortSignal): Promise<void> {
		this.leaving.push(await this.queue.enter({ signal }));
	}

	/** Gives the place back; in a limited app a moment later, as Dify does. */
	leave(): void {
		if (this.queue.limit === Infinity) this.free();
		else afterMs(AFTER_END_MS, () => this.free());
	}

	/** Dify accepted a run. */
	accepted(): void {
		if (++this.sinceRefusal < RUNS_BEFORE_MORE) return;
		this.sinceRefusal = 0;
		this.queue.limit++;
	}

	/**
	 * Dify refused a run for too many at once: frees its place.
	 *
	 * @returns whether own runs hold places, so that it helps to enter again
	 */
	refused(): boolean {
		const others = this.queue.active - 1;
		this.sinceRefusal = 0;
		if (others > 0) this.queue.limit = Math.min(this.queue.limit, others);
		this.free();
		return others > 0;
	}

	private free(): void {
		this.leaving.pop()?.();
		if (this.queue.active === 0 && this.queue.length === 0) this.onIdle();
	}
}

const ofApps = new Map<string, RunConcurrency>();

/** The limit of one app, shared by all executions of this n8n while any of them runs. @param app identifies it */
export function concurrencyOf(app: string): RunConcurrency {
	const known = ofApps.get(app);
	if (known !== undefined) return known;
	const made = new RunConcurrency(() => ofApps.delete(app));
	ofApps.set(app, made);
	return made;
}
