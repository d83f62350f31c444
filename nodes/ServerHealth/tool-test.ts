/** Operation Tool Test. */
import { checkServer } from '../../lib/health/check';
import { optionsField } from '../shared/fields/options-field';
import { streamingField } from '../shared/items/concurrency';
import type { HealthOperation } from './health-operation';
import { defineHealthOperation } from './health-operation';
import { modelField } from '../shared/fields/model-selection';
import { addToolTest, CASES } from '../../lib/health/tool-test';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';

export const toolTest: HealthOperation = defineHealthOperation({
	name: 'Tool Test',
	value: 'toolTest',
	action: 'Run a tool test',
	description: 'Test whether the model calls the right tool with the right arguments',
	services: ['modelServer'],
	fields: {
		model: modelField('The model to test'),
		maxTokens: {
			kind: 'number',
			label: 'Maximum Tokens',
			default: 1_024,
			range: [16, 32768],
			isInteger: true,
			description:
				'Maximum tokens for each of the nine responses, including thinking. A response that is cut off does not pass.',
		},
		testTimeout: {
			kind: 'seconds',
			label: 'Test Timeout (Seconds)',
			default: 600,
			range: [1],
			isOptional: true,
			description: 'How long the test may take in total. Remaining cases count as not tested.',
		},
		options: optionsField({ enableStreaming: streamingField }),
	},
	fetchHealth: async ({ target, values, signal, checkOptions, context, chatStream }) => {
		const { model, maxTokens, testTimeout: timeoutMs } = values;
		return await addToolTest(target, await checkServer(target, checkOptions), {
			model,
			maxTokens,
			timeoutMs,
			signal,
			onCase: async ({ case: name, passed }, number) => {
				const progress = `Case ${number} of ${CASES.length}, ${name}: ${passed ? 'passed' : 'not passed'}`;
				// The console of the browser.
				tryOrUndefined(() => context.sendMessageToUI(progress));
				await chatStream?.write(`${progress}\n`);
			},
		});
	},
});
