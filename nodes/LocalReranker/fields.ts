import type { INodeProperties } from 'n8n-workflow';

import { noticeField, optionsCollection } from '../shared/field-builders';
import { modelField } from '../shared/model-field';
import { rerankOptions, topNField } from '../shared/rerank-fields';

export const properties: INodeProperties[] = [
	noticeField(
		'Turn on "Rerank Results" in the vector store and connect this node to it. Raise the Limit of the store, for example to 20, because it applies before reranking.',
	),
	modelField(
		'The model that scores the documents. Models that the server reports as unsuitable are not listed',
		{ search: 'searchRerankers', example: 'bge-reranker-v2-m3' },
	),
	topNField,
	optionsCollection(rerankOptions),
];
