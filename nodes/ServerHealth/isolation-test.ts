import { checkServer } from '../../lib/health/check';
import { withIsolationTest } from '../../lib/health/isolation/isolation-test';
import { numberField, wholeField } from '../shared/field-kinds';
import { checkFields, readCheck } from '../shared/health/check-fields';
import { modelField } from '../shared/model-field';
import { healthItems, type HealthOperation } from './operation';

const DEFAULT_LIMIT_MS = 600_000;

export const isolationTest: HealthOperation = {
	option: {
		name: 'Isolation Test',
		value: 'isolationTest',
		action: 'Test whether conversations stay apart',
		description:
			'Check, then hold many conversations at the same time, each with a code word of its own: whether the code word of one turns up in the answer of another',
	},
	services: ['modelServer'],
	fields: [
		modelField({ description: 'The model to test' }, { mayBeEmpty: true }),
		wholeField('Conversations', 'conversations', 100, [2, 100_000], {
			description:
				'How many conversations to hold. Each takes two requests. The more there are, the more the result says.',
		}),
		wholeField('Requests at Once', 'conversationsAtOnce', 8, [2, 64], {
			description:
				'How many requests run at the same time: more than the server has slots, so that conversations take the slots of others',
		}),
		wholeField('Tokens per Answer', 'isolationTokens', 32, [8, 4096], {
			description: 'The most that one answer may generate',
		}),
		numberField('Time Limit of the Test (Seconds)', 'isolationLimit', DEFAULT_LIMIT_MS / 1000, {
			typeOptions: { minValue: 1 },
			description: 'How long all conversations may take together. What is left is not tried.',
		}),
		...checkFields(),
	],
	run: async (call) => {
		const { target, parameters, signal } = call;
		const { check, failWhenUnhealthy } = readCheck(call);
		const health = await withIsolationTest(target, await checkServer(target, check), {
			model: parameters.name('model'),
			conversations: parameters.number('conversations'),
			atOnce: parameters.number('conversationsAtOnce'),
			tokens: parameters.number('isolationTokens'),
			limitMs: parameters.milliseconds('isolationLimit', DEFAULT_LIMIT_MS),
			signal,
		});
		return healthItems(call, { health, failWhenUnhealthy });
	},
};
