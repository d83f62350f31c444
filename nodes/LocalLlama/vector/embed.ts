import type { INodeProperties } from 'n8n-workflow';

import { ServerError } from '../../../lib/errors/server-error';
import type { ModelServer } from '../../../lib/servers/types/server-type';
import { Embedder, type EmbeddingResult, type EmbedSettings } from '../../../lib/tasks/embed';
import type { Prefixes } from '../../../lib/tasks/prefixes';
import { pushAll } from '../../../lib/values';
import { embeddingOptions, readEmbeddingSettings } from '../../shared/embedding-fields';
import { choiceField, toOptions, jsonField, longTextField } from '../../shared/field-builders';
import { type NodeParameters, createFieldError } from '../../shared/parameters';
import { modelField } from '../../shared/model-field';
import { throwItemError, ItemError } from '../../shared/run/item-error';
import type { OperationItem } from '../../shared/run/operations';
import { withResolvedModel } from '../../shared/resolve-model';
import { readTexts } from '../list-fields';
import { countTokens, type LlamaCall, type LocalLlamaOperation } from '../operation';
import { createOptionsField } from '../options';

const fields: INodeProperties[] = [
	modelField('The model that creates the vectors', {
		search: 'searchEmbeddingModels',
		example: 'nomic-embed-text',
	}),
	choiceField('Source for Texts', 'textSource', 'items', {
		options: toOptions({
			items: ['Items', 'One text per item. All items are sent to the server together, in batches.'],
			list: ['List', 'An array of texts in each item'],
		}),
	}),
	longTextField('Text', 'text', 2, {
		default: '={{ $json.text }}',
		required: true,
		displayOptions: { show: { textSource: ['items'] } },
	}),
	jsonField('Texts', 'texts', '={{ $json.texts }}', {
		required: true,
		displayOptions: { show: { textSource: ['list'] } },
		description: 'An array of texts, from an expression or as JSON',
	}),
	choiceField('Role', 'role', 'document', {
		options: toOptions({
			document: ['Document', 'Texts to store and find'],
			query: ['Query', 'Texts to search for'],
		}),
		description:
			'Some models need different prefixes for queries and documents; the node adds them',
	}),
	choiceField('Output', 'output', 'each', {
		options: toOptions({
			together: 'One Item With All Vectors',
			each: 'One Item per Vector',
		}),
	}),
	createOptionsField([
		...embeddingOptions,
		choiceField('Encoding', 'encoding', 'base64', {
			options: toOptions({
				base64: ['Base64', '32-bit numbers, little-endian: a fifth of the size'],
				numbers: 'Numbers',
			}),
			description: 'How to encode the vectors in the items. If not set, as arrays of numbers.',
		}),
	]),
];

export const vectorEmbed: LocalLlamaOperation = {
	option: {
		name: 'Embed',
		value: 'embed',
		action: 'Embed texts',
		description: 'Create embeddings of texts, each checked before it is returned',
	},
	fields,
	runsOnceForAllItems: usesItems,
	run: async (call) => await (usesItems(call.parameters) ? embedItems(call) : embedList(call)),
};

function usesItems(parameters: NodeParameters): boolean {
	return parameters.choice<'items' | 'list'>('textSource') === 'items';
}

/** Options of one item: expressions may differ. */
interface EmbedOptions {
	settings: EmbedSettings;
	role: keyof Prefixes;
	/** Whether to return one item with all vectors instead of one per vector. */
	isSingleItem: boolean;
	asBase64: boolean;
}

async function readEmbedOptions(
	parameters: NodeParameters,
	{ server, priority, signal }: Pick<LlamaCall, 'server' | 'priority' | 'signal'>,
): Promise<EmbedOptions> {
	const settings = { ...readEmbeddingSettings(parameters), priority };
	return {
		settings: await withResolvedModel(settings, server, 'embeddings', signal),
		role: parameters.choice<keyof Prefixes>('role', 'document'),
		isSingleItem: parameters.choice<'each' | 'together'>('output', 'each') === 'together',
		asBase64: parameters.choice<'base64' | 'numbers'>('options.encoding', 'numbers') === 'base64',
	};
}

async function embedList(call: LlamaCall): Promise<OperationItem[]> {
	const options = await readEmbedOptions(call.parameters, call);
	const texts = readTexts(call.parameters, 'texts');
	if (texts.length === 0)
		throw createFieldError(call.parameters.field('texts').label, 'contains no texts');
	const embedder = new Embedder(call.server, options.settings);
	const result = await embedder.embed(texts, options.role, call.signal);
	reportResult(call, result, texts.length);
	const vectors = result.vectors.map((vector) => encodeVector(vector, options));
	const facts = { dimensions: result.vectors[0]!.length, model: options.settings.model };
	if (options.isSingleItem) return [{ json: { vectors, ...facts } }];
	return vectors.map((vector, index) => ({
		json: { vector, ...facts, text: texts[index], index },
	}));
}

