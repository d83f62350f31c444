/** The fields for thinking, and what is sent for their values. */
import type { FieldTable, OptionValues } from '../../fields/field';
import type { Thinking, ThinkingEffort } from '../settings';

/** The budget that applies if the option was not added. */
export const DEFAULT_THINKING_BUDGET = 1024;

export const THINKING_FIELDS = {
	thinking: {
		kind: 'choice',
		label: 'Thinking',
		default: 'serverDefault',
		choices: {
			effort: ['Effort', 'How much to think, for models that support effort levels (gpt-oss)'],
			off: ['Off', 'Respond immediately. gpt-oss always thinks: use a low effort for it.'],
			on: 'On',
			serverDefault: ['Server Default', "Use the server's setting"],
			budget: ['Token Budget', 'Stop thinking after this many tokens'],
		},
		description:
			'Whether a thinking model (Qwen3, gpt-oss, DeepSeek-R1, …) thinks before it responds. The thinking is returned separately.',
	},
	thinkingEffort: {
		kind: 'choice',
		label: 'Thinking Effort',
		default: 'medium',
		choices: {
			xhigh: 'Extra High',
			high: 'High',
			low: 'Low',
			max: 'Maximum',
			medium: 'Medium',
			minimal: 'Minimal',
			none: 'None',
		} satisfies Record<ThinkingEffort, string>,
		shownIf: { thinking: ['effort'] },
	},
	thinkingBudget: {
		kind: 'number',
		label: 'Thinking Token Budget',
		default: DEFAULT_THINKING_BUDGET,
		range: [0],
		isInteger: true,
		shownIf: { thinking: ['budget'] },
		description:
			'Maximum tokens for thinking; 0 ends it immediately. On llama-server, if the chat template of the model has an end tag, and on vLLM with a reasoning parser.',
	},
} as const satisfies FieldTable;

/** Values of these fields. As options, those that were not added have none. */
export type ThinkingValues = OptionValues<typeof THINKING_FIELDS>;

/**
 * The setting of a generation; undefined if nothing is sent.
 *
 * @param whenUnset applies if the option was not added
 */
export function toThinking(
	values: ThinkingValues,
	whenUnset: Thinking['mode'] = 'serverDefault',
): Thinking | undefined {
	const { thinking: mode = whenUnset } = values;
	switch (mode) {
		case 'on':
		case 'off':
			return { mode };
		case 'effort':
			return { mode, effort: values.thinkingEffort ?? 'medium' };
		case 'budget':
			return { mode, tokens: values.thinkingBudget ?? DEFAULT_THINKING_BUDGET };
		default:
			return undefined;
	}
}
