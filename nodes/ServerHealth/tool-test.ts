import { checkServer } from '../../lib/health/check';
import { addToolTest } from '../../lib/health/tool-test';
import { numberField, integerField } from '../shared/field-builders';
import { checkFields } from '../shared/health/check-fields';
import { modelField } from '../shared/model-field';
import { defineHealthOperation } from './operation';

const DEFAULT_TOKENS = 1_024;
const DEFAULT_TIMEOUT_SECONDS = 600;

export const toolTest = defineHealthOperation({
	name: 'Tool Test',
	value: 'toolTest',
	action: 'Run a tool test',
	description: 'Test whether the model calls the right tool with the right arguments',
	services: ['modelServer'],
	fields: [
		modelField('The model to test'),
		integerField('Max Tokens per Response', 'maxTokens', DEFAULT_TOKENS, [16, 32768], {
			description:
				'Maximum tokens for each of the nine responses, including thinking. A response that is cut off does not pass.',
		}),
		numberField('Test Timeout (Seconds)', 'testTimeout', DEFAULT_TIMEOUT_SECONDS, {
			typeOptions: { minValue: 1 },
			description: 'How long the test may take in total. Remaining cases count as not tested.',
		}),
		...checkFields(),
	],
	measure: async ({ target, parameters, signal, check }) => ({
		health: await addToolTest(target, await checkServer(target, check), {
			model: parameters.string('model'),
			maxTokens: parameters.number('maxTokens'),
			timeoutMs: parameters.milliseconds('testTimeout', DEFAULT_TIMEOUT_SECONDS * 1000),
			signal,
		}),
	}),
});
