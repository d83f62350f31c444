import type { ModelServer } from '../../../lib/servers/types/server-type';
import type { EmbedSettings } from '../../../lib/tasks/embed';
import type { Prefixes } from '../../../lib/tasks/prefixes';
import { toWrittenText } from '../../../lib/fields/check-value';
import type { FieldTable } from '../../../lib/fields/field';
import type { Steps } from '../../../lib/http/steps';
import { runInSteps } from '../../../lib/http/steps';
import { createFieldError, quoteValue } from '../../../lib/fields/field-errors';
import { Embedder, EMBED_OPTIONS } from '../../../lib/tasks/embed';
import { pushAll } from '../../../lib/values/lists';
import { optionsField } from '../../shared/fields/options-field';
import type { FieldValues } from '../../shared/items/define-operation';
import { embeddingOptions, toEmbedSettings } from '../../shared/fields/vector-fields';
import { modelField, withResolvedModel } from '../../shared/fields/model-selection';
import { ItemError, toItemErrorOrThrow } from '../../shared/items/item-error';
import type { LlamaCall, LocalLlamaOperation } from '../run-local-llama';
import type { ResultItem } from '../output';
import { showTokenUsage } from '../show-token-usage';
import { withOutput } from '../output';

const fields = {
	model: modelField('The model that creates the vectors', {
		search: 'searchEmbeddingModels',
		example: 'nomic-embed-text',
	}),
	text: {
		...EMBED_OPTIONS.text,
		agent: { name: 'text', description: 'The text to embed' },
	},
	role: {
		kind: 'choice',
		label: 'Role',
		default: 'document',
		isOptional: true,
		choices: {
			document: ['Document', 'Texts to store and find'],
			query: ['Query', 'Texts to search for'],
		},
		description:
			'Some models need different prefixes for queries and documents; the node adds them',
	},
	options: optionsField({
		...embeddingOptions,
		singleItem: {
			kind: 'switch',
			label: 'All Vectors in One Item',
			default: true,
			description:
				'Whether to return one item with all vectors instead of one item per vector; for arrays of texts, one item per array. Off if not set.',
		},
		encoding: {
			kind: 'choice',
			label: 'Encoding',
			default: 'base64',
			choices: {
				base64: ['Base64', '32-bit numbers, little-endian: half the size'],
				numbers: ['Numbers', 'Rounded to 7 significant digits'],
			},
			description: 'How to encode the vectors in the items. If not set, as arrays of numbers.',
		},
	}),
} as const satisfies FieldTable;

type EmbedCall = LlamaCall & FieldValues<typeof fields>;

export const vectorEmbed: LocalLlamaOperation = withOutput({
	name: 'Embed',
	value: 'embed',
	action: 'Embed texts',
	description: 'Create embeddings of texts, each checked before it is returned',
	fields,
	runsOnceForAllItems: true,
	execute: embedItems,
});

/** What the fields of one item set: expressions may differ. */
interface ItemSettings {
	embedSettings: EmbedSettings;
	role: keyof Prefixes;
	/** Whether to return one item with all vectors instead of one per vector. */
	isSingleItem: boolean;
	/** Of the vectors in the items; the server type decides what is requested. */
	shouldEncodeAsBase64: boolean;
}

/** A text of an item, and its vector. */
interface InputText {
	/** Index of its item. */
	itemIndex: number;
	/** Number (from 0) among the texts of all items, for errors. */
	textIndex: number;
	text: string;
	/** Position in the array of its item, if it has one. */
	position?: number;
	/** Encoded, once the text is embedded. */
	vector?: number[] | string;
}

/** Texts with the same server and settings. */
interface EmbedGroup {
	server: ModelServer;
	itemSettings: ItemSettings;
	texts: InputText[];
}

type EmbedResults = Array<ResultItem | ItemError>;

/**
 * Embeds the texts of all items, in their order. With "continue on fail", only the item with the invalid text fails.
 *
 * @throws an `ItemError` for the item that caused the error.
 */
async function embedItems(call: EmbedCall): Promise<EmbedResults> {
	const groups = new Map<string, EmbedGroup>();
	const results: EmbedResults = [];
	/** An item that cannot be read counts as one text. */
	let nextTextIndex = 0;
	for (const itemIndex of call.itemIndexes)
		try {
			const { server, priority } = await call.accessOf(itemIndex);
			const values = call.valuesOf(itemIndex);
			const { role, options } = values;
			const texts = readTexts(values.text);
			const settings = { ...toEmbedSettings(values), priority };
			const itemSettings: ItemSettings = {
				embedSettings: await withResolvedModel(settings, {
					server,
					modelTask: 'embeddings',
					signal: call.signal,
				}),
				role,
				isSingleItem: options.singleItem ?? false,
				shouldEncodeAsBase64: options.encoding === 'base64',
			};
			const key = JSON.stringify([server.id, server.configuredType, itemSettings]);
			const group = groups.get(key) ?? { server, itemSettings, texts: [] };
			groups.set(key, group);
			for (const text of texts)
				group.texts.push({ itemIndex, textIndex: nextTextIndex++, ...text });
		} catch (error) {
			nextTextIndex++;
			results.push(toItemErrorOrThrow(call, { itemIndex, reason: error }));
		}
	for (const group of groups.values()) pushAll(results, await embedGroup(call, group));
	return results.sort((a, b) => getItemIndex(a) - getItemIndex(b));
}

