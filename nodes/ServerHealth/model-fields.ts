import type { INodeProperties } from 'n8n-workflow';

import { changeModel } from '../../lib/servers/load';
import { modelField } from '../shared/model-field';
import type { HealthCall, HealthOperation } from './operation';

const DEFAULT_CHANGE_MS = 600_000;

/** The fields for loading and unloading a model. */
export const changeModelFields: INodeProperties[] = [
	modelField({ required: true }),
	{
		displayName: 'Options',
		name: 'modelOptions',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
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

/** Loads or unloads the model that these fields name. */
export function changingModel(change: Parameters<typeof changeModel>[1]): HealthOperation['run'] {
	return async ({ target, parameters, signal }: HealthCall) => ({
		items: [
			await changeModel(target.connect({}), change, {
				model: parameters.name('model'),
				wait: parameters.flag('modelOptions.wait', true),
				limitMs: parameters.milliseconds('modelOptions.loadLimit', DEFAULT_CHANGE_MS),
				signal,
			}),
		],
	});
}
