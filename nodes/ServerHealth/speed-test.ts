/** Operation Speed Test. */
import { checkServer } from '../../lib/health/check';
import { integerField } from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import type { HealthCall, HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';
import type { SpeedOptions } from '../../lib/health/speed';
import { addSpeedTest } from '../../lib/health/speed';
import { modelField } from '../shared/model-selection';
import { secondsField } from '../shared/timeout-fields';

const FIRST_TOKEN_MS = 60_000;
const TOTAL_MS = 180_000;

/** Timeouts of each request of a speed test. */
const timeoutFields = [
	secondsField(
		'First Token Timeout (Seconds)',
		'firstTokenTimeout',
		60,
		'How long to wait for the first token of a request. A model that is not loaded yet needs longer.',
		1,
	),
	secondsField(
		'Total Timeout (Seconds)',
		'totalTimeout',
		180,
		'How long a request may take in total',
		1,
	),
];

export const speedTest: HealthOperation = defineHealthOperation({
	name: 'Speed Test',
	value: 'speedTest',
	action: 'Run a speed test',
	description:
		'Measure time to first token and tokens per second, for one and for several requests',
	services: ['modelServer'],
	fields: [
		modelField('The model to measure'),
		integerField(
			'Max Tokens per Response',
			'tokens',
			64,
			[1, 4096],
			'How many tokens to generate. A higher number gives steadier results.',
		),
		integerField(
			'Concurrent Requests',
			'concurrentRequests',
			1,
			[1, 64],
			'If greater than 1, a second round sends this many requests at the same time, up to the limit of the credential, otherwise to the slots of the server',
		),
		...checkFields(...timeoutFields),
	],
	fetchHealth: async (call) => {
		const options = readSpeed(call);
		const health = await checkServer(call.target, call.checkOptions);
		return await addSpeedTest(call.target, health, options);
	},
});

/** Reads the fields of a speed test. A report has the same, without the timeouts. */
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
