import type { INodeProperties } from 'n8n-workflow';

export const checkFields: INodeProperties[] = [
	{
		displayName: 'Needed',
		name: 'needed',
		type: 'collection',
		placeholder: 'Add Need',
		default: {},
		displayOptions: { show: { service: ['modelServer'], operation: ['check', 'speedTest', 'waitUntilReady'] } },
		description: 'What your workflows need of the server. Whatever is missing makes it unhealthy and is explained.',
		options: [
			{
				displayName: 'Context',
				name: 'minContext',
				type: 'number',
				typeOptions: { minValue: 0 },
				default: 8192,
				description: 'Tokens of context that one request must be able to use. Agents rarely work with less than 8192.',
			},
			{
				displayName: 'Embeddings',
				name: 'embeddings',
				type: 'boolean',
				default: true,
				description: 'Whether the server must make embeddings',
			},
			{
				displayName: 'Model',
				name: 'model',
				type: 'string',
				default: '',
				placeholder: 'e.g. qwen3-8b',
				description: 'Name of a model that must be there',
			},
			{
				displayName: 'Requests at Once',
				name: 'minSlots',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 2,
				description: 'How many slots llama-server must have',
			},
			{
				displayName: 'Reranking',
				name: 'rerank',
				type: 'boolean',
				default: true,
				description: 'Whether the server must rerank',
			},
			{
				displayName: 'Tools',
				name: 'tools',
				type: 'boolean',
				default: true,
				description: 'Whether the model must be able to call tools',
			},
			{
				displayName: 'Vision',
				name: 'vision',
				type: 'boolean',
				default: true,
				description: 'Whether the model must be able to see pictures',
			},
		],
	},
];
