/** Operation Speed Test. */
import type { FieldTable } from '../../lib/fields/field';
import { checkServer } from '../../lib/health/check';
import { optionsField } from '../shared/fields/options-field';
import type { HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';
import { addSpeedTest } from '../../lib/health/speed';
import { modelField } from '../shared/fields/model-selection';
import { firstTokenTimeoutField } from '../shared/fields/request-options';

/** Timeouts of each request of a speed test. */
const timeoutOptions = {
	firstTokenTimeout: {
		...firstTokenTimeoutField,
		default: 60,
		range: [1],
		description:
			'How long to wait for the first token of a request. A model that is not loaded yet needs longer.',
	},
	totalTimeout: {
		kind: 'seconds',
		label: 'Total Timeout (Seconds)',
		default: 180,
		range: [1],
		description: 'How long a request may take in total',
	},
} as const satisfies FieldTable;

const { firstTokenTimeout, totalTimeout } = timeoutOptions;

/** What is measured. A report has the same. */
export const speedFields = {
	model: modelField('The model to measure'),
	tokens: {
		kind: 'number',
		label: 'Maximum Tokens',
		default: 64,
		range: [1, 4096],
		isInteger: true,
	},
	concurrentRequests: {
		kind: 'number',
		label: 'Concurrent Requests',
		default: 1,
		range: [1, 64],
		isInteger: true,
	},
} as const satisfies FieldTable;

export const speedTest: HealthOperation = defineHealthOperation({
	name: 'Speed Test',
	value: 'speedTest',
	action: 'Run a speed test',
	description:
		'Measure time to first token and tokens per second, for one and for several requests',
	services: ['modelServer'],
	fields: {
		...speedFields,
		tokens: {
			...speedFields.tokens,
			description: 'How many tokens to generate. A higher number gives steadier results.',
		},
		concurrentRequests: {
			...speedFields.concurrentRequests,
			description:
				'If greater than 1, a second round sends this many requests at the same time, up to the limit of the credential, otherwise to the slots of the server',
		},
		options: optionsField(timeoutOptions),
	},
	fetchHealth: async ({ target, values, signal, checkOptions }) => {
		const { model, tokens, concurrentRequests: concurrency, options } = values;
		const speedOptions = {
			model,
			tokens,
			concurrency,
			firstTokenMs: options.firstTokenTimeout ?? firstTokenTimeout.default * 1000,
			totalMs: options.totalTimeout ?? totalTimeout.default * 1000,
			signal,
		};
		const health = await checkServer(target, checkOptions);
		return await addSpeedTest(target, health, speedOptions);
	},
});
