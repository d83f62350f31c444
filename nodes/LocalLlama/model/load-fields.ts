import type { INodeProperties } from 'n8n-workflow';

import { changeModel } from '../../../lib/servers/model-actions';
import { numberField, optionsCollection } from '../../shared/field-builders';
import type { LocalLlamaOperation } from '../operation';
import { targetModelField, waitField } from './fields';

const DEFAULT_TIMEOUT_MS = 600_000;

const timeoutField = numberField('Timeout (Seconds)', 'timeout', 600, {
	typeOptions: { minValue: 1 },
	description: 'How long to wait until the model is loaded or unloaded',
});

/** Fields of Load and Unload, with extra options for one of them. */
export function changeFields(...extraFields: INodeProperties[]): INodeProperties[] {
	const wait = waitField(
		'Whether to wait until the model is loaded or unloaded. Ollama and LM Studio always wait.',
	);
	return [targetModelField, optionsCollection([timeoutField, wait, ...extraFields])];
}

export function runChange(action: 'load' | 'unload'): LocalLlamaOperation['run'] {
	return async (call) => {
		const { parameters, server, signal } = call;
		const change = await changeModel(server, action, {
			model: parameters.string('model'),
			wait: parameters.boolean('options.wait', true),
			timeoutMs: parameters.milliseconds('options.timeout', DEFAULT_TIMEOUT_MS),
			isForced: action === 'unload' && parameters.boolean('options.force', false),
			signal,
		});
		return [{ json: change }];
	};
}
