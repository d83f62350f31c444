import type { INodeProperties } from 'n8n-workflow';

import { embeddingOptions } from '../shared/embedding-fields';
import { noticeField, optionsCollection } from '../shared/field-kinds';
import { modelField } from '../shared/model-field';

export const properties: INodeProperties[] = [
	noticeField(
		'Connect this node to the Embedding input of a vector store. Insert and search with the same model and the same options.',
	),
	modelField(
		'The model that turns texts into vectors. The list leaves out models that the server says are for something else',
		{ search: 'searchEmbeddingModels', example: 'nomic-embed-text' },
	),
	optionsCollection(embeddingOptions),
];
