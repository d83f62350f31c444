import type { INodeProperties } from 'n8n-workflow';

import { numberField, stringField } from '../../shared/field-kinds';
import { setting } from './setting';

const modelFields: INodeProperties[] = [
	stringField('Embedding Model', 'embeddingModel', {
		placeholder: 'e.g. bge-m3',
		description: 'A model that is set up in Dify. Without this option: the one that was used last.',
	}),
	stringField('Embedding Provider', 'embeddingProvider', {
		placeholder: 'e.g. langgenius/ollama/ollama',
		description: 'The provider of that model, as Dify writes it',
	}),
	numberField('Score Threshold', 'scoreThreshold', 0.9, {
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 2 },
		description:
			'How similar a question must be to an annotated one. Without this option: as it was, at first 0.9.',
	}),
];

export const annotationReplyEnable = setting(
	'enable',
	'Enable',
	'Let the app answer with its annotations. All of them are embedded for that.',
	modelFields,
);
