/**
 * Items of an execution. What comes in: the table of a node's operations (`operation-table.ts`), each with its fields and its
 * function (`define-operation.ts`), and n8n's context with the input items; for a sub-node, the call of its root node
 * (`sub-node.ts`). What goes out: output items with their paired items, error items of those that failed while the node
 * continues (`error-item.ts`), n8n's error of the first one otherwise, hints, and text that is streamed into a chat. What it
 * remembers: nothing beyond a run of the node. During it: which items wait for which (`process-items.ts`), the hints already
 * shown, and the values of expressions of each item.
 *
 * From outside to inside: `run-operations.ts` plans a run, `concurrency.ts` says how many items at once, `process-items.ts`
 * runs them, `explain-input.ts` finds the field that an error is about.
 */
import type {
	IExecuteFunctions,
	INode,
	INodeExecutionData,
	NodeOperationError,
} from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { toNodeError } from '../../../lib/errors/node-error';
import { memoize } from '../../../lib/lru-cache';
import { tryOrUndefined } from '../../../lib/values/try-or-undefined';
import { ItemSource } from '../fields/item-source';
import { ChatStream } from '../../../lib/n8n/chat-stream';
import { ItemError } from './item-error';
import { toErrorItem } from './error-item';
import { explainInput } from './explain-input';
import { describeEmptyExpression, findEmptyExpressions } from '../../../lib/n8n/empty-expressions';
import {
	assertNoFixedExpression,
	describeFixedExpression,
	findFixedExpressions,
} from '../../../lib/n8n/fixed-expressions';
import { addHintOnce } from '../../../lib/n8n/hints';
import { RunLosses } from '../../../lib/n8n/run-losses';
import { TriggerFiles } from '../../../lib/n8n/trigger-files';
import type { OperationTable } from './operation-table';
import { watchProgress } from './watch-progress';
import type { FinishedItem } from './finished-items';
import { addFinishedItems } from './finished-items';
import type { Operation, OperationItem } from './operation';
import { toExecutionItem } from './operation-items';
import { processItems } from './process-items';
import type { ItemOperations } from './concurrency';
import { readConcurrency, planRun } from './concurrency';
import { getVisitorMessage } from '../../../lib/n8n/visitor-message';

export interface RunOperationsOptions<Access extends object> {
	table: Pick<OperationTable<Operation<Access>>, 'getOperation'>;
	/** Creates the clients from the credential of an item. */
	getAccess(source: ItemSource, signal: AbortSignal): Promise<Access>;
	/** What is masked in the results that an error keeps. Default: nothing, as nothing of a credential is in a result. */
	getSecrets?(access: Access): readonly string[];
	/** Creates n8n's error, with its details in `context.data`. */
	createNodeError?(node: INode, error: unknown): NodeOperationError;
	/** Number of outputs of the node; failed items are sent to the last one. Default: 1. */
	outputs?: number;
}