/** @throws a `ServerError` of type `invalidInput` for an empty array, or naming the entry that is not text. */
function readTexts(value: unknown): Array<Pick<InputText, 'text' | 'position'>> {
	if (!Array.isArray(value)) return [{ text: toWrittenText(fields.text, value) }];
	if (value.length === 0) throw createFieldError(fields.text, 'is an empty array');
	return value.map((entry: unknown, position) => {
		if (typeof entry === 'string' || typeof entry === 'number')
			return { text: String(entry), position };
		const problem = `has an entry ${position + 1} that is not text: ${quoteValue(entry)}`;
		throw createFieldError(fields.text, problem);
	});
}

async function embedGroup(
	call: LlamaCall,
	{ server, itemSettings, texts }: EmbedGroup,
): Promise<EmbedResults> {
	const { embedSettings, role } = itemSettings;
	const embedder = new Embedder(server, embedSettings);
	const failures = new Map<number, ItemError>();
	const contents = texts.map(({ text }) => text);
	const textIndexes = texts.map(({ textIndex }) => textIndex);
	const {
		vectors,
		tokens = 0,
		otherModel,
		warnings,
	} = await embedder.embed(contents, role, {
		signal: call.signal,
		textIndexes,
		onFailure: ({ error, positions }) => {
			for (const position of positions) {
				const { itemIndex } = texts[position]!;
				if (!failures.has(itemIndex))
					failures.set(itemIndex, toItemErrorOrThrow(call, { itemIndex, reason: error }));
			}
		},
	});
	const dimensions = vectors.find((vector) => vector !== undefined)?.length ?? 0;
	await runInSteps(encodeVectors(vectors, { texts, itemSettings }));
	warnings.forEach(call.hint);
	showTokenUsage(call, { promptTokens: tokens, completionTokens: 0 });
	const embeddedTexts = texts.filter(({ itemIndex }) => !failures.has(itemIndex));
	const results = toResultItems(embeddedTexts, itemSettings.isSingleItem);
	// Servers count the tokens of a request, not of each text.
	const usage = results.length === 1 && tokens > 0 ? { tokens } : {};
	const metadata = { dimensions, model: otherModel ?? embedSettings.model, ...usage };
	return [
		...failures.values(),
		...results.map((result) => ({ ...result, metadata: { ...metadata, ...result.metadata } })),
	];
}

/** Gives each text its vector. */
function* encodeVectors(
	vectors: Array<number[] | undefined>,
	{ texts, itemSettings }: Pick<EmbedGroup, 'texts' | 'itemSettings'>,
): Steps<void> {
	for (const [at, vector] of vectors.entries()) {
		if (vector !== undefined) texts[at]!.vector = encodeVector(vector, itemSettings);
		// Each of many vectors is in memory only once.
		vectors[at] = undefined;
		yield;
	}
}

function getItemIndex(item: ResultItem | ItemError) {
	if (item instanceof ItemError) return item.itemIndex;
	return [item.from ?? 0].flat()[0] ?? 0;
}

/** One item per vector, or one per array and one for all other texts. */
function toResultItems(texts: InputText[], isSingleItem: boolean): ResultItem[] {
	if (!isSingleItem)
		return texts.map(({ itemIndex, position, text, vector }) => ({
			output: vector,
			from: itemIndex,
			...(position !== undefined && { entry: { text }, metadata: { index: position } }),
		}));
	const lists = Map.groupBy(texts, ({ itemIndex, position }) =>
		position === undefined ? undefined : itemIndex,
	);
	return [...lists.values()].map((list) => ({
		output: list.map(({ vector }) => vector),
		from: [...new Set(list.map(({ itemIndex }) => itemIndex))],
	}));
}

/** Encodes a vector for the item: numbers, or base64 of little-endian 32-bit floats, as servers send them. */
function encodeVector(vector: number[], { shouldEncodeAsBase64 }: ItemSettings) {
	return shouldEncodeAsBase64
		? Buffer.from(new Float32Array(vector).buffer).toString('base64')
		: vector.map(roundFloat);
}

/** Rounds to 7 significant digits, the precision of a 32-bit float: longer numbers double the size of the items. */
function roundFloat(value: number) {
	const magnitude = Math.abs(value);
	let scale = 1e6;
	while (magnitude * scale < 1e6 && scale < 1e22) scale *= 10;
	return Math.round(value * scale) / scale;
}
