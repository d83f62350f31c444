import { checkServer } from '../../lib/health/check';
import { waitUntilReady as wait } from '../../lib/health/wait-until-ready';
import { numberField } from '../shared/field-builders';
import { checkFields, readCheckOptions } from '../shared/health/check-fields';
import { toHealthItems, type HealthOperation } from './operation';

const DEFAULT_WAIT_MS = 300_000;

export const waitUntilReady: HealthOperation = {
	option: {
		name: 'Wait Until Ready',
		value: 'waitUntilReady',
		action: 'Wait until a server is ready',
		description: 'Check until the server is healthy, for example while it loads a model',
	},
	services: ['modelServer', 'dify'],
	fields: checkFields(
		numberField('Wait Timeout (Seconds)', 'waitTimeout', 300, {
			typeOptions: { minValue: 1 },
			description: 'How long to wait. 300 if not set.',
		}),
	),
	run: async (call) => {
		const { target, parameters, signal } = call;
		const { check, failWhenUnhealthy } = readCheckOptions(call);
		const health = await wait(async () => await checkServer(target, check), {
			timeoutMs: parameters.milliseconds('options.waitTimeout', DEFAULT_WAIT_MS),
			signal,
		});
		return toHealthItems(call, { health, failWhenUnhealthy });
	},
};
