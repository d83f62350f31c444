import type { INodeProperties } from 'n8n-workflow';

function modelField(operations: string[], more: Partial<INodeProperties>): INodeProperties {
	return {
		displayName: 'Model',
		name: 'model',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		displayOptions: { show: { service: ['modelServer'], operation: operations } },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Select a model…',
				typeOptions: { searchListMethod: 'searchModels', searchable: true },
			},
			{ displayName: 'By Name', name: 'id', type: 'string', placeholder: 'e.g. qwen3-8b' },
		],
		...more,
	};
}

export const modelFields: INodeProperties[] = [
	modelField(['loadModel', 'unloadModel'], { required: true }),
	modelField(['speedTest'], { description: 'The model to measure. Leave it empty where only one is loaded.' }),
	{
		displayName: 'Options',
		name: 'modelOptions',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		displayOptions: { show: { service: ['modelServer'], operation: ['loadModel', 'unloadModel'] } },
		options: [
			{
				displayName: 'Time Limit (Seconds)',
				name: 'loadLimit',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 600,
				description: 'How long to wait until the model is loaded or unloaded',
			},
			{
				displayName: 'Wait Until Done',
				name: 'wait',
				type: 'boolean',
				default: true,
				description: 'Whether to wait until the model is really loaded or unloaded. Ollama always waits.',
			},
		],
	},
];
