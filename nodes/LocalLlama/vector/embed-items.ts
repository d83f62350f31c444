/** Embeds one text of each item in batches: one request per item would take many times as long. */
import { wirePart } from '../../../lib/chat/wire/parts';
import { EmbeddingsClient, type MixedInput } from '../../../lib/embeddings/client';
import { ServerError } from '../../../lib/errors/server-error';
import type { ServerPool } from '../../../lib/servers/pool/server-pool';
import { timeSlices } from '../../../lib/http/time-slices';
import { append } from '../../../lib/values';
import type { OperationItem } from '../../shared/run/operations';
import { failItem, ItemFailure } from '../../shared/run/failed-item';
import type { NodeParameters } from '../../shared/parameters';
import type { LlamaCall } from '../operation';
import { hasFiles, inputIn } from '../text/files';
import { encoded, reportEmbedding, taskIn, type EmbedTask, type Vector } from './embed-task';

interface ItemText {
	itemIndex: number;
	text: string;
	/** Reads the pictures of the item, where it has some: not before their turn. */
	withMedia?(): Promise<MixedInput>;
}

/** Pictures are large: so many items with some go in one request. */
const ITEMS_WITH_MEDIA = 4;

/** Items with the same servers and settings. */
interface Group {
	servers: ServerPool;
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
	const pools: ServerPool[] = [];
	const failures = new Map<number, unknown>();
	const pause = timeSlices();
	for (const itemIndex of call.itemIndexes) {
		await pause();
		try {
			const { servers } = await call.accessOf(itemIndex);
			const parameters = call.parametersOf(itemIndex);
			if (!pools.includes(servers)) pools.push(servers);
			const task = await taskIn(parameters, servers, call.signal);
			const key = JSON.stringify([pools.indexOf(servers), task]);
			const group = groups.get(key) ?? { servers, task, items: [] };
			groups.set(key, group);
			group.items.push(itemTextFor(call, parameters, itemIndex));
		} catch (error) {
			if (!call.context.continueOnFail()) failItem(itemIndex, error);
			failures.set(itemIndex, error);
		}
	}
	return { groups: groups.values(), failures };
}

function itemTextFor(call: LlamaCall, parameters: NodeParameters, itemIndex: number): ItemText {
	const text = parameters.freeText('text');
	if (!hasFiles(parameters)) return { itemIndex, text };
	const { context } = call;
	const withMedia = async () => {
		const input = await inputIn({ context, parameters, itemIndex });
		return { text: input.text, media: input.media.map((part) => wirePart(part, 'input_video')) };
	};
	return { itemIndex, text, withMedia };
}

/** Those that can be read; the others fail. */
async function inputsOf(
	call: LlamaCall,
	outcome: Outcome,
	batch: readonly ItemText[],
): Promise<Array<string | MixedInput>> {
	const inputs: Array<string | MixedInput> = [];
	for (const item of batch) {
		try {
			inputs.push((await item.withMedia?.()) ?? item.text);
		} catch (error) {
			fail(call, outcome, [item], error);
		}
	}
	return inputs;
}

async function embedGroup(call: LlamaCall, { servers, task, items }: Group): Promise<Outcome> {
	const outcome: Outcome = { vectors: new Map(), failures: new Map(), dimensions: 0 };
	let client: EmbeddingsClient | undefined;
	let waiting = items;
	let begin = 0;
	let [truncated, tokens] = [0, 0];
	while (begin < waiting.length) {
		const isMixed = waiting[begin]!.withMedia !== undefined;
		const { batchSize } = task.settings;
		const most = isMixed ? Math.min(batchSize, ITEMS_WITH_MEDIA) : batchSize;
		const batch = waiting.slice(begin, begin + most);
		const inputs = await inputsOf(call, outcome, batch);
		if (inputs.length < batch.length) {
			waiting = waiting.filter(({ itemIndex }) => !outcome.failures.has(itemIndex));
			continue;
		}
		const indexes = batch.map(({ itemIndex }) => itemIndex);
		try {
			client ??= new EmbeddingsClient(servers, task.settings);
			const result = await client.embed(inputs, task.role, call.signal, indexes);
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
