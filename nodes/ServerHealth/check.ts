import { checkServer, waitUntilReady as wait } from '../../lib/health/check';
import { numberField, integerField, streamingField } from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import type { HealthCall, HealthOperation } from './operation';
import { defineHealthOperation } from './operation';
import type { SpeedOptions } from '../../lib/health/speed';
import { addSpeedTest } from '../../lib/health/speed';
import { modelField } from '../shared/model-selection';
import { secondsField } from '../shared/timeout-fields';
import { addToolTest, CASES } from '../../lib/health/tool-test';
import { tryOrUndefined } from '../../lib/values/attempt';

export const check: HealthOperation = defineHealthOperation({
	name: 'Check',
	value: 'check',
	action: 'Check a server',
	description: 'Find problems and how to fix them. Does not generate, load or wake anything.',
	services: ['modelServer', 'dify'],
	fields: checkFields(),
	measure: async ({ target, check: options }) => await checkServer(target, options),
});

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
	measure: async ({ target, parameters, signal, check: options }) => {
		const timeoutMs = parameters.milliseconds('waitTimeout');
		const checkAgain = () => checkServer(target, options);
		return await wait(checkAgain, { timeoutMs, signal });
	},
});

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
			'Tokens',
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
			'If greater than 1, a second round sends this many requests at the same time, up to the limit of the credential',
		),
		...checkFields(...timeoutFields),
	],
	measure: async (call) => {
		const options = readSpeed(call);
		const health = await checkServer(call.target, call.check);
		return await addSpeedTest(call.target, health, options);
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

const DEFAULT_TOKENS = 1_024;

const DEFAULT_TIMEOUT_SECONDS = 600;

export const toolTest: HealthOperation = defineHealthOperation({
	name: 'Tool Test',
	value: 'toolTest',
	action: 'Run a tool test',
	description: 'Test whether the model calls the right tool with the right arguments',
	services: ['modelServer'],
	fields: [
		modelField('The model to test'),
		integerField(
			'Max Tokens per Response',
			'maxTokens',
			DEFAULT_TOKENS,
			[16, 32768],
			'Maximum tokens for each of the nine responses, including thinking. A response that is cut off does not pass.',
		),
		secondsField(
			'Test Timeout (Seconds)',
			'testTimeout',
			DEFAULT_TIMEOUT_SECONDS,
			'How long the test may take in total. Remaining cases count as not tested.',
			1,
		),
		...checkFields(streamingField),
	],
	measure: async ({ target, parameters, signal, check, context, typing }) =>
		await addToolTest(target, await checkServer(target, check), {
			model: parameters.string('model'),
			maxTokens: parameters.number('maxTokens'),
			timeoutMs: parameters.milliseconds('testTimeout', DEFAULT_TIMEOUT_SECONDS * 1000),
			signal,
			onCase: async ({ case: name, passed }, number) => {
				const progress = `Case ${number} of ${CASES.length}, ${name}: ${passed ? 'passed' : 'not passed'}`;
				// The console of the browser.
				tryOrUndefined(() => context.sendMessageToUI(progress));
				await typing?.write(`${progress}\n`);
			},
		}),
});