/** Items with the same server and settings. */
interface Group {
	server: ModelServer;
	options: EmbedOptions;
	items: Array<{ itemIndex: number; text: string }>;
}

type EmbedOutputs = Array<OperationItem | ItemError>;

/**
 * Embeds all items, in their order. With "continue on fail", only the item with the invalid text fails.
 *
 * @throws {ItemError} for the item that caused the error
 */
async function embedItems(call: LlamaCall): Promise<EmbedOutputs> {
	const groups = new Map<string, Group>();
	const servers: ModelServer[] = [];
	const outputs: EmbedOutputs = [];
	for (const itemIndex of call.itemIndexes)
		try {
			const access = await call.accessOf(itemIndex);
			const { server } = access;
			const parameters = call.parametersOf(itemIndex);
			if (!servers.includes(server)) servers.push(server);
			const options = await readEmbedOptions(parameters, { ...access, signal: call.signal });
			const key = JSON.stringify([servers.indexOf(server), options]);
			const group = groups.get(key) ?? { server, options, items: [] };
			groups.set(key, group);
			group.items.push({ itemIndex, text: parameters.rawString('text') });
		} catch (error) {
			outputs.push(createItemError(call, itemIndex, error));
		}
	for (const group of groups.values()) pushAll(outputs, await embedGroup(call, group));
	return outputs.sort((a, b) => getItemIndex(a) - getItemIndex(b));
}

/** @throws {ItemError} unless the node continues on errors */
function createItemError({ context }: LlamaCall, itemIndex: number, error: unknown): ItemError {
	if (!context.continueOnFail()) throwItemError(itemIndex, error);
	return new ItemError(itemIndex, error);
}

async function embedGroup(
	call: LlamaCall,
	{ server, options, items }: Group,
): Promise<EmbedOutputs> {
	const { settings, role } = options;
	const failures = new Map<number, ItemError>();
	const vectors = new Map<number, number[]>();
	const embedder = new Embedder(server, settings);
	const total = { truncated: 0, tokens: 0, warnings: [] as string[] };
	for (let pending = items; pending.length > 0; ) {
		const batch = pending.slice(0, settings.batchSize);
		const indexes = batch.map(({ itemIndex }) => itemIndex);
		const texts = batch.map(({ text }) => text);
		const wereEmbedded = await embedder.embed(texts, role, call.signal, indexes).then(
			(result) => {
				result.vectors.forEach((vector, at) => vectors.set(indexes[at]!, vector));
				total.truncated += result.truncated;
				total.tokens += result.tokens ?? 0;
				pushAll(total.warnings, result.warnings);
				return true;
			},
			(error: unknown) => {
				if (call.signal.aborted) throwItemError(indexes[0]!, error);
				for (const index of getFailedIndexes(error, indexes))
					failures.set(index, createItemError(call, index, error));
				return false;
			},
		);
		// The other texts of a failed batch are sent again without the failed text.
		pending = wereEmbedded
			? pending.slice(batch.length)
			: pending.filter(({ itemIndex }) => !failures.has(itemIndex));
	}
	reportResult(call, total, items.length);
	const dimensions = [...vectors.values()][0]?.length ?? 0;
	const facts = { dimensions, model: settings.model };
	const embedded = items.filter(({ itemIndex }) => vectors.has(itemIndex));
	const getEncodedVector = (itemIndex: number) => encodeVector(vectors.get(itemIndex)!, options);
	if (!options.isSingleItem)
		return [
			...failures.values(),
			...embedded.map(({ itemIndex, text }) => ({
				json: { vector: getEncodedVector(itemIndex), ...facts, text },
				from: itemIndex,
			})),
		];
	if (embedded.length === 0) return [...failures.values()];
	const from = embedded.map(({ itemIndex }) => itemIndex);
	return [...failures.values(), { json: { vectors: from.map(getEncodedVector), ...facts }, from }];
}

/** Item whose text caused the error, otherwise all items of the batch. */
function getFailedIndexes(error: unknown, indexes: readonly number[]): readonly number[] {
	const failedIndex = error instanceof ServerError ? error.facts.index : undefined;
	return indexes.includes(failedIndex as number) ? [failedIndex as number] : indexes;
}

function getItemIndex(item: OperationItem | ItemError): number {
	if (item instanceof ItemError) return item.itemIndex;
	return [item.from ?? 0].flat()[0] ?? 0;
}

/** Encodes a vector for the item: numbers, or base64 of little-endian 32-bit floats, as servers send them. */
function encodeVector(vector: number[], { asBase64 }: EmbedOptions): number[] | string {
	return asBase64 ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector;
}

function reportResult(
	call: LlamaCall,
	{ truncated, tokens = 0, warnings }: Pick<EmbeddingResult, 'warnings' | 'tokens' | 'truncated'>,
	count: number,
): void {
	countTokens(call, { promptTokens: tokens, completionTokens: 0 });
	warnings.forEach((warning) => call.hint(warning));
	if (truncated > 0)
		call.hint(`${truncated} of ${count} texts were too long for the model and were truncated.`);
}
