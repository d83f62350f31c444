import type { IExecuteFunctions, NodeOperationError } from 'n8n-workflow';

import { toChatMessage } from '../../../lib/errors/describe-error';
import { tryOrUndefined } from '../../../lib/values';
import { CancelPoller } from '../cancel-poller';
import { ItemError, toPanelError, getVisitorMessage, hideDetailsFromVisitors } from './item-error';

/**
 * Work on one item. The signal aborts when the execution is stopped, or when another item has failed and the node with
 * it.
 */
export type ItemHandler<T> = (itemIndex: number, signal: AbortSignal) => Promise<T>;

export interface ItemsOptions<T> {
	/** How many items are worked on at the same time. Default: 1. */
	concurrency?: number;
	/** Items with the same key are worked on one after another, in their order. */
	getSequenceKey?: (itemIndex: number) => string | undefined;
	/** The error with which the node fails. */
	toNodeError(failed: ItemError): NodeOperationError;
	/** The result of a failed item with "continue on fail". */
	toFailedResult(failed: ItemError): T;
	/** Called for such an item with the text for a chat, which has no address. */
	onFailure?: (itemIndex: number, text: string) => Promise<void>;
}

/**
 * Processes all items, several at once, and returns their results in the order of the items. With "continue on fail",
 * `whenFailed` gives the result of a failed item; otherwise the first failure aborts the others.
 *
 * @throws {NodeOperationError} for the first item that failed
 */
export async function processItems<T>(
	context: IExecuteFunctions,
	work: ItemHandler<T>,
	options: ItemsOptions<T>,
): Promise<T[]> {
	const watch = new CancelPoller(context);
	const stopWatching = watch.begin();
	const failed = new AbortController();
	const stops = [watch.signal, failed.signal].filter((signal) => signal !== undefined);
	const run = new ItemsRun(context, work, options, AbortSignal.any(stops));
	try {
		await run.all(() => failed.abort());
	} finally {
		stopWatching();
	}
	return run.results();
}

class ItemsRun<T> {
	private readonly values: T[];
	private firstFailure: ItemError | undefined;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly work: ItemHandler<T>,
		private readonly options: ItemsOptions<T>,
		private readonly stop: AbortSignal,
	) {
		// n8n gives a node that an agent uses as a tool no input items in some of its versions.
		this.values = new Array<T>(Math.max(1, context.getInputData().length));
	}

	/** @param onFailure called where the first failure ends the run */
	async all(onFailure: () => void): Promise<void> {
		const lanes = this.lanes().values();
		const worker = async () => {
			for (const lane of lanes)
				for (const itemIndex of lane) if (!this.stop.aborted) await this.one(itemIndex, onFailure);
		};
		const workers = Math.min(this.values.length, Math.max(1, this.options.concurrency ?? 1));
		await Promise.all(Array.from({ length: workers }, worker));
	}

	/** The items, those of one key behind each other. */
	private lanes(): number[][] {
		const lanes = new Map<unknown, number[]>();
		for (const itemIndex of this.values.keys()) {
			// A failing expression fails again when the item is processed.
			const key = tryOrUndefined(() => this.options.getSequenceKey?.(itemIndex)) ?? itemIndex;
			const lane = lanes.get(key) ?? [];
			lane.push(itemIndex);
			lanes.set(key, lane);
		}
		return [...lanes.values()];
	}

	/** @throws {NodeOperationError} for the first failure; the others are aborts */
	results(): T[] {
		if (this.firstFailure === undefined) return this.values;
		const error = toPanelError(this.context, this.options.toNodeError(this.firstFailure));
		throw hideDetailsFromVisitors(this.context, error);
	}

	private async one(itemIndex: number, onFailure: () => void): Promise<void> {
		try {
			// A signal of its own: Node logs a warning for more than ten listeners on one.
			this.values[itemIndex] = await this.work(itemIndex, AbortSignal.any([this.stop]));
		} catch (error) {
			const failure = error instanceof ItemError ? error : new ItemError(itemIndex, error);
			if (this.context.continueOnFail()) return await this.continueAfter(failure);
			this.firstFailure ??= failure;
			onFailure();
		}
	}

	/** An error of the chat must not affect the other items. */
	private async continueAfter(failure: ItemError): Promise<void> {
		const { itemIndex, reason } = failure;
		this.values[itemIndex] = this.options.toFailedResult(failure);
		const text = getVisitorMessage(this.context) ?? toChatMessage(reason);
		await this.options.onFailure?.(itemIndex, text).catch(() => {});
	}
}
