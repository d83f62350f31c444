/** Fields of a check, in both health nodes. */
import type { INodeCredentialDescription, INodeProperties } from 'n8n-workflow';
import type { CheckOptions } from '../../../lib/health/check-options';
import { omitUndefined } from '../../../lib/values/records';
import {
	booleanField,
	choiceField,
	collectionField,
	numberField,
	optionsCollection,
	shownIf,
	stringField,
	integerField,
} from '../field-builders';
import type { NodeParameters } from '../parameters';

/** Model server or Dify. */
export const serviceField: INodeProperties = choiceField(
	'Server',
	'service',
	'modelServer',
	{
		dify: ['Dify', 'A Dify app or knowledge base, with a Dify API credential'],
		modelServer: [
			'Model Server',
			'Llama-server, Ollama, GPUStack, vLLM or another OpenAI-compatible server, with a LocalLlama API credential',
		],
	},
	{ noDataExpression: true },
);

const modelServerCredential: INodeCredentialDescription = {
	name: 'localLlamaApi',
	required: true,
	displayOptions: { hide: { service: ['dify'] } },
};

/** Credentials of a node with that field, shown below it. */
export const serviceCredentials: INodeCredentialDescription[] = [
	// `hide` for one, `show` for the other: if every option of a field shows a credential, the editor treats it as an
	// authentication field and hides it (n8n, nodeTypesUtils.ts, getMainAuthField).
	modelServerCredential,
	{ name: 'difyApi', required: true, displayOptions: { show: { service: ['dify'] } } },
];

/**
 * The same for a trigger: above its fields, as in n8n's other triggers, so that Poll Times comes next. The editor puts
 * credentials below the fields that `show` them.
 */
export const triggerCredentials: INodeCredentialDescription[] = [
	modelServerCredential,
	{ name: 'difyApi', required: true, displayOptions: { hide: { service: ['modelServer'] } } },
];

/** Requirements of the workflows for a model server. */
export const expectationsField: INodeProperties = collectionField(
	'Expectations',
	'expectations',
	'Expectation',
	{
		options: [
			integerField(
				'Context',
				'minContext',
				8192,
				[0],
				'Minimum tokens of context per request, for example 8192. Agents rarely work with less.',
			),
			stringField('Model', 'model', {
				placeholder: 'e.g. qwen3-8b',
				description: 'Name of a model that must be available, for example qwen3-8b',
			}),
		],
		...shownIf('service', 'modelServer'),
		description:
			'What your workflows require from the server: a model, and a context size. If something is missing, the server is unhealthy, and the result explains why.',
	},
);

const failWhenUnhealthy = booleanField(
	'Fail When Unhealthy',
	'failWhenUnhealthy',
	true,
	'Whether the node fails if the server is unhealthy, instead of using its second output',
);

export const timeoutField: INodeProperties = numberField(
	'Check Timeout (Seconds)',
	'timeout',
	2.5,
	{
		typeOptions: { minValue: 0.1, numberPrecision: 1 },
		description:
			'How long to wait for a response before the server is considered down. Raise it for distant servers.',
	},
);

/**
 * Fields of every operation that checks the server.
 *
 * @param extraFields - Further options of the operation
 */
export function checkFields(...extraFields: INodeProperties[]): INodeProperties[] {
	return [expectationsField, optionsCollection([failWhenUnhealthy, timeoutField, ...extraFields])];
}

/** Reads the fields of a check. */
export function readCheckOptions(parameters: NodeParameters): CheckOptions {
	const model = parameters.string('expectations.model');
	const timeoutMs = parameters.milliseconds('options.timeout', undefined);
	return {
		expectations: omitUndefined({
			model: model === '' ? undefined : model,
			minContext: parameters.number('expectations.minContext', undefined),
		}),
		...omitUndefined({ timeoutMs }),
	};
}
