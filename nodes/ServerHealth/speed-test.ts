import { checkServer } from '../../lib/health/check';
import { addSpeedTest, type SpeedOptions } from '../../lib/health/speed';
import { numberField, integerField } from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import { modelField } from '../shared/model-field';
import { defineHealthOperation, type HealthCall } from './operation';

const FIRST_TOKEN_MS = 60_000;
const TOTAL_MS = 180_000;

/** Timeouts of each request of a speed test. */
const timeoutFields = [
	numberField('First Token Timeout (Seconds)', 'firstTokenTimeout', 60, {
		typeOptions: { minValue: 1 },
		description:
			'How long to wait for the first token of a request. A model that is not loaded yet needs longer.',
	}),
	numberField('Total Timeout (Seconds)', 'totalTimeout', 180, {
		typeOptions: { minValue: 1 },
		description: 'How long a request may take in total',
	}),
];

export const speedTest = defineHealthOperation({
	name: 'Speed Test',
	value: 'speedTest',
	action: 'Run a speed test',
	description:
		'Measure time to first token and tokens per second, for one and for several requests',
	services: ['modelServer'],
	fields: [
		modelField('The model to measure'),
		integerField('Tokens', 'tokens', 64, [1, 4096], {
			description: 'How many tokens to generate. A higher number gives steadier results.',
		}),
		integerField('Concurrent Requests', 'concurrentRequests', 1, [1, 64], {
			description:
				'If greater than 1, a second round sends this many requests at the same time, up to the limit of the credential',
		}),
		...checkFields(...timeoutFields),
	],
	measure: async (call) => {
		const options = readSpeed(call);
		const health = await checkServer(call.target, call.check);
		return { health: await addSpeedTest(call.target, health, options) };
	},
});

export function readSpeed({ parameters, signal }: HealthCall): SpeedOptions {
	return {
		model: parameters.string('model'),
		tokens: parameters.number('tokens'),
		concurrency: parameters.number('concurrentRequests'),
		firstTokenMs: parameters.milliseconds('options.firstTokenTimeout', FIRST_TOKEN_MS),
		totalMs: parameters.milliseconds('options.totalTimeout', TOTAL_MS),
		signal,
	};
}
