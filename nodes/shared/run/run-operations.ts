import type {
	IExecuteFunctions,
	INode,
	INodeExecutionData,
	INodeProperties,
	NodeOperationError,
} from 'n8n-workflow';
import type { NodeErrorOptions } from '../../../lib/errors/node-error';
import { toNodeError } from '../../../lib/errors/node-error';
import { anySignal } from '../../../lib/http/sleep';
import { memoize } from '../../../lib/lru-cache';
import { tryOrUndefined } from '../../../lib/values/attempt';
import { NodeParameters } from '../parameters';
import { ChatStream, shouldStreamToChat } from './chat-stream';
import { toErrorItem, ItemError, toPanelError, getVisitorMessage } from './item-error';
import { explainInput } from './explain-input';
import { addHintOnce } from './hints';
import type { Operation, OperationTable } from './operations';
import { toExecutionItem } from './operations';
import { toChatMessage } from '../../../lib/errors/describe-error';
import { CancelPoller } from '../cancel-poller';

export interface RunOperationsOptions<Access extends object> {
	table: Pick<OperationTable<Operation<Access>>, 'getOperation'>;
	/** Creates the clients from the credential of an item. */
	getAccess(itemIndex: number, signal: AbortSignal): Promise<Access>;
	/** Creates n8n's error, with its details in `context.data`. */
	createNodeError?(node: INode, error: unknown, options: NodeErrorOptions): NodeOperationError;
	/** Number of outputs of the node; failed items are sent to the last one. Default: 1. */
	outputs?: number;
}

/** Runs the operation of each item, and returns the items of each output. */
export async function runOperations<Access extends object>(
	context: IExecuteFunctions,
	{ table, getAccess, createNodeError = toNodeError, outputs = 1 }: RunOperationsOptions<Access>,
): Promise<INodeExecutionData[][]> {
	const getOperation = (itemIndex: number) => table.getOperation(context, itemIndex);
	const toItemNodeError = ({ reason, itemIndex }: ItemError) =>
		createNodeError(context.getNode(), reason, { itemIndex });
	const getGroup = memoize((operation: Operation<never>) =>
		collectGroup(context, getOperation, operation),
	);
	const readParameters = (itemIndex: number, { fields }: Operation<never>) =>
		new NodeParameters(context, itemIndex, fields);
	const { streamsToChat, concurrency } = planRun(context, getOperation);
	const results = await processItems(
		context,
		async (itemIndex, signal) => {
			const operation = getOperation(itemIndex);
			const group = getGroup(operation);
			const itemIndexes = group.length > 0 ? group : [itemIndex];
			// The first item of a group processes the whole group, and reports what is wrong with each item.
			if (itemIndexes[0] !== itemIndex) return [];
			const parametersOf = (index: number) => readParameters(index, operation);
			const parameters = parametersOf(itemIndex);
			const { streams } = readConcurrency(parameters);
			const typing = streamsToChat && streams ? new ChatStream(context, itemIndex) : undefined;
			const call = {
				...(await openFirst(itemIndexes, async (index) => await getAccess(index, signal))),
				context,
				itemIndex,
				itemIndexes,
				parameters,
				parametersOf,
				accessOf: async (index: number) => await getAccess(index, signal),
				signal,
				typing,
				hint: (message: string) => addHintOnce(context, message),
			};
			const explain = ({ itemIndex: index, reason, facts }: ItemError) => {
				const input = { context, properties: operation.fields, itemIndex: index };
				return new ItemError(index, explainInput(reason, input), facts);
			};
			const result = await operation.run(call).catch(async (error: unknown) => {
				await typing?.breakLine();
				throw explain(error instanceof ItemError ? error : new ItemError(itemIndex, error));
			});
			await typing?.end();
			const from = itemIndexes.length > 1 ? [...itemIndexes] : itemIndex;
			return [result]
				.flat()
				.map((item) => (item instanceof ItemError ? explain(item) : { from, ...item }));
		},
		{
			concurrency,
			getSequenceKey: (itemIndex) => {
				const operation = getOperation(itemIndex);
				return operation.getSequenceKey?.(readParameters(itemIndex, operation));
			},
			toNodeError: toItemNodeError,
			onFailure: streamsToChat
				? async (itemIndex, text) => await context.sendChunk('error', itemIndex, text)
				: undefined,
		},
	);
	const lastOutput = outputs - 1;
	const items: INodeExecutionData[][] = Array.from({ length: outputs }, () => []);
	for (const result of results.flat()) {
		if (result instanceof ItemError)
			items[lastOutput]!.push(toErrorItem(toItemNodeError(result), result.itemIndex, result.facts));
		else items[Math.min(result.output ?? 0, lastOutput)]!.push(toExecutionItem(result));
	}
	return items;
}

