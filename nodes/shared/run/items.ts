import type { IExecuteFunctions, NodeOperationError } from 'n8n-workflow';

import { chatText } from '../../../lib/errors/description';
import { quietly } from '../../../lib/values';
import { CancelWatch } from '../cancel-watch';
import { ItemFailure, panelError, visitorMessage, withoutDetailsForVisitors } from './failed-item';

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
	const watch = new CancelWatch(context);
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
	private firstFailure: ItemFailure | undefined;
	private next = 0;
	private readonly keys = new Map<number, string>();
	/** The items that wait for another one of the same key. */
	private readonly parked = new Map<string, number[]>();

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly work: ItemWork<T>,
		private readonly options: ItemsOptions<T>,
		private readonly stop: AbortSignal,
	) {
		// n8n gives a node that an agent uses as a tool no input items in some of its versions.
		this.values = new Array<T>(Math.max(1, context.getInputData().length));
	}

	/** @param onFailure called where the first failure ends the run */
	async all(onFailure: () => void): Promise<void> {
		const worker = async () => {
			for (let first = this.free(); first !== undefined; first = this.free())
				for (let item: number | undefined = first; item !== undefined; item = this.behind(item))
					await this.one(item, onFailure);
		};
		const workers = Math.min(this.values.length, Math.max(1, this.options.atOnce ?? 1));
		await Promise.all(Array.from({ length: workers }, worker));
	}

	/** The next item of whose key no other is worked on. Those of a busy key are parked behind it. */
	private free(): number | undefined {
		while (this.next < this.values.length && !this.stop.aborted) {
			const itemIndex = this.next++;
			// A failing expression fails again when the item is processed.
			const key = quietly(() => this.options.keyOf?.(itemIndex));
			if (key === undefined) return itemIndex;
			this.keys.set(itemIndex, key);
			const parked = this.parked.get(key);
			if (parked === undefined) this.parked.set(key, []);
			if (parked === undefined) return itemIndex;
			parked.push(itemIndex);
		}
		return undefined;
	}

	/** The item that was parked behind another one. Without any, their key is free again. */
	private behind(itemIndex: number): number | undefined {
		const key = this.keys.get(itemIndex);
		if (key === undefined || this.stop.aborted) return undefined;
		const next = this.parked.get(key)?.shift();
		if (next === undefined) this.parked.delete(key);
		return next;
	}

	/** @throws {NodeOperationError} for the first failure; the others are aborts */
	results(): T[] {
		if (this.firstFailure === undefined) return this.values;
		const error = panelError(this.context, this.options.toNodeError(this.firstFailure));
		throw withoutDetailsForVisitors(this.context, error);
	}

	private async one(itemIndex: number, onFailure: () => void): Promise<void> {
		try {
			// A signal of its own: Node logs a warning for more than ten listeners on one.
			this.values[itemIndex] = await this.work(itemIndex, AbortSignal.any([this.stop]));
		} catch (error) {
			const failure = error instanceof ItemFailure ? error : new ItemFailure(itemIndex, error);
			if (this.context.continueOnFail()) return await this.goOn(failure);
			this.firstFailure ??= failure;
			onFailure();
		}
	}

	/** An error of the chat must not affect the other items. */
	private async goOn(failure: ItemFailure): Promise<void> {
		const { itemIndex, reason } = failure;
		this.values[itemIndex] = this.options.whenFailed(failure);
		const text = visitorMessage(this.context) ?? chatText(reason);
		await this.options.onFailure?.(itemIndex, text).catch(() => {});
	}
}
