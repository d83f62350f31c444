/** Operation Wait Until Ready. */
import { checkServer } from '../../lib/health/check';
import { waitUntilReady as wait } from '../../lib/health/wait-until-ready';
import { optionsField } from '../shared/fields/options-field';
import type { HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';

export const waitUntilReady: HealthOperation = defineHealthOperation({
	name: 'Wait Until Ready',
	value: 'waitUntilReady',
	action: 'Wait until a server is ready',
	description: 'Check until the server is healthy, for example while it loads a model',
	services: ['modelServer', 'dify'],
	fields: {
		waitTimeout: {
			kind: 'seconds',
			label: 'Wait Timeout (Seconds)',
			default: 300,
			range: [1],
			description:
				'How long to wait until the server responds, its model is loaded, and the Expectations are met',
			hint: 'The node waits until a check is healthy. It stops at once if waiting does not help, for example with a wrong key.',
		},
		options: optionsField({}),
	},
	fetchHealth: async ({ target, values, signal, checkOptions: options }) => {
		const { waitTimeout: timeoutMs } = values;
		const checkAgain = () => checkServer(target, options);
		return await wait(checkAgain, { timeoutMs, signal });
	},
});
