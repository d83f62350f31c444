/** Operation Tool Test. */
import { checkServer } from '../../lib/health/check';
import { integerField, streamingField } from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import type { HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';
import { modelField } from '../shared/model-selection';
import { secondsField } from '../shared/timeout-fields';
import { addToolTest, CASES } from '../../lib/health/tool-test';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';

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
	fetchHealth: async ({ target, parameters, signal, checkOptions, context, chatStream }) =>
		await addToolTest(target, await checkServer(target, checkOptions), {
			model: parameters.string('model'),
			maxTokens: parameters.number('maxTokens'),
			timeoutMs: parameters.milliseconds('testTimeout', DEFAULT_TIMEOUT_SECONDS * 1000),
			signal,
			onCase: async ({ case: name, passed }, number) => {
				const progress = `Case ${number} of ${CASES.length}, ${name}: ${passed ? 'passed' : 'not passed'}`;
				// The console of the browser.
				tryOrUndefined(() => context.sendMessageToUI(progress));
				await chatStream?.write(`${progress}\n`);
			},
		}),
});
