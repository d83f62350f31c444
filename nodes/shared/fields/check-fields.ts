/** Fields of a check, in both health nodes. */
import type { INodeCredentialDescription } from 'n8n-workflow';
import type {
	ChoiceField,
	FieldTable,
	OptionsField,
	OptionValues,
	SecondsField,
	SwitchField,
} from '../../../lib/fields/field';
import type { CheckOptions } from '../../../lib/health/check-options';
import { omitUndefined } from '../../../lib/values/records';

/** Model server or Dify. */
export const serviceField = {
	kind: 'choice',
	label: 'Server',
	default: 'modelServer',
	choices: {
		dify: ['Dify', 'A Dify app or knowledge base, with a Dify API credential'],
		modelServer: [
			'Model Server',
			'Llama-server, Ollama, GPUStack, vLLM or another OpenAI-compatible server, with a LocalLlama API credential',
		],
	},
	isFixed: true,
} as const satisfies ChoiceField;

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
export const expectationsField = {
	kind: 'options',
	label: 'Expectations',
	entry: 'Expectation',
	fields: {
		minContext: {
			kind: 'number',
			label: 'Context',
			default: 8192,
			range: [0],
			isInteger: true,
			description:
				'Minimum tokens of context per request, for example 8192. Agents rarely work with less.',
		},
		model: {
			kind: 'name',
			label: 'Model',
			placeholder: 'e.g. qwen3-8b',
			description: 'Name of a model that must be available, for example qwen3-8b',
		},
	},
	shownIf: { service: ['modelServer'] },
	description:
		'What your workflows require from the server: a model, and a context size. If something is missing, the server is unhealthy, and the result explains why.',
} as const satisfies OptionsField;

const failWhenUnhealthyField = {
	kind: 'switch',
	label: 'Fail When Unhealthy',
	default: true,
	description:
		'Whether the node fails if the server is unhealthy, instead of using its second output',
} as const satisfies SwitchField;

export const checkTimeoutField = {
	kind: 'seconds',
	label: 'Check Timeout (Seconds)',
	default: 2.5,
	range: [0.1],
	decimals: 1,
	description:
		'How long to wait for a response before the server is considered down. Raise it for distant servers.',
} as const satisfies SecondsField;

/** Options of every operation that checks the server. */
export const checkOptionFields = {
	failWhenUnhealthy: failWhenUnhealthyField,
	timeout: checkTimeoutField,
} as const satisfies FieldTable;

/** Values of the fields of a check. */
export interface CheckValues {
	/** Undefined for Dify. */
	readonly expectations: OptionValues<typeof expectationsField.fields> | undefined;
	readonly options: {
		/** In milliseconds. */
		readonly timeout?: number;
	};
}

/** What these fields mean. */
export function toCheckOptions({ expectations, options }: CheckValues): CheckOptions {
	const { model, minContext } = expectations ?? {};
	return {
		expectations: omitUndefined({ model: model === '' ? undefined : model, minContext }),
		...omitUndefined({ timeoutMs: options.timeout }),
	};
}
