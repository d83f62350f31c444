import { checkServer } from '../../lib/health/check';
import { type ToolTestOptions, withToolTest } from '../../lib/health/tools/tool-test';
import { booleanField, choiceField, choices, numberField, wholeField } from '../shared/field-kinds';
import { checkFields, readCheck } from '../shared/health/check-fields';
import { modelField } from '../shared/model-field';
import { healthItems, type HealthCall, type HealthOperation } from './operation';

/** Default size of the test; the report has no fields for it. */
const PRESET = { tries: 2, tokens: 1024, limitMs: 600_000 } as const;

export const toolTest: HealthOperation = {
	option: {
		name: 'Tool Test',
		value: 'toolTest',
		action: 'Run a tool test',
		description: 'Whether the model calls the right tool with the right arguments',
	},
	services: ['modelServer'],
	fields: [
		choiceField('Models', 'testedModels', 'one', {
			options: choices({
				all: ['All', 'One after another, but for those that make embeddings or run elsewhere'],
				one: ['One', 'The one below'],
			}),
			description: 'Which models of the server to test',
		}),
		{
			...modelField({ description: 'The model to test' }, { mayBeEmpty: true }),
			displayOptions: { show: { testedModels: ['one'] } },
		},
		wholeField('Tries', 'tries', PRESET.tries, [1, 20], {
			description: 'How often each case is tried. Each try takes at most 11 requests per model.',
		}),
		wholeField('Tokens per Answer', 'answerTokens', PRESET.tokens, [16, 32768], {
			description:
				'The most that one answer may generate, thinking included. An answer that is cut off does not pass.',
		}),
		numberField('Time Limit of the Test (Seconds)', 'toolLimit', PRESET.limitMs / 1000, {
			typeOptions: { minValue: 1 },
			description:
				'How long all models and tries may take together. What is left then counts as not tried.',
		}),
		booleanField('Estimate Cost Only', 'costOnly', false, {
			description:
				'Whether to run no test, only to say how many requests and tokens it would take at most',
		}),
		...checkFields(),
	],
	run: async (call) => {
		const { target, parameters } = call;
		const { check, failWhenUnhealthy } = readCheck(call);
		const health = await withToolTest(target, await checkServer(target, check), {
			...presetOf(call),
			models: parameters.choice<ToolTestOptions['models']>('testedModels'),
			tries: parameters.number('tries'),
			tokens: parameters.number('answerTokens'),
			limitMs: parameters.milliseconds('toolLimit', PRESET.limitMs),
			costOnly: parameters.flag('costOnly', false),
		});
		return healthItems(call, { health, failWhenUnhealthy });
	},
};

/** Options of a test of one model with the defaults. */
export function presetOf({ parameters, signal }: HealthCall): ToolTestOptions {
	return { ...PRESET, models: 'one', model: parameters.name('model'), signal };
}
