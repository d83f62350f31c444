import type { INodeProperties } from 'n8n-workflow';

export const optionsFields: INodeProperties[] = [
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		displayOptions: { show: { operation: ['check', 'speedTest', 'waitUntilReady', 'listModels'] } },
		options: [
			{
				displayName: 'Ask for Slots',
				name: 'readSlots',
				type: 'boolean',
				default: true,
				displayOptions: { show: { '/service': ['modelServer'] }, hide: { '/operation': ['listModels'] } },
				description:
					'Whether to ask llama-server for its slots too, which shows the busy ones and a hung GPU without --metrics. Leave it off for a server started with --sleep-idle-seconds: the question wakes it and keeps it awake.',
			},
			{
				displayName: 'Fail When Unhealthy',
				name: 'failWhenUnhealthy',
				type: 'boolean',
				default: true,
				displayOptions: { hide: { '/operation': ['listModels'] } },
				description: 'Whether the node fails when the server is not healthy, in place of using its second output',
			},
			{
				displayName: 'Time Limit of a Check (Seconds)',
				name: 'timeLimit',
				type: 'number',
				typeOptions: { minValue: 0.1, numberPrecision: 1 },
				default: 2.5,
				description: 'After how long without an answer a server counts as dead. Raise it for servers far away.',
			},
			{
				displayName: 'Wait Limit (Seconds)',
				name: 'waitLimit',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 300,
				displayOptions: { show: { '/operation': ['waitUntilReady'] } },
				description: 'How long to wait at most. 300 when this option is not added.',
			},
			{
				displayName: 'Wait Out Errors',
				name: 'waitOutErrors',
				type: 'boolean',
				default: true,
				displayOptions: { show: { '/operation': ['waitUntilReady'] } },
				description:
					'Whether to go on waiting also when waiting does not help by itself: a refused key, a wrong address, something missing',
			},
		],
	},
];
