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
	/** Maximum number of items processed at the same time. Default: 1. */
	concurrency?: number;
	/** Items with the same key are processed one after another, in their order. */
	getSequenceKey?: (itemIndex: number) => string | undefined;
	/** The error with which the node fails. */
	toNodeError(error: ItemError): NodeOperationError;
	/** The result of a failed item with "continue on fail". */
	toFailedResult(error: ItemError): T;
	/** Called for such an item with the chat message, which contains no address. */
	onFailure?: (itemIndex: number, text: string) => Promise<void>;
}

/**
 * Processes all items concurrently, and returns their results in the order of the items. With "continue on fail",
 * `toFailedResult` returns the result of a failed item; otherwise the first error aborts the others.
 *
 * @throws {NodeOperationError} for the first item that failed
 */
export async function processItems<T>(
	context: IExecuteFunctions,
	handleItem: ItemHandler<T>,
	options: ItemsOptions<T>,
): Promise<T[]> {
	const poller = new CancelPoller(context);
	const stopPolling = poller.begin();
	const onError = new AbortController();
	const signals = [poller.signal, onError.signal].filter((signal) => signal !== undefined);
	const run = new ItemsRun(context, handleItem, options, AbortSignal.any(signals));
	try {
		await run.processAll(() => onError.abort());
	} finally {
		stopPolling();
	}
	return run.results();
}

class ItemsRun<T> {
	private readonly values: T[];
	private firstError: ItemError | undefined;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly handleItem: ItemHandler<T>,
		private readonly options: ItemsOptions<T>,
		private readonly signal: AbortSignal,
	) {
		// In some n8n versions, a node that an agent uses as a tool has no input items.
		this.values = new Array<T>(Math.max(1, context.getInputData().length));
	}

	/** @param onFailure called if the first error ends the run */
	async processAll(onFailure: () => void): Promise<void> {
		const lanes = this.lanes().values();
		const worker = async () => {
			for (const lane of lanes)
				for (const itemIndex of lane)
					if (!this.signal.aborted) await this.processItem(itemIndex, onFailure);
		};
		const workers = Math.min(this.values.length, Math.max(1, this.options.concurrency ?? 1));
		await Promise.all(Array.from({ length: workers }, worker));
	}

	/** Indexes of the items, grouped by their key. */
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

	/** @throws {NodeOperationError} for the first error; the others are aborts */
	results(): T[] {
		if (this.firstError === undefined) return this.values;
		const error = toPanelError(this.context, this.options.toNodeError(this.firstError));
		throw hideDetailsFromVisitors(this.context, error);
	}

	private async processItem(itemIndex: number, onFailure: () => void): Promise<void> {
		try {
			// A separate signal per item: Node logs a warning for more than ten listeners on one.
			this.values[itemIndex] = await this.handleItem(itemIndex, AbortSignal.any([this.signal]));
		} catch (error) {
			const itemError = error instanceof ItemError ? error : new ItemError(itemIndex, error);
			if (this.context.continueOnFail()) return await this.continueAfter(itemError);
			this.firstError ??= itemError;
			onFailure();
		}
	}

	/** An error of the chat must not affect the other items. */
	private async continueAfter(error: ItemError): Promise<void> {
		const { itemIndex, reason } = error;
		this.values[itemIndex] = this.options.toFailedResult(error);
		const text = getVisitorMessage(this.context) ?? toChatMessage(reason);
		await this.options.onFailure?.(itemIndex, text).catch(() => {});
	}
}
