import type { INodeProperties } from 'n8n-workflow';

export const operationFields: INodeProperties[] = [
	{
		displayName: 'Server',
		name: 'service',
		type: 'options',
		noDataExpression: true,
		default: 'modelServer',
		options: [
			{ name: 'Dify', value: 'dify', description: 'A Dify app or knowledge base, with the credential Dify API' },
			{
				name: 'Model Server',
				value: 'modelServer',
				description:
					'Llama-server, Ollama, GPUStack, vLLM or another OpenAI-compatible server, with the credential LocalLlama API',
			},
		],
	},
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		default: 'check',
		displayOptions: { show: { service: ['modelServer'] } },
		options: [
			{
				name: 'Check',
				value: 'check',
				action: 'Check a server',
				description:
					'Ask who answers, what it can do and what is wrong. Quick and free: generates nothing, loads nothing, wakes nothing.',
			},
			{
				name: 'List Models',
				value: 'listModels',
				action: 'List the models of a server',
				description: 'One item for each model, with context, size, abilities and state',
			},
			{
				name: 'Load Model',
				value: 'loadModel',
				action: 'Load a model into memory',
				description: 'Ollama and the router of llama-server only',
			},
			{
				name: 'Speed Test',
				value: 'speedTest',
				action: 'Measure the speed of a server',
				description:
					'Check, then generate a little text: time to the first token, tokens per second, alone and with several requests at once',
			},
			{
				name: 'Unload Model',
				value: 'unloadModel',
				action: 'Unload a model from memory',
				description: 'Frees the memory of the GPU. Ollama and the router of llama-server only.',
			},
			{
				name: 'Wait Until Ready',
				value: 'waitUntilReady',
				action: 'Wait until a server is ready',
				description: 'Check again and again until the server is healthy, for example while it loads its model',
			},
		],
	},
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		default: 'check',
		displayOptions: { show: { service: ['dify'] } },
		options: [
			{
				name: 'Check',
				value: 'check',
				action: 'Check a server',
				description:
					'Ask who answers, what it can do and what is wrong. Quick and free: generates nothing, loads nothing, wakes nothing.',
			},
			{
				name: 'Wait Until Ready',
				value: 'waitUntilReady',
				action: 'Wait until a server is ready',
				description: 'Check again and again until the server is healthy, for example while it loads its model',
			},
		],
	},
];
