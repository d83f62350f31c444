/** Operation Wait Until Ready. */
import { checkServer } from '../../lib/health/check';
import { waitUntilReady as wait } from '../../lib/health/wait-until-ready';
import { numberField } from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import type { HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';

export const waitUntilReady: HealthOperation = defineHealthOperation({
	name: 'Wait Until Ready',
	value: 'waitUntilReady',
	action: 'Wait until a server is ready',
	description: 'Check until the server is healthy, for example while it loads a model',
	services: ['modelServer', 'dify'],
	fields: [
		numberField('Wait Timeout (Seconds)', 'waitTimeout', 300, {
			typeOptions: { minValue: 1 },
			description:
				'How long to wait until the server responds, its model is loaded, and the Expectations are met',
			hint: 'The node waits until a check is healthy. It stops at once if waiting does not help, for example with a wrong key.',
		}),
		...checkFields(),
	],
	fetchHealth: async ({ target, parameters, signal, checkOptions: options }) => {
		const timeoutMs = parameters.milliseconds('waitTimeout');
		const checkAgain = () => checkServer(target, options);
		return await wait(checkAgain, { timeoutMs, signal });
	},
});
