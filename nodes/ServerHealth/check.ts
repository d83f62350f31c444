import { checkServer } from '../../lib/health/check';
import { checkFields, readCheck } from '../shared/health/check-fields';
import { healthItems, type HealthOperation } from './operation';

export const check: HealthOperation = {
	option: {
		name: 'Check',
		value: 'check',
		action: 'Check a server',
		description: 'Find problems and how to fix them. Does not generate, load or wake anything.',
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
