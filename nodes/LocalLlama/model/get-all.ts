import { listServerModels } from '../../../lib/health/check';
import { optional } from '../../../lib/values';
import { booleanField, numberField, optionsCollection } from '../../shared/field-kinds';
import { modelServerTarget } from '../../shared/health/target';
import type { LocalLlamaOperation } from '../operation';

export const modelGetAll: LocalLlamaOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many models',
		description:
			'One item for each model of the server, with context, size, abilities and state. Loads nothing.',
	},
	fields: [
		optionsCollection([
			booleanField('Only Loaded Models', 'onlyLoaded', true, {
				description: 'Whether to leave out models that are not in memory, where the server tells',
			}),
			numberField('Time Limit of a Request (Seconds)', 'timeLimit', 2.5, {
				typeOptions: { minValue: 0.1, numberPrecision: 1 },
				description: 'How long to wait for each answer. Raise it for servers far away.',
			}),
		]),
	],
	run: async ({ context, parameters, itemIndex, signal }) => {
		const timeLimitMs = parameters.milliseconds('options.timeLimit', undefined);
		const onlyLoaded = parameters.flag('options.onlyLoaded', false);
		const target = modelServerTarget(
			await context.getCredentials('localLlamaApi', itemIndex),
			context.helpers,
		);
		const models = await listServerModels(target, { ...optional({ timeLimitMs }), signal });
		return models
			.filter(
				({ state }) => !onlyLoaded || state === null || state === 'loaded' || state === 'sleeping',
			)
			.map((json) => ({ json }));
	},
};
