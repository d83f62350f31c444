import type { INodeProperties } from 'n8n-workflow';

import { embeddingOptions } from '../shared/embedding-fields';
import { noticeField, optionsCollection } from '../shared/field-builders';
import { modelField } from '../shared/model-field';

export const properties: INodeProperties[] = [
	noticeField(
		'Connect this node to the Embedding input of a vector store. Use the same model and options for inserting and searching.',
	),
	modelField(
		'The model that creates the vectors. Models that the server reports as unsuitable are not listed',
		{ search: 'searchEmbeddingModels', example: 'nomic-embed-text' },
	),
	optionsCollection(embeddingOptions),
];
