import { checkServer } from '../../lib/health/check';
import { checkFields, readCheck } from '../shared/health/check-fields';
import { healthItems, type HealthOperation } from './operation';

export const check: HealthOperation = {
	option: {
		name: 'Check',
		value: 'check',
		action: 'Check a server',
		description: 'What is wrong, and what to do. Generates, loads and wakes nothing.',
	},
	services: ['modelServer', 'dify'],
	fields: checkFields(),
	run: async (call) => {
		const { check: options, failWhenUnhealthy } = readCheck(call);
		return healthItems(call, {
			health: await checkServer(call.target, options),
			failWhenUnhealthy,
		});
	},
};
