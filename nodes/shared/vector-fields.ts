import { isUnset, omitUndefined } from '../../lib/values/records';
import type { EmbedSettings } from '../../lib/tasks/embed';
import {
	choiceField,
	longTextField,
	stringField,
	integerField,
	numberField,
} from './field-builders';
import { asKeepAlive, timeoutFields, readRequestSettings } from './timeout-fields';
import type { NodeParameters } from './parameters';
import type { RerankSettings } from '../../lib/tasks/rerank';
import type { INodeProperties } from 'n8n-workflow';

/** Options for embeddings. */
export const embeddingOptions: INodeProperties[] = [
	integerField(
		'Batch Size',
		'batchSize',
		32,
		[1, 2048],
		'How many texts to send per request. The node reduces it if the server accepts fewer.',
	),
	choiceField(
		'Blank Texts',
		'blankTexts',
		'fail',
		{
			space: ['Embed as a Space', 'For vector stores that must not fail'],
			fail: ['Fail', 'Fail and name the empty text'],
		},
		'What to do with texts that are empty or contain only spaces',
	),
	integerField(
		'Dimensions',
		'dimensions',
		256,
		[1],
		'How many dimensions a vector should have. Longer vectors are shortened and normalized. Only for models trained for it (Matryoshka).',
	),
	longTextField('Document Prefix', 'documentPrefix', 2, {
		placeholder: 'e.g. search_document: ',
		description:
			'Added before every stored text. If not set, the prefix the model was trained with, detected by its name. If empty, none. After a change, insert all documents again.',
	}),
	integerField(
		'Expected Dimensions',
		'expectedDimensions',
		768,
		[1],
		'Dimensions that the vector store expects. Other vectors fail before anything is stored.',
	),
	stringField('Keep Alive', 'keepAlive', {
		default: '5m',
		placeholder: 'e.g. 30m',
		description:
			'How long Ollama keeps the model in memory: a duration such as 30m, a number of seconds, or -1 to keep it loaded. Ollama only.',
	}),
	choiceField(
		'Long Texts',
		'longTexts',
		'fail',
		{
			fail: ['Fail', 'Fail and name the text'],
			truncate: ['Truncate', 'Keep as much of the beginning as the server accepts'],
		},
		"What to do with texts that exceed the model's maximum length",
	),
	longTextField('Query Prefix', 'queryPrefix', 2, {
		placeholder: 'e.g. search_query: ',
		description:
			'Added before every search query. If not set, the prefix the model was trained with, detected by its name. If empty, none.',
	}),
	...timeoutFields,
];

/** Reads these options and the field `model`. Expressions may return any type. */
export function readEmbeddingSettings(parameters: NodeParameters): Omit<EmbedSettings, 'priority'> {
	return {
		model: parameters.string('model'),
		prefixes: omitUndefined({
			query: parameters.textOption('options.queryPrefix'),
			document: parameters.textOption('options.documentPrefix'),
		}),
		dimensions: parameters.number('options.dimensions', undefined),
		expectedDimensions: parameters.number('options.expectedDimensions', undefined),
		longTexts: parameters.choice('options.longTexts', 'fail'),
		blankTexts: parameters.choice('options.blankTexts', 'fail'),
		batchSize: parameters.number('options.batchSize', 32),
		keepAlive: readKeepAlive(parameters),
		...readRequestSettings(parameters),
	};
}

function readKeepAlive(parameters: NodeParameters) {
	const path = 'options.keepAlive';
	const value = parameters.value(path);
	return isUnset(value) ? undefined : asKeepAlive(parameters.field(path), value);
}

export const topNField: INodeProperties = integerField('Top N', 'topN', 0, [0], {
	description: 'How many of the best documents to keep',
	hint: '0 = all documents',
});

/** Options for reranking. */
export const rerankOptions: INodeProperties[] = [
	integerField(
		'Batch Size',
		'batchSize',
		32,
		[1, 2048],
		'How many documents to send per request. The node reduces it if the server accepts fewer.',
	),
	choiceField(
		'Long Documents',
		'longDocuments',
		'fail',
		{
			fail: ['Rank Last', 'Last, without a score. A hint names the document.'],
			truncate: ['Truncate', 'Keep as much of the beginning as the server accepts'],
		},
		"What to do with documents that, with the query, exceed the model's maximum length",
	),
	numberField('Minimum Score', 'minimumScore', 0.5, {
		typeOptions: { numberPrecision: 4 },
		description: 'Documents with a lower score are omitted. Applies after the sigmoid, if set.',
	}),
	choiceField(
		'Scores',
		'scores',
		'received',
		{
			received: 'As Received',
			sigmoid: [
				'Sigmoid',
				'Between 0 and 1, for models with unbounded scores (bge-reranker on llama-server)',
			],
		},
		'How to return the document scores',
	),
	...timeoutFields,
];

/** Reads these fields and the field `model`. Expressions may return any type. */
export function readRerankSettings(parameters: NodeParameters): Omit<RerankSettings, 'priority'> {
	return {
		model: parameters.string('model'),
		topN: parameters.number('topN', 0),
		scores: parameters.choice('options.scores', 'received'),
		minimumScore: parameters.number('options.minimumScore', undefined),
		longDocuments: parameters.choice('options.longDocuments', 'fail'),
		batchSize: parameters.number('options.batchSize', 32),
		...readRequestSettings(parameters),
	};
}
