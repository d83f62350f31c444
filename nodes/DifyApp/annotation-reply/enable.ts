import type { INodeProperties } from 'n8n-workflow';

import { setting } from './setting';

const modelFields: INodeProperties[] = [
	{
		displayName: 'Embedding Model',
		name: 'embeddingModel',
		type: 'string',
		default: '',
		placeholder: 'e.g. bge-m3',
		description: 'A model that is set up in Dify. Without this option: the one that was used last.',
	},
	{
		displayName: 'Embedding Provider',
		name: 'embeddingProvider',
		type: 'string',
		default: '',
		placeholder: 'e.g. langgenius/ollama/ollama',
		description: 'The provider of that model, as Dify writes it',
	},
	{
		displayName: 'Score Threshold',
		name: 'scoreThreshold',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 2 },
		default: 0.9,
		description: 'How near a question must be to an annotated one. Without this option: as it was, at first 0.9.',
	},
];

export const annotationReplyEnable = setting(
	'enable',
	'Enable',
	'Let the app answer with its annotations. All of them are embedded for that.',
	modelFields,
);
