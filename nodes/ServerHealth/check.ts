import { checkServer, waitUntilReady as wait } from '../../lib/health/check';
import { numberField } from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import { defineHealthOperation } from './operation';

export const check = defineHealthOperation({
	name: 'Check',
	value: 'check',
	action: 'Check a server',
	description: 'Find problems and how to fix them. Does not generate, load or wake anything.',
	services: ['modelServer', 'dify'],
	fields: checkFields(),
	measure: async ({ target, check: options }) => ({ health: await checkServer(target, options) }),
});

const DEFAULT_WAIT_MS = 300_000;

export const waitUntilReady = defineHealthOperation({
	name: 'Wait Until Ready',
	value: 'waitUntilReady',
	action: 'Wait until a server is ready',
	description: 'Check until the server is healthy, for example while it loads a model',
	services: ['modelServer', 'dify'],
	fields: checkFields(
		numberField('Wait Timeout (Seconds)', 'waitTimeout', 300, {
			typeOptions: { minValue: 1 },
			description: 'How long to wait. 300 if not set.',
		}),
	),
	measure: async ({ target, parameters, signal, check: options }) => {
		const timeoutMs = parameters.milliseconds('options.waitTimeout', DEFAULT_WAIT_MS);
		const checkAgain = async () => await checkServer(target, options);
		return { health: await wait(checkAgain, { timeoutMs, signal }) };
	},
});
