import type { RerankSettings } from '../../lib/tasks/rerank';
import { choiceField, toOptions, numberField, integerField } from './field-builders';
import { timeoutFields, readRequestSettings } from './timeout-fields';
import type { NodeParameters } from './parameters';

export const topNField = integerField('Top N', 'topN', 0, [0], {
	description: 'How many of the best documents to keep',
	hint: '0 = all documents',
});

/** Options for reranking. */
export const rerankOptions = [
	integerField(
		'Batch Size',
		'batchSize',
		32,
		[1, 2048],
		'How many documents to send per request. The node reduces it if the server accepts fewer.',
	),
	choiceField('Long Documents', 'longDocuments', 'fail', {
		options: toOptions({
			fail: ['Fail', 'Fail and name the document and the limit'],
			truncate: ['Truncate', 'Keep only the beginning'],
		}),
		description:
			"What to do with documents that, with the query, exceed the model's maximum length",
	}),
	numberField('Minimum Score', 'minimumScore', 0.5, {
		typeOptions: { numberPrecision: 4 },
		description: 'Documents with a lower score are omitted. Applies after the sigmoid, if set.',
	}),
	choiceField('Scores', 'scores', 'received', {
		options: toOptions({
			received: 'As Received',
			sigmoid: [
				'Sigmoid',
				'Between 0 and 1, for models with unbounded scores (bge-reranker on llama-server)',
			],
		}),
		description: 'How to return the document scores',
	}),
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
