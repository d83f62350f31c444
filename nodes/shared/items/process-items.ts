/** Processes the items of a node, several at the same time. */
import type { IExecuteFunctions } from 'n8n-workflow';
import { isToolType, NodeOperationError } from 'n8n-workflow';
import { anySignal } from '../../../lib/http/abort';
import { createTurns } from '../../../lib/http/event-loop-turns';
import { tryOrUndefined } from '../../../lib/values/try-or-undefined';
import { ItemError } from './item-error';
import { toShownError } from '../../../lib/n8n/shown-error';
import { getVisitorMessage } from '../../../lib/n8n/visitor-message';
import { toOwnerChatText } from '../../../lib/errors/describe-error';
import { ServerError } from '../../../lib/errors/server-error';
import { CancelPoller } from '../../../lib/n8n/cancel-poller';

/**
 * Work on one item. The signal aborts when the execution is stopped, or when another item has failed and the node with
 * it.
 */
export type ItemHandler<T> = (itemIndex: number, signal: AbortSignal) => Promise<T>;

export interface ItemsOptions {
	/** Maximum number of items processed at the same time. Default: 1. */
	concurrency?: number;
	/** Items with the same key are processed one after another, in their order. */
	getSequenceKey?: (itemIndex: number) => string | undefined;
	/** The error with which the node fails. */
	toNodeError(error: ItemError): NodeOperationError;
	/** Called for each item that succeeded, or failed with "continue on fail". */
	onFinished?: (itemIndex: number, finished: { hasFailed: boolean }) => void;
	/** Called for a failed item with "continue on fail" with the text for the chat, which contains no address. */
	onFailure?: (itemIndex: number, text: string) => Promise<void>;
}

/** Called with the results so far before the node fails, unless it was stopped. */
type KeepFinished<T> = (
	error: NodeOperationError,
	results: ReadonlyArray<T | ItemError | undefined>,
) => void;

/**
 * Processes all items concurrently. With "continue on fail", the result of a failed item is its error.
 *
 * @returns the results in the order of the items.
 * @throws the first error, which aborts the other items, unless the node continues on errors.
 */
export async function processItems<T>(
	context: IExecuteFunctions,
	handleItem: ItemHandler<T>,
	options: ItemsOptions & { keepFinished?: KeepFinished<T> },
): Promise<Array<T | ItemError>> {
	const poller = new CancelPoller(context);
	const stopPolling = poller.begin();
	const isStopped = () => poller.signal?.aborted === true;
	const onError = new AbortController();
	const signal = anySignal(poller.signal, onError.signal);
	// In some n8n versions, a node that an agent uses as a tool has no input items.
	const results = new Array<T | ItemError>(Math.max(1, context.getInputData().length));
	const errors: ItemError[] = [];
	const processItem = async (itemIndex: number, itemSignal: AbortSignal) => {
		try {
			results[itemIndex] = await handleItem(itemIndex, itemSignal);
			options.onFinished?.(itemIndex, { hasFailed: false });
		} catch (error) {
			const itemError = error instanceof ItemError ? error : new ItemError(itemIndex, error);
			if (context.continueOnFail()) return await continueAfter(itemError);
			errors.push(itemError);
			onError.abort();
		}
	};
	/** An error of the chat must not affect the other items. */
	const continueAfter = async (error: ItemError) => {
		results[error.itemIndex] = error;
		options.onFinished?.(error.itemIndex, { hasFailed: true });
		// The chat keeps exactly the text so far.
		if (isStopped()) return;
		const text = getVisitorMessage(context) ?? toOwnerChatText(error.reason, '');
		await options.onFailure?.(error.itemIndex, text).catch(() => {});
	};
	const lanes = groupBySequence(results.length, options).values();
	// Items that ended together start the next ones together: n8n evaluates their expressions faster one after another than
	// with other work in between (docs/decisions.md, "Items that start together").
	const nextTurn = createTurns();
	const worker = async () => {
		// A separate signal: Node logs a warning for more than ten listeners on one.
		const workerSignal = AbortSignal.any([signal]);
		for (const lane of lanes) {
			for (const itemIndex of lane) {
				if (signal.aborted) return;
				await nextTurn();
				// After an error, no item starts. After Stop, this one does, and its error says that the execution was stopped.
				if (onError.signal.aborted) return;
				await processItem(itemIndex, workerSignal);
			}
		}
	};
	try {
		await Promise.all(
			Array.from(
				{ length: Math.min(results.length, Math.max(1, options.concurrency ?? 1)) },
				worker,
			),
		);
	} finally {
		stopPolling();
	}
	// After the first error, the others are aborts.
	const [firstError] = errors;
	if (firstError === undefined) return results;
	const nodeError = toShownError(context, options.toNodeError(firstError), firstError.reason);
	nodeError.message += getPosition(firstError, context);
	// n8n would add it to the text that the chat shows, as if the response had failed.
	if (isStopped()) nodeError.description = undefined;
	else options.keepFinished?.(nodeError, results);
	throw nodeError;
}

/**
 * Which item failed, behind the title in the panel: counted from 1, as texts and documents are, and only if there are others.
 * n8n's own errors have their own count.
 */
function getPosition(
	{ itemIndex, reason, isOfNode }: ItemError,
	context: Pick<IExecuteFunctions, 'getNode' | 'getInputData'>,
): string {
	const count = context.getInputData().length;
	// "Text 2" of the second item says it already.
	const isNamed = reason instanceof ServerError && reason.facts.index === itemIndex;
	const isOther = reason instanceof NodeOperationError || isToolType(context.getNode().type);
	return count < 2 || isOfNode || isNamed || isOther ? '' : ` (item ${itemIndex + 1} of ${count})`;
}

/** Indexes of the items, grouped by their key. */
function groupBySequence(count: number, { getSequenceKey }: ItemsOptions) {
	const itemIndexes = Array.from({ length: count }, (_, itemIndex) => itemIndex);
	// A failing expression fails again when the item is processed.
	return Map.groupBy<unknown, number>(
		itemIndexes,
		(itemIndex) => tryOrUndefined(() => getSequenceKey?.(itemIndex)) ?? itemIndex,
	);
}
