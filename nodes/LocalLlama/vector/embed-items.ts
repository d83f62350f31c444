/** Embeds one text of each item in batches: one request per item would take many times as long. */
import { EmbeddingsClient } from '../../../lib/embeddings/client';
import { ServerError } from '../../../lib/errors/server-error';
import type { Connection } from '../../../lib/http/connection';
import { timeSlices } from '../../../lib/http/time-slices';
import { append } from '../../../lib/values';
import type { OperationItem } from '../../shared/run/operations';
import { failItem, ItemFailure } from '../../shared/run/failed-item';
import type { LlamaCall } from '../operation';
import { encoded, reportEmbedding, taskIn, type EmbedTask, type Vector } from './embed-task';

interface ItemText {
	itemIndex: number;
	text: string;
}

/** Items with the same server and settings. */
interface Group {
	connection: Connection;
	task: EmbedTask;
	items: ItemText[];
}

interface Outcome {
	vectors: Map<number, Vector>;
	failures: Map<number, unknown>;
	dimensions: number;
}

/**
 * The vectors of all items, in their order. With "continue on fail", an item whose text is at fault fails alone.
 *
 * @throws {ItemFailure} for the item at fault
 */
export async function embedItems(call: LlamaCall): Promise<Array<OperationItem | ItemFailure>> {
	const { groups, failures } = await groupsOf(call);
	const results: Array<OperationItem | ItemFailure> = [...failures].map(
		([at, reason]) => new ItemFailure(at, reason),
	);
	for (const group of groups) append(results, itemsOf(group, await embedGroup(call, group)));
	return results.sort((one, other) => itemIndexOf(one) - itemIndexOf(other));
}

async function groupsOf(call: LlamaCall) {
	const groups = new Map<string, Group>();
	const connections: Connection[] = [];
	const failures = new Map<number, unknown>();
	const pause = timeSlices();
	for (const itemIndex of call.itemIndexes) {
		await pause();
		try {
			const { connection, server } = await call.accessOf(itemIndex);
			const parameters = call.parametersOf(itemIndex);
			if (!connections.includes(connection)) connections.push(connection);
			const task = await taskIn(parameters, server, call.signal);
			const key = JSON.stringify([connections.indexOf(connection), task]);
			const group = groups.get(key) ?? { connection, task, items: [] };
			groups.set(key, group);
			group.items.push({ itemIndex, text: parameters.freeText('text') });
		} catch (error) {
			if (!call.context.continueOnFail()) failItem(itemIndex, error);
			failures.set(itemIndex, error);
		}
	}
	return { groups: groups.values(), failures };
}

async function embedGroup(call: LlamaCall, { connection, task, items }: Group): Promise<Outcome> {
	const outcome: Outcome = { vectors: new Map(), failures: new Map(), dimensions: 0 };
	let client: EmbeddingsClient | undefined;
	let waiting = items;
	let begin = 0;
	let [truncated, tokens] = [0, 0];
	while (begin < waiting.length) {
		const batch = waiting.slice(begin, begin + task.settings.batchSize);
		const indexes = batch.map(({ itemIndex }) => itemIndex);
		const texts = batch.map(({ text }) => text);
		try {
			client ??= new EmbeddingsClient(connection, task.settings);
			const result = await client.embed(texts, task.role, call.signal, indexes);
			truncated += result.truncated;
			tokens += result.tokens ?? 0;
			result.remarks.forEach((remark) => call.hint(remark));
			outcome.dimensions = result.vectors[0]!.length;
			result.vectors.forEach((vector, at) =>
				outcome.vectors.set(batch[at]!.itemIndex, encoded(vector, task)),
			);
			begin += batch.length;
		} catch (error) {
			if (call.signal.aborted) failItem(batch[0]!.itemIndex, error);
			const culprit = batch.find(({ itemIndex }) => itemIndex === culpritIn(error));
			fail(call, outcome, culprit === undefined ? batch : [culprit], error);
			// The others of the batch are sent again without it.
			waiting = waiting.slice(begin).filter(({ itemIndex }) => !outcome.failures.has(itemIndex));
			begin = 0;
		}
	}
	reportEmbedding(call, { truncated, tokens }, items.length);
	return outcome;
}

function culpritIn(error: unknown): unknown {
	return error instanceof ServerError ? error.facts.index : undefined;
}

function fail(
	call: LlamaCall,
	{ failures }: Outcome,
	items: readonly ItemText[],
	reason: unknown,
): void {
	if (!call.context.continueOnFail()) failItem(items[0]!.itemIndex, reason);
	for (const { itemIndex } of items) failures.set(itemIndex, reason);
}

function itemsOf(
	{ task, items }: Group,
	{ vectors, failures, dimensions }: Outcome,
): Array<OperationItem | ItemFailure> {
	const facts = { dimensions, model: task.settings.model };
	const failed = [...failures].map(([itemIndex, reason]) => new ItemFailure(itemIndex, reason));
	const embedded = items.filter(({ itemIndex }) => vectors.has(itemIndex));
	if (!task.mergeResults)
		return [
			...failed,
			...embedded.map(({ itemIndex, text }) => ({
				json: { vector: vectors.get(itemIndex), ...facts, text },
				from: itemIndex,
			})),
		];
	if (embedded.length === 0) return failed;
	const json = { vectors: embedded.map(({ itemIndex }) => vectors.get(itemIndex)), ...facts };
	return [...failed, { json, from: embedded.map(({ itemIndex }) => itemIndex) }];
}

function itemIndexOf(item: OperationItem | ItemFailure): number {
	if (item instanceof ItemFailure) return item.itemIndex;
	return [item.from ?? 0].flat()[0] ?? 0;
}
