import type { INodeCredentialDescription, INodeProperties } from 'n8n-workflow';

import type { CheckOptions } from '../../../lib/health/probes/observe';
import { optional } from '../../../lib/values';
import {
	booleanField,
	choiceField,
	collectionField,
	numberField,
	optionsCollection,
	stringField,
	wholeField,
} from '../field-kinds';
import type { NodeParameters } from '../parameters';

/** Model server or Dify. */
export const serviceField = choiceField('Server', 'service', 'modelServer', {
	noDataExpression: true,
	options: [
		{
			name: 'Dify',
			value: 'dify',
			description: 'A Dify app or knowledge base, with the credential Dify API',
		},
		{
			name: 'Model Server',
			value: 'modelServer',
			description:
				'Llama-server, Ollama, GPUStack, vLLM or another OpenAI-compatible server, with the credential LocalLlama API',
		},
	],
});

/** The credentials of a node with that field. */
export const serviceCredentials: INodeCredentialDescription[] = [
	// `hide` for one, `show` for the other: if every choice of a field shows a credential, the editor takes it for an
	// authentication field and hides it (n8n, nodeTypesUtils.ts, getMainAuthField).
	{ name: 'localLlamaApi', required: true, displayOptions: { hide: { service: ['dify'] } } },
	{ name: 'difyApi', required: true, displayOptions: { show: { service: ['dify'] } } },
];

/** Requirements of the workflows for a model server. */
export const neededField: INodeProperties = collectionField('Needed', 'needed', 'Need', {
	options: [
		wholeField('Context', 'minContext', 8192, [0], {
			description:
				'Tokens of context that one request must be able to use. Agents rarely work with less than 8192.',
		}),
		booleanField('Embeddings', 'embeddings', true, {
			description: 'Whether the server must make embeddings',
		}),
		stringField('Model', 'model', {
			placeholder: 'e.g. qwen3-8b',
			description: 'Name of a model that must be there',
		}),
		wholeField('Requests at Once', 'minSlots', 2, [1], {
			description: 'How many slots llama-server must have',
		}),
		booleanField('Reranking', 'rerank', true, { description: 'Whether the server must rerank' }),
		booleanField('Tools', 'tools', true, {
			description: 'Whether the model must be able to call tools',
		}),
		booleanField('Vision', 'vision', true, {
			description: 'Whether the model must be able to see pictures',
		}),
	],
	displayOptions: { show: { service: ['modelServer'] } },
	description:
		'What your workflows need of the server. Whatever is missing makes it unhealthy and is explained.',
});

/** Option to read the slots. */
export const slots = booleanField('Ask for Slots', 'readSlots', true, {
	displayOptions: { show: { '/service': ['modelServer'] } },
	description:
		'Whether to ask llama-server for its slots too, which shows the busy ones and a hung GPU without --metrics. Leave it off for a server started with --sleep-idle-seconds: asking wakes it and keeps it awake.',
});

const failWhenUnhealthy = booleanField('Fail When Unhealthy', 'failWhenUnhealthy', true, {
	description:
		'Whether the node fails when the server is not healthy, instead of using its second output',
});

export const timeLimit = numberField('Time Limit of a Check (Seconds)', 'timeLimit', 2.5, {
	typeOptions: { minValue: 0.1, numberPrecision: 1 },
	description:
		'How long to wait for an answer before the server counts as dead. Raise it for servers far away.',
});

/** Fields of every operation that checks the server, with further options. */
export function checkFields(...further: INodeProperties[]): INodeProperties[] {
	return [neededField, optionsCollection([slots, failWhenUnhealthy, timeLimit, ...further])];
}

/** Reads these fields. */
export function readCheck({
	parameters,
	signal,
}: {
	parameters: NodeParameters;
	signal?: AbortSignal;
}): {
	check: CheckOptions;
	failWhenUnhealthy: boolean;
} {
	return {
		check: { ...readNeeds(parameters), signal },
		failWhenUnhealthy: parameters.flag('options.failWhenUnhealthy', false),
	};
}

/** Reads those of these fields that every check has. */
export function readNeeds(parameters: NodeParameters): CheckOptions {
	const model = parameters.name('needed.model');
	const timeLimitMs = parameters.milliseconds('options.timeLimit', undefined);
	return {
		expectations: {
			...(model === '' ? {} : { model }),
			vision: parameters.flag('needed.vision', false),
			tools: parameters.flag('needed.tools', false),
			embeddings: parameters.flag('needed.embeddings', false),
			rerank: parameters.flag('needed.rerank', false),
			minContext: parameters.number('needed.minContext', undefined),
			minSlots: parameters.number('needed.minSlots', undefined),
		},
		readSlots: parameters.flag('options.readSlots', false),
		...optional({ timeLimitMs }),
	};
}
