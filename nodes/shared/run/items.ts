import { sleep, type IExecuteFunctions, type NodeOperationError } from 'n8n-workflow';

import { chatText } from '../../../lib/errors/description';
import { timeSlices } from '../../../lib/http/time-slices';
import { CancelWatch } from '../cancel-watch';
import { withoutDetailsForVisitors, visitorMessage } from '../visitors';
import { ItemFailure } from './failed-item';
import { panelError } from './panel-error';

/**
 * Work on one item. The signal aborts when the execution is stopped, or when another item has failed and the node with
 * it.
 */
export type ItemWork<T> = (itemIndex: number, signal: AbortSignal) => Promise<T>;

export interface ItemsOptions<T> {
	/** How many items are worked on at the same time. Default: 1. */
	atOnce?: number;
	/** Items with the same key are worked on one after another, in their order. */
	keyOf?: (itemIndex: number) => string | undefined;
	/** The error with which the node fails. */
	toNodeError(failed: ItemFailure): NodeOperationError;
	/** The result of a failed item with "continue on fail". */
	whenFailed(failed: ItemFailure): T;
	/** Called for such an item with the text for a chat, which has no address. */
	onFailure?: (itemIndex: number, text: string) => Promise<void>;
}

/**
 * Processes all items, several at once, and returns their results in the order of the items. With "continue on fail",
 * `whenFailed` gives the result of a failed item; otherwise the first failure aborts the others.
 *
 * @throws {NodeOperationError} for the first item that failed
 */
export async function workOnItems<T>(
	context: IExecuteFunctions,
	work: ItemWork<T>,
	options: ItemsOptions<T>,
): Promise<T[]> {
	// n8n gives a node that an agent uses as a tool no input items in some of its versions.
	const count = Math.max(1, context.getInputData().length);
	const watch = new CancelWatch(context);
	const stopWatching = watch.begin();
	const stops = new Stops(watch.signal);
	const outcomes = new Outcomes(context, count, options);
	const lanes = new Lanes(count, options.keyOf);
	const workers = Math.min(count, Math.max(1, options.atOnce ?? 1));
	try {
		await workThrough(lanes, stops, workers, async (itemIndex) => {
			const outcome = await settled(
				async () => await stops.during(async (signal) => await work(itemIndex, signal)),
			);
			if ('value' in outcome) outcomes.succeed(itemIndex, outcome.value);
			else if (!(await outcomes.fail(itemIndex, outcome.error))) stops.all();
		});
	} finally {
		stops.release();
		stopWatching();
	}
	return outcomes.results();
}

/** Works on all items, as many at once as there are workers, until all are done or the run stops. */
async function workThrough(
	lanes: Lanes,
	stops: Stops,
	workers: number,
	work: (itemIndex: number) => Promise<void>,
): Promise<void> {
	const pause = timeSlices();
	const worker = async () => {
		while (!stops.came) {
			let itemIndex = lanes.next();
			// The other items are parked in busy lanes, whose workers continue with them.
			if (itemIndex === undefined && lanes.isGivenOut) return;
			if (itemIndex === undefined) {
				await sleep(0);
				continue;
			}
			while (itemIndex !== undefined && !stops.came) {
				await work(itemIndex);
				itemIndex = lanes.nextInLane(itemIndex);
			}
			// Not before the first item: a stop meanwhile would end the run without an error.
			await pause();
		}
	};
	await Promise.all(Array.from({ length: workers }, worker));
}

/** What became of the items. */
class Outcomes<T> {
	private readonly values: T[];
	private readonly failures: ItemFailure[] = [];

	constructor(
		private readonly context: IExecuteFunctions,
		count: number,
		private readonly options: Pick<ItemsOptions<T>, 'toNodeError' | 'whenFailed' | 'onFailure'>,
	) {
		this.values = new Array<T>(count);
	}

	succeed(itemIndex: number, value: T): void {
		this.values[itemIndex] = value;
	}

	/** @returns whether the other items go on, as n8n is set for this node */
	async fail(itemIndex: number, error: unknown): Promise<boolean> {
		const failed = error instanceof ItemFailure ? error : new ItemFailure(itemIndex, error);
		if (!this.context.continueOnFail()) {
			this.failures.push(failed);
			return false;
		}
		this.values[itemIndex] = this.options.whenFailed(failed);
		// An error of the chat must not affect the other items.
		await settled(async () => await this.tellChat(failed));
		return true;
	}

	/** @throws {NodeOperationError} for the first failure; the others are aborts */
	results(): T[] {
		const first = this.failures[0];
		if (first === undefined) return this.values;
		const error = panelError(this.context, this.options.toNodeError(first));
		throw withoutDetailsForVisitors(this.context, error);
	}

	private async tellChat({ itemIndex, reason }: ItemFailure): Promise<void> {
		const text = visitorMessage(this.context) ?? chatText(reason);
		await this.options.onFailure?.(itemIndex, text);
	}
}

async function settled<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
	try {
		return { value: await work() };
	} catch (error) {
		return { error };
	}
}

/** Keys evaluated in a row: their expressions block n8n's event loop. */
const KEYS_AT_ONCE = 50;

/**
 * Schedules items in order, one at a time for each key (lane). An item whose lane is busy is parked there, and the
 * worker of the lane continues with it.
 */
class Lanes {
	private upcoming = 0;
	private readonly keys = new Map<number, string>();
	/** Parked items of each busy lane. */
	private readonly parked = new Map<string, number[]>();

	constructor(
		private readonly count: number,
		private readonly keyOf: ((itemIndex: number) => string | undefined) | undefined,
	) {}

	/** Whether every item was started or parked. */
	get isGivenOut(): boolean {
		return this.upcoming >= this.count;
	}

	/** The next item whose lane is free; undefined where none was found among the next items. */
	next(): number | undefined {
		for (let looked = 0; looked < KEYS_AT_ONCE && !this.isGivenOut; looked++) {
			const itemIndex = this.upcoming++;
			const key = this.evaluated(itemIndex);
			if (key === undefined) return itemIndex;
			const lane = this.parked.get(key);
			this.keys.set(itemIndex, key);
			if (lane === undefined) {
				this.parked.set(key, []);
				return itemIndex;
			}
			lane.push(itemIndex);
		}
		return undefined;
	}

	/** The next parked item of the same lane. Without one, the lane is free again. */
	nextInLane(itemIndex: number): number | undefined {
		const key = this.keys.get(itemIndex);
		if (key === undefined) return undefined;
		const next = this.parked.get(key)?.shift();
		if (next === undefined) this.parked.delete(key);
		return next;
	}

	/** The key of an item. A failing expression is ignored here: it fails again when the item is processed. */
	private evaluated(itemIndex: number): string | undefined {
		try {
			return this.keyOf?.(itemIndex);
		} catch {
			return undefined;
		}
	}
}

/** Aborts all running items, each by its own signal: Node 20 logs a warning for more than ten listeners on one. */
class Stops {
	came = false;
	private readonly running = new Set<AbortController>();
	private readonly onAbort = () => this.all(this.signal?.reason);

	constructor(private readonly signal: AbortSignal | undefined) {
		if (signal?.aborted === true) this.came = true;
		else signal?.addEventListener('abort', this.onAbort, { once: true });
	}

	all(reason?: unknown): void {
		this.came = true;
		for (const controller of this.running) controller.abort(reason);
	}

	async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
		const controller = new AbortController();
		this.running.add(controller);
		try {
			return await work(controller.signal);
		} finally {
			this.running.delete(controller);
		}
	}

	release(): void {
		this.signal?.removeEventListener('abort', this.onAbort);
	}
}
