import type { INodeProperties } from 'n8n-workflow';

import { changeModel } from '../../../lib/servers/model-actions';
import { numberField, optionsCollection } from '../../shared/field-builders';
import type { LocalLlamaOperation } from '../operation';
import { targetModelField, waitField } from './fields';

const DEFAULT_CHANGE_MS = 600_000;

const timeLimitField = numberField('Timeout (Seconds)', 'timeLimit', 600, {
	typeOptions: { minValue: 1 },
	description: 'How long to wait until the model is loaded or unloaded',
});

/** Fields of loading and unloading, with those of only one of them. */
export function changeFields(...further: INodeProperties[]): INodeProperties[] {
	const wait = waitField(
		'Whether to wait until the model is loaded or unloaded. Ollama and LM Studio always wait.',
	);
	return [targetModelField, optionsCollection([timeLimitField, wait, ...further])];
}

/** Loads or unloads the model of an item. */
export function runChange(action: 'load' | 'unload'): LocalLlamaOperation['run'] {
	return async (call) => {
		const { parameters, server, signal } = call;
		const change = await changeModel(server, action, {
			model: parameters.string('model'),
			wait: parameters.boolean('options.wait', true),
			timeoutMs: parameters.milliseconds('options.timeLimit', DEFAULT_CHANGE_MS),
			isForced: action === 'unload' && parameters.boolean('options.force', false),
			signal,
		});
		return [{ json: change }];
	};
}