/** Indexes of the items that an operation processes together; empty if it processes each item alone. */
function collectGroup(
	context: IExecuteFunctions,
	getOperation: (itemIndex: number) => Operation<never>,
	operation: Operation<never>,
) {
	const { runsOnceForAllItems: runsOnce, fields } = operation;
	if (runsOnce === undefined) return [];
	const count = Math.max(1, context.getInputData().length);
	// An unreadable value is reported when that item is processed.
	const itemIndexes = Array.from({ length: count }, (_, itemIndex) => itemIndex).filter(
		(itemIndex) => tryOrUndefined(() => getOperation(itemIndex)) === operation,
	);
	if (runsOnce === true) return itemIndexes;
	for (const itemIndex of itemIndexes) {
		const parameters = new NodeParameters(context, itemIndex, fields);
		const isGroup = tryOrUndefined(() => runsOnce(parameters));
		if (isGroup !== undefined) return isGroup ? itemIndexes : [];
	}
	return [];
}

/** How the items of an operation run. */
interface Concurrency {
	/** Whether the text is streamed into a chat, if there is one. */
	streams: boolean;
	maxConcurrentItems: number;
}

/** Streaming and concurrency of an operation, by its options. Defaults: no streaming, one item at a time. */
function readConcurrency(parameters: NodeParameters): Concurrency {
	const { properties } = parameters;
	const canStream = findOption(properties, 'enableStreaming') !== undefined;
	const option = findOption(properties, 'maxConcurrentItems');
	return {
		streams: canStream && parameters.boolean('options.enableStreaming', true),
		// Without the option, no other one is read: its expression may fail.
		maxConcurrentItems:
			option === undefined
				? 1
				: parameters.number('options.maxConcurrentItems', Number(option.default ?? 1)),
	};
}

/**
 * The access of the first item that has one: in a group, an item without access must not take the others with it.
 *
 * @throws the error of the first item if none has.
 */
async function openFirst<Access>(
	[itemIndex, ...others]: readonly number[],
	open: (itemIndex: number) => Promise<Access>,
): Promise<Access> {
	return await open(itemIndex!).catch(async (error: unknown) => {
		for (const index of others) {
			const access = await open(index).catch(() => undefined);
			if (access !== undefined) return access;
		}
		throw error;
	});
}

function findOption(fields: readonly INodeProperties[], name: string) {
	const { options = [] } = fields.find((field) => field.name === 'options') ?? {};
	return (options as INodeProperties[]).find((option) => option.name === name);
}

/**
 * Streaming and concurrency for all items, from the options of the first. An unreadable value is reported when that
 * item is processed.
 */
function planRun(
	context: IExecuteFunctions,
	getOperation: (itemIndex: number) => Operation<never>,
) {
	let isChat = false;
	try {
		const { fields } = getOperation(0);
		isChat = findOption(fields, 'enableStreaming') !== undefined && shouldStreamToChat(context);
		const { streams, maxConcurrentItems } = readConcurrency(new NodeParameters(context, 0, fields));
		const streamsToChat = streams && isChat;
		// The chat shows all chunks of a node in one message: concurrent responses would be mixed.
		return { streamsToChat, concurrency: streamsToChat ? 1 : maxConcurrentItems };
	} catch {
		return { streamsToChat: isChat, concurrency: 1 };
	}
}

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
	/** Called for a failed item with "continue on fail" with the chat message, which contains no address. */
	onFailure?: (itemIndex: number, text: string) => Promise<void>;
}

/**
 * Processes all items concurrently. With "continue on fail", the result of a failed item is its error.
 *
 * @returns the results in the order of the items.
 * @throws the first error, which aborts the other items, unless the node continues on errors.
 */
export async function processItems<T>(
	context: IExecuteFunctions,
	handleItem: ItemHandler<T>,
	options: ItemsOptions,
): Promise<Array<T | ItemError>> {
	const poller = new CancelPoller(context);
	const stopPolling = poller.begin();
	const onError = new AbortController();
	const signal = anySignal(poller.signal, onError.signal);
	// In some n8n versions, a node that an agent uses as a tool has no input items.
	const results = new Array<T | ItemError>(Math.max(1, context.getInputData().length));
	const errors: ItemError[] = [];
	const processItem = async (itemIndex: number) => {
		try {
			// A separate signal per item: Node logs a warning for more than ten listeners on one.
			results[itemIndex] = await handleItem(itemIndex, AbortSignal.any([signal]));
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
		const text = getVisitorMessage(context) ?? toChatMessage(error.reason, '');
		await options.onFailure?.(error.itemIndex, text).catch(() => {});
	};
	const lanes = groupBySequence(results.length, options).values();
	const worker = async () => {
		for (const lane of lanes) {
			for (const itemIndex of lane) {
				if (!signal.aborted) await processItem(itemIndex);
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
	throw toPanelError(context, options.toNodeError(firstError), firstError.reason);
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
