import type { INodeProperties } from 'n8n-workflow';

export const modelFields: INodeProperties[] = [
	{
		displayName: 'Model',
		name: 'model',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		description:
			'The model that answers. A llama-server started with one model answers with that one, whatever is chosen here.',
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
	},
	{
		displayName: 'Server Type',
		name: 'serverType',
		type: 'options',
		default: 'auto',
		options: [
			{ name: 'Automatic', value: 'auto', description: 'Asks the server who it is where that matters' },
			{ name: 'Llama-Server (llama.cpp)', value: 'llamaServer' },
			{ name: 'Ollama', value: 'ollama' },
			{
				name: 'Other (OpenAI-Compatible)',
				value: 'other',
				description: 'GPUStack, LM Studio, FastAPI servers: standard fields, plus what you set',
			},
			{ name: 'vLLM', value: 'vllm' },
		],
		description: 'Decides which fields beyond the OpenAI standard may be sent',
	},
];