/** Runs the operation of each item, and returns the items of each output. */
export async function runOperations<Access extends object>(
	context: IExecuteFunctions,
	{
		table,
		getAccess,
		getSecrets = () => [],
		createNodeError = toNodeError,
		outputs = 1,
	}: RunOperationsOptions<Access>,
): Promise<INodeExecutionData[][]> {
	// What is evaluated for an item before it is processed is not evaluated again.
	const sources = new Map<number, ItemSource>();
	const sourceOf = (itemIndex: number) => {
		const source = sources.get(itemIndex) ?? new ItemSource(context, itemIndex);
		sources.set(itemIndex, source);
		return source;
	};
	const getOperation = (itemIndex: number) => table.getOperation(sourceOf(itemIndex));
	const toItemNodeError = ({ reason }: ItemError) => createNodeError(context.getNode(), reason);
	const getGroup = memoize((operation: Operation<never>) =>
		collectGroup({ context, sourceOf, getOperation }, operation),
	);
	const checkExpressions = memoize(({ fields, mainFields }: Operation<never>) => {
		const written = { properties: fields, stored: context.getNode().parameters };
		assertNoFixedExpression(written, mainFields);
		for (const label of findFixedExpressions(written))
			addHintOnce(context, describeFixedExpression(label));
		// The input of a tool is what the model gave, and expressions are those of its agent.
		const items = isToolType(context.getNode().type) ? [] : context.getInputData();
		for (const empty of findEmptyExpressions({ ...written, items }))
			addHintOnce(context, describeEmptyExpression(empty));
		return true;
	});
	const losses = new RunLosses();
	const triggerFiles = new TriggerFiles(context);
	const secrets = new Set<string>();
	const countFinished = watchProgress(context, context.getInputData().length);
	/** How many items the first item of a group processes, and none for the others. */
	const processedWith = new Map<number, number>();
	const { streamsToChat, concurrency } = planRun(context, { sourceOf, getOperation });
	const results = await processItems(
		context,
		async (itemIndex, signal) => {
			const operation = getOperation(itemIndex);
			const group = getGroup(operation);
			const itemIndexes = group.length > 0 ? group : [itemIndex];
			// The first item of a group processes the whole group, and reports what is wrong with each item.
			if (group.length > 0)
				processedWith.set(itemIndex, itemIndexes[0] === itemIndex ? group.length : 0);
			if (itemIndexes[0] !== itemIndex) return [];
			const source = sourceOf(itemIndex);
			const accessOf = async (index: number) => await getAccess(sourceOf(index), signal);
			const { streams } = readConcurrency(source, operation);
			const chatStream = streamsToChat && streams ? new ChatStream(context, itemIndex) : undefined;
			const access = await openFirst(itemIndexes, accessOf);
			for (const secret of getSecrets(access)) secrets.add(secret);
			const call = {
				...access,
				context,
				itemIndex,
				itemIndexes,
				source,
				sourceOf,
				accessOf,
				signal,
				chatStream,
				hint: (message: string) => addHintOnce(context, message),
				getTriggerFiles: () => triggerFiles.ofItem(itemIndex),
				losses,
			};
			const explain = ({ itemIndex: index, reason, facts }: ItemError) => {
				const input = { context, properties: operation.fields, itemIndex: index };
				const explained = explainInput(reason, input);
				return new ItemError(index, explained.reason, { facts, isOfNode: explained.isOfNode });
			};
			const execute = async () => {
				checkExpressions(operation);
				return await operation.execute(call);
			};
			const result = await execute()
				.catch(async (error: unknown) => {
					// After Stop, the text that was shown stays as it is.
					if (!signal.aborted) await chatStream?.breakLine();
					throw explain(error instanceof ItemError ? error : new ItemError(itemIndex, error));
				})
				.finally(() => {
					for (const index of itemIndexes) sources.delete(index);
				});
			await chatStream?.end();
			const from = itemIndexes.length > 1 ? [...itemIndexes] : itemIndex;
			return [result]
				.flat()
				.map((item) => (item instanceof ItemError ? explain(item) : { from, ...item }));
		},
		{
			concurrency,
			getSequenceKey: (itemIndex) => {
				const operation = getOperation(itemIndex);
				return operation.getSequenceKey?.(sourceOf(itemIndex));
			},
			onFinished: (itemIndex, { hasFailed }) =>
				countFinished({ items: processedWith.get(itemIndex) ?? 1, hasFailed }),
			toNodeError: toItemNodeError,
			keepFinished: (error, finished) => {
				if (isToolType(context.getNode().type)) return;
				const items = finished.flat().filter((item) => item !== undefined);
				addFinishedItems(error, {
					items: items.flatMap((item) => (item instanceof ItemError ? [] : toFinishedItems(item))),
					total: context.getInputData().length,
					secrets: [...secrets],
				});
			},
			onFailure: streamsToChat
				? async (itemIndex, text) => await context.sendChunk('error', itemIndex, text)
				: undefined,
		},
	).finally(() => {
		for (const message of losses.describe()) addHintOnce(context, message);
	});
	const visitorMessage = getVisitorMessage(context);
	const toItem = (itemError: ItemError) => {
		const nodeError = toItemNodeError(itemError);
		// The item has no room for it.
		if (visitorMessage !== undefined && nodeError.description)
			addHintOnce(context, nodeError.description);
		return toErrorItem(nodeError, { ...itemError, visitorMessage });
	};
	const lastOutput = outputs - 1;
	const items: INodeExecutionData[][] = Array.from({ length: outputs }, () => []);
	for (const result of results.flat()) {
		if (result instanceof ItemError) items[lastOutput]!.push(toItem(result));
		else items[Math.min(result.output ?? 0, lastOutput)]!.push(toExecutionItem(result));
	}
	return items;
}

/** A result for each of its input items. */
function toFinishedItems({ from, json }: OperationItem): FinishedItem[] {
	return [from ?? []].flat().map((itemIndex) => ({ item: itemIndex + 1, json }));
}

/** Indexes of the items that an operation processes together; empty if it processes each item alone. */
function collectGroup(
	{ context, sourceOf, getOperation }: ItemOperations & { context: IExecuteFunctions },
	operation: Operation<never>,
) {
	const { runsOnceForAllItems: runsOnce } = operation;
	if (runsOnce === undefined) return [];
	const count = Math.max(1, context.getInputData().length);
	// An unreadable value is reported when that item is processed.
	const itemIndexes = Array.from({ length: count }, (_, itemIndex) => itemIndex).filter(
		(itemIndex) => tryOrUndefined(() => getOperation(itemIndex)) === operation,
	);
	if (runsOnce === true) return itemIndexes;
	for (const itemIndex of itemIndexes) {
		const isGroup = tryOrUndefined(() => runsOnce(sourceOf(itemIndex)));
		if (isGroup !== undefined) return isGroup ? itemIndexes : [];
	}
	return [];
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
