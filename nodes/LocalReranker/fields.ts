import type { INodeProperties } from 'n8n-workflow';

import { noticeField, optionsCollection } from '../shared/field-kinds';
import { modelField } from '../shared/model-field';
import { rerankOptions, topNField } from '../shared/rerank-fields';

export const properties: INodeProperties[] = [
	noticeField(
		'Turn on "Rerank Results" in the vector store and connect this node there. Raise the Limit of the store, for example to 20: it counts before the reranking.',
	),
	modelField(
		'The model that gives the scores. The list leaves out models that the server says are for something else',
		{ search: 'searchRerankers', example: 'bge-reranker-v2-m3' },
	),
	topNField,
	optionsCollection(rerankOptions),
];
