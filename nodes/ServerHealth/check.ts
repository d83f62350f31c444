import { checkServer } from '../../lib/health/check';
import { checkFields, readCheckOptions } from '../shared/health/check-fields';
import { toHealthItems, type HealthOperation } from './operation';

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
		const { check: options, failWhenUnhealthy } = readCheckOptions(call);
		return toHealthItems(call, {
			health: await checkServer(call.target, options),
			failWhenUnhealthy,
		});
	},
};
