/** Fields of embeddings and rankings, which nodes and sub-nodes share, and the settings that they mean. */
import { omitUndefined } from '../../../lib/values/records';
import type { FieldTable, NumberField, OptionValues } from '../../../lib/fields/field';
import type { EmbedSettings } from '../../../lib/tasks/embed';
import { EMBED_OPTIONS } from '../../../lib/tasks/embed';
import type { RerankSettings } from '../../../lib/tasks/rerank';
import { taskRequestOptions, toRequestSettings } from './request-options';

const { dimensions, keepAlive } = EMBED_OPTIONS;

/** Options for embeddings. */
export const embeddingOptions = {
	batchSize: {
		kind: 'number',
		label: 'Batch Size',
		default: 32,
		range: [1, 2048],
		isInteger: true,
		description:
			'How many texts to send per request. The node reduces it if the server accepts fewer.',
	},
	blankTexts: {
		kind: 'choice',
		label: 'Blank Texts',
		default: 'fail',
		choices: {
			space: ['Embed as a Space', 'For vector stores that must not fail'],
			fail: ['Fail', 'Fail and name the empty text'],
		},
		description: 'What to do with texts that are empty or contain only spaces',
	},
	dimensions,
	documentPrefix: {
		kind: 'text',
		label: 'Document Prefix',
		rows: 2,
		placeholder: 'e.g. search_document: ',
		description:
			'Added before every stored text. If not set, the prefix the model was trained with, detected by its name. If empty, none. After a change, insert all documents again.',
	},
	expectedDimensions: {
		kind: 'number',
		label: 'Expected Dimensions',
		default: 768,
		range: [1],
		isInteger: true,
		description:
			'Dimensions that the vector store expects. Other vectors fail before anything is stored.',
	},
	keepAlive,
	longTexts: {
		kind: 'choice',
		label: 'Long Texts',
		default: 'fail',
		choices: {
			fail: ['Fail', 'Fail and name the text'],
			truncate: ['Truncate', 'Keep as much of the beginning as the server accepts'],
		},
		description: "What to do with texts that exceed the model's maximum length",
	},
	queryPrefix: {
		kind: 'text',
		label: 'Query Prefix',
		rows: 2,
		placeholder: 'e.g. search_query: ',
		description:
			'Added before every search query. If not set, the prefix the model was trained with, detected by its name. If empty, none.',
	},
	...taskRequestOptions,
} as const satisfies FieldTable;

/** Values of these options and of the model. */
interface EmbeddingValues {
	readonly model: string;
	readonly options: OptionValues<typeof embeddingOptions>;
}

/** The settings that these fields mean. */
export function toEmbedSettings({
	model,
	options,
}: EmbeddingValues): Omit<EmbedSettings, 'priority'> {
	return {
		model,
		prefixes: omitUndefined({ query: options.queryPrefix, document: options.documentPrefix }),
		dimensions: options.dimensions,
		expectedDimensions: options.expectedDimensions,
		longTexts: options.longTexts ?? 'fail',
		blankTexts: options.blankTexts ?? 'fail',
		batchSize: options.batchSize ?? embeddingOptions.batchSize.default,
		keepAlive: options.keepAlive,
		...toRequestSettings(options),
	};
}

export const topNField = {
	kind: 'number',
	label: 'Top N',
	default: 0,
	range: [0],
	isInteger: true,
	isOptional: true,
	description: 'How many of the best documents to keep',
	hint: '0 = all documents',
} as const satisfies NumberField;

/** Options for reranking. */
export const rerankOptions = {
	batchSize: {
		...embeddingOptions.batchSize,
		description:
			'How many documents to send per request. The node reduces it if the server accepts fewer.',
	},
	longDocuments: {
		kind: 'choice',
		label: 'Long Documents',
		default: 'fail',
		choices: {
			fail: ['Rank Last', 'Last, without a score. A hint names the document.'],
			truncate: ['Truncate', 'Keep as much of the beginning as the server accepts'],
		},
		description:
			"What to do with documents that, with the query, exceed the model's maximum length",
	},
	minimumScore: {
		kind: 'number',
		label: 'Minimum Score',
		default: 0.5,
		decimals: 4,
		description: 'Documents with a lower score are omitted. Applies after the sigmoid, if set.',
	},
	scores: {
		kind: 'choice',
		label: 'Scores',
		default: 'received',
		choices: {
			received: 'As Received',
			sigmoid: [
				'Sigmoid',
				'Between 0 and 1, for models with unbounded scores (bge-reranker on llama-server)',
			],
		},
		description: 'How to return the document scores',
	},
	...taskRequestOptions,
} as const satisfies FieldTable;

/** Values of these options, of the model, and of the number of documents to keep. */
interface RerankValues {
	readonly model: string;
	readonly topN: number;
	readonly options: OptionValues<typeof rerankOptions>;
}

/** The settings that these fields mean. */
export function toRerankSettings({
	model,
	topN,
	options,
}: RerankValues): Omit<RerankSettings, 'priority'> {
	return {
		model,
		topN,
		scores: options.scores ?? 'received',
		minimumScore: options.minimumScore,
		longDocuments: options.longDocuments ?? 'fail',
		batchSize: options.batchSize ?? rerankOptions.batchSize.default,
		...toRequestSettings(options),
	};
}
