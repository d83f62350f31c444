import type { INodeProperties } from 'n8n-workflow';

export const thinkingFields: INodeProperties[] = [
	{
		displayName: 'Thinking',
		name: 'thinking',
		type: 'options',
		default: 'serverDefault',
		options: [
			{ name: 'Effort', value: 'effort', description: 'How much to think, for models that know levels (gpt-oss)' },
			{ name: 'Off', value: 'off', description: 'Answer at once. Gpt-oss cannot be switched off: use a low effort.' },
			{ name: 'On', value: 'on' },
			{ name: 'Server Default', value: 'serverDefault', description: 'Send nothing about it' },
			{
				name: 'Token Budget',
				value: 'budget',
				description: 'End the thinking after so many tokens',
				displayOptions: { show: { serverType: ['auto', 'llamaServer', 'other'] } },
			},
		],
		description:
			'Whether a thinking model (Qwen3, gpt-oss, DeepSeek-R1, …) thinks before it answers. Thinking is kept apart from the answer.',
	},
	{
		displayName: 'Effort',
		name: 'thinkingEffort',
		type: 'options',
		default: 'medium',
		options: [
			{ name: 'High', value: 'high' },
			{ name: 'Low', value: 'low' },
			{ name: 'Medium', value: 'medium' },
			{ name: 'Minimal', value: 'minimal' },
		],
		displayOptions: { show: { thinking: ['effort'] } },
	},
	{
		displayName: 'Thinking Token Budget',
		name: 'thinkingBudget',
		type: 'number',
		typeOptions: { minValue: 0 },
		default: 1024,
		displayOptions: { show: { thinking: ['budget'] } },
		description:
			'Most tokens for thinking; 0 ends it at once. Llama-server only, and only where the template of the model has an end tag.',
	},
];
