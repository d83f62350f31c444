import type {
	IExecuteFunctions,
	INode,
	INodeExecutionData,
	INodeProperties,
	NodeOperationError,
} from 'n8n-workflow';

import { toNodeError, type NodeErrorOptions } from '../../../lib/errors/node-error';
import { memoize } from '../../../lib/lru-cache';
import { tryOrUndefined } from '../../../lib/values';
import { NodeParameters } from '../parameters';
import { ChatStream, shouldStreamToChat } from './chat-stream';
import { toErrorItem, ItemError } from './item-error';
import { addHintOnce } from './hints';
import { processItems } from './items';
import { toExecutionItem, type Operation, type OperationTable } from './operations';

export interface RunOperationsOptions<Access extends object> {
	table: Pick<OperationTable<Operation<Access>>, 'getOperation'>;
	/** What the credential of an item gives access to. */
	getAccess(itemIndex: number, signal: AbortSignal): Promise<Access>;
	/** n8n's error for a failure, with its details in `context.data`. */
	createNodeError?(node: INode, error: unknown, options: NodeErrorOptions): NodeOperationError;
	/** Items with the same key are worked on one after another, in their order. */
	getSequenceKey?(itemIndex: number): string | undefined;
	/** How many outputs the node has; failed items go to the last one. Default: 1. */
	outputs?: number;
}

/** Runs the operation of each item, and returns the items of each output. */
export async function runOperations<Access extends object>(
	context: IExecuteFunctions,
	{
		table,
		getAccess,
		createNodeError = toNodeError,
		getSequenceKey,
		outputs = 1,
	}: RunOperationsOptions<Access>,
): Promise<INodeExecutionData[][]> {
	const operationOf = (itemIndex: number) => table.getOperation(context, itemIndex);
	const errorOf = ({ reason, itemIndex }: ItemError) =>
		createNodeError(context.getNode(), reason, { itemIndex });
	const allOf = memoize((operation: Operation<never>) =>
		collectItems(context, operationOf, operation),
	);
	const { streamsToChat, atOnce: concurrency } = workFor(context, operationOf);
	const results = await processItems(
		context,
		async (itemIndex, signal) => {
			const operation = operationOf(itemIndex);
			const parametersOf = (other: number) => new NodeParameters(context, other, operation.fields);
			const parameters = parametersOf(itemIndex);
			const { streams } = readConcurrency(parameters);
			const isOfAll = operation.runsOnceForAllItems?.(parameters) === true;
			const itemIndexes = isOfAll ? allOf(operation) : [itemIndex];
			// The first item of a group processes the whole group.
			if (itemIndexes[0] !== itemIndex) return [];
			const typing = streamsToChat && streams ? new ChatStream(context, itemIndex) : undefined;
			const items = await operation.run({
				...(await getAccess(itemIndex, signal)),
				context,
				itemIndex,
				itemIndexes,
				parameters,
				parametersOf,
				accessOf: async (other) => await getAccess(other, signal),
				signal,
				typing,
				hint: (message) => addHintOnce(context, message),
			});
			await typing?.end();
			const from = itemIndexes.length > 1 ? [...itemIndexes] : itemIndex;
			return items.map((item) => (item instanceof ItemError ? item : { from, ...item }));
		},
		{
			concurrency,
			getSequenceKey,
			toNodeError: errorOf,
			toFailedResult: (failed) => [failed],
			onFailure: streamsToChat
				? async (itemIndex, text) => await context.sendChunk('error', itemIndex, text)
				: undefined,
		},
	);
	const lastOutput = outputs - 1;
	const items: INodeExecutionData[][] = Array.from({ length: outputs }, () => []);
	for (const result of results.flat()) {
		if (result instanceof ItemError)
			items[lastOutput]!.push(toErrorItem(errorOf(result), result.itemIndex, result.facts));
		else items[Math.min(result.output ?? 0, lastOutput)]!.push(toExecutionItem(result));
	}
	return items;
}

/** The items that an operation takes together. */
function collectItems(
	context: IExecuteFunctions,
	operationOf: (itemIndex: number) => Operation<never>,
	operation: Operation<never>,
): number[] {
	const count = Math.max(1, context.getInputData().length);
	return Array.from({ length: count }, (_, itemIndex) => itemIndex).filter((itemIndex) => {
		const parameters = new NodeParameters(context, itemIndex, operation.fields);
		// An unreadable value is reported when that item is processed.
		return tryOrUndefined(
			() => operationOf(itemIndex) === operation && operation.runsOnceForAllItems!(parameters),
		);
	});
}

/** Streaming and concurrency of an operation, by its options. Defaults: no streaming, one item at a time. */
function readConcurrency(parameters: NodeParameters): {
	streams: boolean;
	maxConcurrentItems: number;
} {
	const [atOnce, streaming] = ['maxConcurrentItems', 'enableStreaming'].map((name) =>
		optionOf(parameters.properties, name),
	);
	return {
		streams: streaming !== undefined && parameters.boolean('options.enableStreaming', true),
		maxConcurrentItems:
			atOnce === undefined
				? 1
				: parameters.number('options.maxConcurrentItems', atOnce.default as number),
	};
}

function optionOf(fields: readonly INodeProperties[], name: string): INodeProperties | undefined {
	const { options = [] } = fields.find((field) => field.name === 'options') ?? {};
	return (options as INodeProperties[]).find((option) => option.name === name);
}

/**
 * Streaming and concurrency for all items, from the options of the first. An unreadable value is reported when that
 * item is processed.
 */
function workFor(
	context: IExecuteFunctions,
	operationOf: (itemIndex: number) => Operation<never>,
): { streamsToChat: boolean; atOnce: number } {
	let isChat = false;
	try {
		const { fields } = operationOf(0);
		isChat = optionOf(fields, 'enableStreaming') !== undefined && shouldStreamToChat(context);
		const { streams, maxConcurrentItems } = readConcurrency(new NodeParameters(context, 0, fields));
		const streamsToChat = streams && isChat;
		// The chat shows all chunks of a node in one message: two answers at once would be mixed.
		return { streamsToChat, atOnce: streamsToChat ? 1 : maxConcurrentItems };
	} catch {
		return { streamsToChat: isChat, atOnce: 1 };
	}
}
