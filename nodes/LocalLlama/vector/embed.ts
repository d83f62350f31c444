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
import { withResolvedModel } from '../../shared/search-models';
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
	runsOnceForAllItems: isOfItems,
	run: async (call) => await (isOfItems(call.parameters) ? embedItems(call) : embedList(call)),
};

function isOfItems(parameters: NodeParameters): boolean {
	return parameters.choice<'items' | 'list'>('textSource') === 'items';
}

/** What an item wants: expressions may differ. */
interface EmbedOptions {
	settings: EmbedSettings;
	role: keyof Prefixes;
	/** One item with all vectors, rather than one for each. */
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
	const wanted = await readEmbedOptions(call.parameters, call);
	const texts = readTexts(call.parameters, 'texts');
	if (texts.length === 0)
		throw createFieldError(call.parameters.field('texts').label, 'contains no texts');
	const embedder = new Embedder(call.server, wanted.settings);
	const done = await embedder.embed(texts, wanted.role, call.signal);
	report(call, done, texts.length);
	const vectors = done.vectors.map((vector) => encodeVector(vector, wanted));
	const facts = { dimensions: done.vectors[0]!.length, model: wanted.settings.model };
	if (wanted.isSingleItem) return [{ json: { vectors, ...facts } }];
	return vectors.map((vector, index) => ({
		json: { vector, ...facts, text: texts[index], index },
	}));
}

/** Items with the same server and settings. */
interface Group {
	server: ModelServer;
	wanted: EmbedOptions;
	items: Array<{ itemIndex: number; text: string }>;
}

type EmbedOutputs = Array<OperationItem | ItemError>;

/**
 * The vectors of all items, in their order. With "continue on fail", an item whose text is at fault fails alone.
 *
 * @throws {ItemError} for the item at fault
 */
async function embedItems(call: LlamaCall): Promise<EmbedOutputs> {
	const groups = new Map<string, Group>();
	const servers: ModelServer[] = [];
	const outcomes: EmbedOutputs = [];
	for (const itemIndex of call.itemIndexes)
		try {
			const access = await call.accessOf(itemIndex);
			const { server } = access;
			const parameters = call.parametersOf(itemIndex);
			if (!servers.includes(server)) servers.push(server);
			const wanted = await readEmbedOptions(parameters, { ...access, signal: call.signal });
			const key = JSON.stringify([servers.indexOf(server), wanted]);
			const group = groups.get(key) ?? { server, wanted, items: [] };
			groups.set(key, group);
			group.items.push({ itemIndex, text: parameters.rawString('text') });
		} catch (error) {
			outcomes.push(failed(call, itemIndex, error));
		}
	for (const group of groups.values()) pushAll(outcomes, await embedGroup(call, group));
	return outcomes.sort((one, other) => indexOf(one) - indexOf(other));
}

/** @throws {ItemError} unless the node goes on */
function failed({ context }: LlamaCall, itemIndex: number, error: unknown): ItemError {
	if (!context.continueOnFail()) throwItemError(itemIndex, error);
	return new ItemError(itemIndex, error);
}

async function embedGroup(
	call: LlamaCall,
	{ server, wanted, items }: Group,
): Promise<EmbedOutputs> {
	const { settings, role } = wanted;
	const failures = new Map<number, ItemError>();
	const vectors = new Map<number, number[]>();
	const embedder = new Embedder(server, settings);
	const total = { truncated: 0, tokens: 0, warnings: [] as string[] };
	for (let waiting = items; waiting.length > 0; ) {
		const batch = waiting.slice(0, settings.batchSize);
		const indexes = batch.map(({ itemIndex }) => itemIndex);
		const texts = batch.map(({ text }) => text);
		const wereEmbedded = await embedder.embed(texts, role, call.signal, indexes).then(
			(done) => {
				done.vectors.forEach((vector, at) => vectors.set(indexes[at]!, vector));
				total.truncated += done.truncated;
				total.tokens += done.tokens ?? 0;
				pushAll(total.warnings, done.warnings);
				return true;
			},
			(error: unknown) => {
				if (call.signal.aborted) throwItemError(indexes[0]!, error);
				for (const index of getFailedIndexes(error, indexes))
					failures.set(index, failed(call, index, error));
				return false;
			},
		);
		// The others of a batch that failed are sent again without the one at fault.
		waiting = wereEmbedded
			? waiting.slice(batch.length)
			: waiting.filter(({ itemIndex }) => !failures.has(itemIndex));
	}
	report(call, total, items.length);
	const dimensions = [...vectors.values()][0]?.length ?? 0;
	const facts = { dimensions, model: settings.model };
	const embedded = items.filter(({ itemIndex }) => vectors.has(itemIndex));
	const vectorOf = (itemIndex: number) => encodeVector(vectors.get(itemIndex)!, wanted);
	if (!wanted.isSingleItem)
		return [
			...failures.values(),
			...embedded.map(({ itemIndex, text }) => ({
				json: { vector: vectorOf(itemIndex), ...facts, text },
				from: itemIndex,
			})),
		];
	if (embedded.length === 0) return [...failures.values()];
	const from = embedded.map(({ itemIndex }) => itemIndex);
	return [...failures.values(), { json: { vectors: from.map(vectorOf), ...facts }, from }];
}

/** The item whose text is at fault, or all of the batch. */
function getFailedIndexes(error: unknown, indexes: readonly number[]): readonly number[] {
	const culprit = error instanceof ServerError ? error.facts.index : undefined;
	return indexes.includes(culprit as number) ? [culprit as number] : indexes;
}

function indexOf(item: OperationItem | ItemError): number {
	if (item instanceof ItemError) return item.itemIndex;
	return [item.from ?? 0].flat()[0] ?? 0;
}

/** A vector for the item: numbers, or base64 of little-endian 32-bit floats, as servers send them. */
function encodeVector(vector: number[], { asBase64 }: EmbedOptions): number[] | string {
	return asBase64 ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector;
}

function report(
	call: LlamaCall,
	{ truncated, tokens = 0, warnings }: Pick<EmbeddingResult, 'warnings' | 'tokens' | 'truncated'>,
	count: number,
): void {
	countTokens(call, { promptTokens: tokens, completionTokens: 0 });
	warnings.forEach((hint) => call.hint(hint));
	if (truncated > 0)
		call.hint(`${truncated} of ${count} texts were too long for the model and were truncated.`);
}
