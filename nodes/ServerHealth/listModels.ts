import { listServerModels } from '../../lib/health/check';
import { optionsField, timeLimit } from './check-fields';
import type { HealthOperation } from './operation';

export const listModels: HealthOperation = {
	option: {
		name: 'List Models',
		value: 'listModels',
		action: 'List the models of a server',
		description: 'One item for each model, with context, size, abilities and state',
	},
	services: ['modelServer'],
	fields: [optionsField(timeLimit)],
	run: async ({ target, parameters, signal }) => {
		const timeLimitMs = parameters.milliseconds('options.timeLimit', undefined);
		return { items: await listServerModels(target, { ...(timeLimitMs === undefined ? {} : { timeLimitMs }), signal }) };
	},
};
