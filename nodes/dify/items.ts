import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { difyNodeError, errorItem } from './errors';

/** Work on one item. The signal aborts when the execution is stopped, or when another item has failed and the node with it. */
export type ItemWork = (itemIndex: number, signal: AbortSignal) => Promise<INodeExecutionData[]>;

interface ItemsOptions {
	/** Items at the same time. */
	atOnce?: number;
	/** Items with the same key are worked on one after another, in their order. */
	keyOf?: (itemIndex: number) => string | undefined;
	/** Told of an item that failed although the node goes on, in the words that n8n uses in a chat: they name no address. */
	onFailure?: (itemIndex: number, text: string) => Promise<void>;
}

/**
 * Works on all items, several at once, and gives their results in the order of the items. With "continue on fail", an item that fails becomes an
 * error item; otherwise the first failure ends the others.
 */
export async function workOnItems(context: IExecuteFunctions, work: ItemWork, options: ItemsOptions = {}): Promise<INodeExecutionData[]> {
	// n8n gives a node that an agent uses as a tool no input items in some of its versions.
	const count = Math.max(1, context.getInputData().length);
	const results: INodeExecutionData[][] = Array.from({ length: count }, () => []);
	const stops = new Stops(context.getExecutionCancelSignal());
	const failures: Array<{ itemIndex: number; error: unknown }> = [];
	const lanes = new Lanes();

	const one = async (itemIndex: number) => {
		const outcome = await settled(async () => await stops.during(async (signal) => await work(itemIndex, signal)));
		if ('value' in outcome) {
			results[itemIndex] = outcome.value;
		} else if (context.continueOnFail()) {
			results[itemIndex] = [errorItem(context.getNode(), outcome.error, itemIndex)];
			const { message, description } = difyNodeError(context.getNode(), outcome.error);
			// A chat that cannot be told must not cost the other items their answers.
			await settled(async () => await options.onFailure?.(itemIndex, description || message));
		} else {
			failures.push({ itemIndex, error: outcome.error });
			stops.all();
		}
	};

	let next = 0;
	const worker = async () => {
		while (next < count && !stops.came) {
			const itemIndex = next++;
			await lanes.enter(laneOf(options, itemIndex), async () => {
				if (!stops.came) await one(itemIndex);
			});
		}
	};
	await Promise.all(Array.from({ length: Math.min(count, Math.max(1, options.atOnce ?? 1)) }, worker));
	stops.release();
	// The others failed because they were ended.
	const first = failures[0];
	if (first !== undefined) throw difyNodeError(context.getNode(), first.error, first.itemIndex);
	return results.flat();
}

/** An expression that cannot be evaluated fails again, and properly, where the item is worked on. */
function laneOf({ keyOf }: ItemsOptions, itemIndex: number): string | undefined {
	try {
		return keyOf?.(itemIndex);
	} catch {
		return undefined;
	}
}

async function settled<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
	try {
		return { value: await work() };
	} catch (error) {
		return { error };
	}
}

/** Work with the same key waits for the work before it. */
class Lanes {
	private readonly last = new Map<string, Promise<void>>();

	async enter(key: string | undefined, work: () => Promise<void>): Promise<void> {
		if (key === undefined) return await work();
		const turn = (this.last.get(key) ?? Promise.resolve()).then(work, work);
		this.last.set(key, turn);
		await turn;
	}
}

/** Stops all items that are worked on, each by a signal of its own: Node 20 warns in n8n's log of more than ten listeners on one. */
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
