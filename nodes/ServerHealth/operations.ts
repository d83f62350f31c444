import type { INodeProperties } from 'n8n-workflow';

import { operationField, operationFields } from '../shared/operations';
import { check } from './check';
import { listModels } from './listModels';
import { loadModel } from './loadModel';
import type { HealthOperation, Service } from './operation';
import { speedTest } from './speedTest';
import { unloadModel } from './unloadModel';
import { waitUntilReady } from './waitUntilReady';

export const OPERATIONS: readonly HealthOperation[] = [
	check,
	listModels,
	loadModel,
	speedTest,
	unloadModel,
	waitUntilReady,
];

export const serviceField: INodeProperties = {
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
};

function operationsFor(service: Service): INodeProperties {
	return operationField(
		OPERATIONS.filter(({ services }) => services.includes(service)),
		'check',
		{ service: [service] },
	);
}

export const properties: INodeProperties[] = [
	serviceField,
	operationsFor('modelServer'),
	operationsFor('dify'),
	...OPERATIONS.flatMap((operation) => operationFields([operation], { service: [...operation.services] })),
];
