import { isToolType } from 'n8n-workflow';
import { rerank, RERANK_OPTIONS } from '../../../lib/tasks/rerank';
import type { RerankResult } from '../../../lib/tasks/rerank';
import { parseJson } from '../../../lib/values/json';
import { isRecord } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import { toText } from '../../../lib/values/text';
import { toWrittenText } from '../../../lib/fields/check-value';
import type { FieldTable } from '../../../lib/fields/field';
import { createFieldError } from '../../../lib/fields/field-errors';
import type { FieldValues } from '../../shared/items/define-operation';
import { modelField, withResolvedModel } from '../../shared/fields/model-selection';
import { getOrigin } from '../../shared/fields/read-values';
import { toRerankSettings, rerankOptions, topNField } from '../../shared/fields/vector-fields';
import type { ItemError } from '../../shared/items/item-error';
import { toItemErrorOrThrow } from '../../shared/items/item-error';
import type { LlamaCall, LocalLlamaOperation } from '../run-local-llama';
import type { ResultItem } from '../output';
import { showTokenUsage } from '../show-token-usage';
import { itemOptionsField } from '../operation-fields';
import { withOutput } from '../output';
import { getOwn } from '../../../lib/values/own-properties';

/** Text of a document, and what its output item keeps. */
interface DocumentInput extends Pick<ResultItem, 'entry'> {
	/** Index of its item. */
	from: number;
	text: string;
	/** Position among the items, or in the array. */
	index: number;
}

const fields = {
	model: modelField('The model that scores the documents', {
		search: 'searchRerankers',
		example: 'bge-reranker-v2-m3',
	}),
	query: {
		...RERANK_OPTIONS.query,
		agent: { name: 'query', description: 'The query to rank the documents by' },
	},
	document: {
		...RERANK_OPTIONS.document,
		agent: {
			name: 'documents',
			description: 'The texts to rank, as an array of strings',
			type: 'json',
		},
	},
	topN: topNField,
	options: itemOptionsField({
		...rerankOptions,
		textField: {
			kind: 'name',
			label: 'Text Field',
			default: 'text',
			description: 'The field that contains the text, if the documents are an array of objects',
		},
	}),
} as const satisfies FieldTable;

type RerankCall = LlamaCall & FieldValues<typeof fields>;

export const vectorRerank: LocalLlamaOperation = withOutput({
	name: 'Rerank',
	value: 'rerank',
	action: 'Rerank documents',
	description: 'Score documents and return the best ones first',
	fields,
	runsOnceForAllItems: ({ document }) => !Array.isArray(document),
	execute: rankDocuments,
});

/**
 * Ranks the documents of all items, or of an array in one item. With "continue on fail", a document that cannot be
 * read fails alone; without a ranking, every item has the error.
 *
 * @returns the documents best first, then the failed items.
 * @throws an `ItemError` for the item that caused the error, unless the node continues on errors.
 */
async function rankDocuments(call: RerankCall): Promise<Array<ResultItem | ItemError>> {
	const failures = new Map<number, ItemError>();
	const fail = (itemIndex: number, reason: unknown): void => {
		failures.set(itemIndex, toItemErrorOrThrow(call, { itemIndex, reason }));
	};
	const documents = call.itemIndexes.flatMap((from): DocumentInput[] => {
		try {
			return readDocuments(call, from);
		} catch (error) {
			fail(from, error);
			// It keeps its place, so that errors number the documents as the items are numbered.
			return [{ text: '', index: from, from }];
		}
	});
	const readableDocuments = documents.filter(({ from }) => !failures.has(from));
	if (readableDocuments.length === 0) return [...failures.values()];
	try {
		const texts = documents.map(({ text }) => text);
		const { result, model } = await rankTexts(call, texts);
		const items = result.ranking
			.map(({ index, score }) => ({ document: documents[index]!, score }))
			.filter(({ document }) => !failures.has(document.from))
			.map(({ document, score }) => toResultItem(document, score, model));
		if (readableDocuments.some(({ text }) => text.trim() === ''))
			call.hint('Documents without text are not sent, and have no score.');
		return [...items, ...failures.values()];
	} catch (error) {
		for (const { from } of readableDocuments) if (!failures.has(from)) fail(from, error);
		return [...failures.values()];
	}
}

/** A ranking, and the model that was asked for it. */
interface Ranking {
	result: RerankResult;
	model: string;
}

/** @throws a `ServerError` if there is no ranking. */
async function rankTexts(call: RerankCall, texts: readonly string[]): Promise<Ranking> {
	const { values, server, priority, signal } = call;
	const { query } = values;
	const settings = await withResolvedModel(
		{ ...toRerankSettings(values), priority, signal },
		{ server, modelTask: 'reranking', signal },
	);
	const result = await rerank(server, settings, {
		query,
		queryOrigin: getOrigin(values, 'query'),
		documents: texts,
		documentOrigin: getOrigin(values, 'document') === 'author' ? 'author' : 'foreign',
	});
	showTokenUsage(call, { promptTokens: result.tokens ?? 0, completionTokens: 0 });
	result.warnings.forEach(call.hint);
	return { result, model: settings.model };
}

function toResultItem(
	{ entry, from, index }: DocumentInput,
	score: number | undefined,
	model: string,
): ResultItem {
	return {
		output: score === undefined ? null : round(score, 6),
		metadata: { index, model },
		entry,
		from,
	};
}

/** The field as it is. The model of an agent may write its array as text. */
function readDocument({ context }: LlamaCall, value: unknown): unknown {
	if (typeof value !== 'string' || !isToolType(context.getNode().type)) return value;
	const list = parseJson(value);
	return Array.isArray(list) ? list : value;
}

/** The document of an item, or all documents of its array. */
function readDocuments(call: RerankCall, itemIndex: number): DocumentInput[] {
	const values = call.valuesOf(itemIndex);
	const value = readDocument(call, values.document);
	const isArray = Array.isArray(value);
	// The first item decides whether all items are ranked together.
	const isTogether = call.itemIndexes.length > 1;
	if (isArray ? isTogether : !isTogether && itemIndex > 0)
		throw createFieldError(
			fields.document,
			'is an array in some items and a text in others',
			'Return a text for each item, or an array of documents for each item.',
		);
	const from = itemIndex;
	if (!isArray) return [{ text: toWrittenText(fields.document, value), index: itemIndex, from }];
	const textField = values.options.textField || fields.options.fields.textField.default;
	return value.map((entry: unknown, index) => {
		// Documents without text come last, without a score.
		const value = (isRecord(entry) ? getOwn(entry, textField) : entry) ?? '';
		const text = toText(value);
		return { text, index, entry: isRecord(entry) ? entry : { text }, from };
	});
}
