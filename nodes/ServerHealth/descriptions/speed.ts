import type { INodeProperties } from 'n8n-workflow';

const displayOptions = { show: { service: ['modelServer'], operation: ['speedTest'] } };

export const speedFields: INodeProperties[] = [
	{
		displayName: 'Tokens',
		name: 'tokens',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 4096 },
		default: 64,
		displayOptions,
		description: 'How many tokens to generate. More make the result steadier.',
	},
	{
		displayName: 'Requests at Once',
		name: 'atOnce',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: 64 },
		default: 1,
		displayOptions,
		description: 'Above 1, a second round follows with so many requests at the same moment',
	},
	{
		displayName: 'Limits',
		name: 'speedOptions',
		type: 'collection',
		placeholder: 'Add Limit',
		default: {},
		displayOptions,
		options: [
			{
				displayName: 'First Token Limit (Seconds)',
				name: 'firstTokenLimit',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 60,
				description: 'How long to wait for the first token. A model that is not loaded yet needs more.',
			},
			{
				displayName: 'Total Limit (Seconds)',
				name: 'totalLimit',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 180,
				description: 'How long one request may take from beginning to end',
			},
		],
	},
];
