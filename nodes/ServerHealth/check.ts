/** Operation Check. */
import { checkServer } from '../../lib/health/check';
import { optionsField } from '../shared/fields/options-field';
import type { HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';

export const check: HealthOperation = defineHealthOperation({
	name: 'Check',
	value: 'check',
	action: 'Check a server',
	description: 'Find problems and how to fix them. Does not generate, load or wake anything.',
	services: ['modelServer', 'dify'],
	fields: { options: optionsField({}) },
	fetchHealth: async ({ target, checkOptions: options }) => await checkServer(target, options),
});
