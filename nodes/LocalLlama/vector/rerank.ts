import type { IBinaryKeyData, INodeProperties } from 'n8n-workflow';

import { rerank } from '../../../lib/tasks/rerank';
import { isRecord, toText, omitUndefined } from '../../../lib/values';
import {
	choiceField,
	toOptions,
	jsonField,
	longTextField,
	stringField,
} from '../../shared/field-builders';
import { modelField } from '../../shared/model-field';
import type { NodeParameters } from '../../shared/parameters';
import { readRerankSettings, rerankOptions, topNField } from '../../shared/rerank-fields';
import { readList } from '../list-fields';
import type { OperationItem } from '../../shared/run/operations';
import { throwItemError } from '../../shared/run/item-error';
import { type LlamaCall, type LocalLlamaOperation, countTokens } from '../operation';
import { createOptionsField } from '../options';
import { withResolvedModel } from '../../shared/resolve-model';

/** Text and output fields of a document. */
interface DocumentInput {
	text: string;
	json: object;
	binary?: IBinaryKeyData;
	from: number;
}

const fields: INodeProperties[] = [
	modelField('The model that scores the documents', {
		search: 'searchRerankers',
		example: 'bge-reranker-v2-m3',
	}),
	longTextField('Query', 'query', 2, {
		required: true,
		description:
			'The query to rank the documents by. With Source for Documents set to Items, the query of the first item applies to all.',
	}),
	choiceField('Source for Documents', 'documentSource', 'items', {
		options: toOptions({
			items: ['Items', 'Each item is a document. The output is in the new order.'],
			list: ['List', 'An array of documents in each item'],
		}),
	}),
	longTextField('Document', 'document', 2, {
		default: '={{ $json.text }}',
		required: true,
		displayOptions: { show: { documentSource: ['items'] } },
		description: 'The text of the document. All item fields are kept.',
	}),
	jsonField('Documents', 'documents', '={{ $json.documents }}', {
		required: true,
		displayOptions: { show: { documentSource: ['list'] } },
		description:
			'An array of texts, or of objects that contain a text, from an expression or as JSON',
	}),
	stringField('Text Field', 'textField', {
		default: 'text',
		displayOptions: { show: { documentSource: ['list'] } },
		description: 'The field that contains the text, if the documents are objects',
	}),
	topNField,
	createOptionsField(rerankOptions),
];

export const vectorRerank: LocalLlamaOperation = {
	option: {
		name: 'Rerank',
		value: 'rerank',
		action: 'Rerank documents',
		description: 'Score documents and return the best ones first',
	},
	fields,
	runsOnceForAllItems: usesItems,
	run: async (call) =>
		await rankDocuments(call, usesItems(call.parameters) ? fromItems(call) : fromList(call)),
};

function usesItems(parameters: NodeParameters): boolean {
	return parameters.choice<'items' | 'list'>('documentSource') === 'items';
}

async function rankDocuments(
	call: LlamaCall,
	documents: readonly DocumentInput[],
): Promise<OperationItem[]> {
	const { parameters, server, priority, signal } = call;
	const settings = { ...readRerankSettings(parameters), priority, signal };
	const resolvedSettings = await withResolvedModel(settings, server, 'reranking', signal);
	const texts = documents.map(({ text }) => text);
	const result = await rerank(server, resolvedSettings, parameters.rawString('query'), texts);
	countTokens(call, { promptTokens: result.tokens ?? 0, completionTokens: 0 });
	result.warnings.forEach((warning) => call.hint(warning));
	if (result.truncated > 0)
		call.hint(
			`${result.truncated} of ${texts.length} documents were too long for the model and were truncated.`,
		);
	return result.ranking.map(({ index, score }) => {
		const { json, binary, from } = documents[index]!;
		return {
			json: { ...json, ...omitUndefined({ score }), index },
			...omitUndefined({ binary }),
			from,
		};
	});
}

function fromItems(call: LlamaCall): DocumentInput[] {
	const items = call.context.getInputData();
	return call.itemIndexes.map((from) => {
		try {
			const text = call.parametersOf(from).rawString('document');
			const { json = {}, binary } = items[from] ?? {};
			return { text, json, from, ...omitUndefined({ binary }) };
		} catch (error) {
			return throwItemError(from, error);
		}
	});
}

function fromList({ parameters, itemIndex }: LlamaCall): DocumentInput[] {
	const field = parameters.string('textField') || 'text';
	return readList(parameters, 'documents').map((entry) =>
		isRecord(entry)
			? { text: toDocumentText(entry[field]), json: entry, from: itemIndex }
			: { text: toDocumentText(entry), json: { text: toDocumentText(entry) }, from: itemIndex },
	);
}

/** Documents without text come last, without a score. */
function toDocumentText(value: unknown): string {
	return value === undefined || value === null ? '' : toText(value);
}
