import { rerank } from '../../../lib/tasks/rerank';
import { isRecord } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import { toText } from '../../../lib/values/text';
import { longTextField, stringField } from '../../shared/field-builders';
import { modelField, withResolvedModel } from '../../shared/model-selection';
import { readRerankSettings, rerankOptions, topNField } from '../../shared/vector-fields';
import type { ItemError } from '../../shared/run/item-error';
import { toItemErrorOrThrow } from '../../shared/run/item-error';
import type { LlamaCall, LocalLlamaOperation } from '../run-local-llama';
import type { ResultItem } from '../output';
import { countTokens } from '../count-tokens';
import { createOptionsField } from '../operation-fields';
import { withOutput } from '../output';

/** Text of a document, and what its output item keeps. */
interface DocumentInput extends Pick<ResultItem, 'entry' | 'from'> {
	text: string;
	/** Position among the items, or in the array. */
	index: number;
}

const fields = [
	modelField('The model that scores the documents', {
		search: 'searchRerankers',
		example: 'bge-reranker-v2-m3',
	}),
	longTextField('Query', 'query', 2, {
		required: true,
		description:
			'The query to rank the documents by. If each item is a document, the query of the first item applies to all.',
	}),
	longTextField('Document', 'document', 2, {
		default: '={{ $json.text }}',
		required: true,
		description:
			'The text of the document: each item is one. Expressions may also return an array of texts or objects: each item is then ranked by itself.',
	}),
	topNField,
	createOptionsField([
		...rerankOptions,
		stringField('Text Field', 'textField', {
			default: 'text',
			description: 'The field that contains the text, if the documents are an array of objects',
		}),
	]),
];

export const vectorRerank: LocalLlamaOperation = withOutput({
	name: 'Rerank',
	value: 'rerank',
	action: 'Rerank documents',
	description: 'Score documents and return the best ones first',
	fields,
	runsOnceForAllItems: (parameters) => !Array.isArray(parameters.value('document')),
	run: async (call) => {
		const failures: ItemError[] = [];
		const documents = call.itemIndexes.flatMap((from) => {
			try {
				return readDocuments(call, from);
			} catch (error) {
				// If the node continues on errors, the other documents are ranked.
				failures.push(toItemErrorOrThrow(call, { itemIndex: from, reason: error }));
				return [];
			}
		});
		const { parameters, server, priority, signal } = call;
		const settings = { ...readRerankSettings(parameters), priority, signal };
		const resolvedSettings = await withResolvedModel(settings, {
			server,
			task: 'reranking',
			signal,
		});
		const texts = documents.map(({ text }) => text);
		const query = parameters.rawString('query');
		const result = await rerank(server, resolvedSettings, { query, documents: texts });
		countTokens(call, { promptTokens: result.tokens ?? 0, completionTokens: 0 });
		result.warnings.forEach(call.hint);
		if (result.truncated > 0)
			call.hint(
				`${result.truncated} of ${texts.length} documents were too long for the model and were truncated.`,
			);
		const items = result.ranking.map(({ index, score }) => {
			const { entry, from, index: position } = documents[index]!;
			return {
				output: score === undefined ? null : round(score, 6),
				metadata: { index: position, model: resolvedSettings.model },
				entry,
				from,
			};
		});
		return [...items, ...failures];
	},
});

/** The document of an item, or all documents of its array. */
function readDocuments(call: LlamaCall, itemIndex: number): DocumentInput[] {
	const parameters = call.parametersOf(itemIndex);
	const value = parameters.value('document');
	const isArray = Array.isArray(value);
	// The first item decides whether all items are ranked together.
	const isTogether = call.itemIndexes.length > 1;
	if (isArray ? isTogether : !isTogether && itemIndex > 0)
		throw parameters.createError(
			'document',
			'is an array in some items and a text in others',
			'Return a text for each item, or an array of documents for each item.',
		);
	const from = itemIndex;
	if (!isArray) return [{ text: parameters.rawString('document'), index: itemIndex, from }];
	const textField = parameters.string('options.textField') || 'text';
	return value.map((entry: unknown, index) => {
		// Documents without text come last, without a score.
		const value = (isRecord(entry) ? entry[textField] : entry) ?? '';
		const text = toText(value);
		return { text, index, entry: isRecord(entry) ? entry : { text }, from };
	});
}
