/** Fields for thinking, and their values. */
import { choiceField, integerField, shownIf } from '../field-builders';
import type { INodeProperties } from 'n8n-workflow';
import type { Thinking, ThinkingEffort } from '../../../lib/chat/settings';
import type { NodeParameters } from '../parameters';
import type { Prefix } from './optional-fields';
import { readChoice } from './optional-fields';

export const DEFAULT_THINKING_BUDGET = 1024;

/** Fields for thinking. */
export const thinkingFields: INodeProperties[] = [
	choiceField(
		'Thinking',
		'thinking',
		'serverDefault',
		{
			effort: ['Effort', 'How much to think, for models that support effort levels (gpt-oss)'],
			off: ['Off', 'Respond immediately. gpt-oss always thinks: use a low effort for it.'],
			on: 'On',
			serverDefault: ['Server Default', "Use the server's setting"],
			budget: ['Token Budget', 'Stop thinking after this many tokens'],
		},
		'Whether a thinking model (Qwen3, gpt-oss, DeepSeek-R1, …) thinks before it responds. The thinking is returned separately.',
	),
	choiceField(
		'Thinking Effort',
		'thinkingEffort',
		'medium',
		{
			xhigh: 'Extra High',
			high: 'High',
			low: 'Low',
			max: 'Maximum',
			medium: 'Medium',
			minimal: 'Minimal',
			none: 'None',
		},
		shownIf('thinking', 'effort'),
	),
	integerField('Thinking Token Budget', 'thinkingBudget', DEFAULT_THINKING_BUDGET, [0], {
		...shownIf('thinking', 'budget'),
		description:
			'Maximum tokens for thinking; 0 ends it immediately. On llama-server, if the chat template of the model has an end tag, and on vLLM with a reasoning parser.',
	}),
];

/**
 * Reads the thinking fields; undefined if nothing is sent.
 *
 * @param whenUnset applies if the option was not added
 */
export function readThinking(
	parameters: NodeParameters,
	prefix: Prefix = '',
	whenUnset: Thinking['mode'] = 'serverDefault',
): Thinking | undefined {
	const mode = readChoice(parameters, `${prefix}thinking`, whenUnset);
	switch (mode) {
		case 'on':
		case 'off':
			return { mode };
		case 'effort':
			return {
				mode,
				effort: readChoice<ThinkingEffort>(parameters, `${prefix}thinkingEffort`, 'medium'),
			};
		case 'budget': {
			const path = `${prefix}thinkingBudget`;
			const tokens = prefix
				? parameters.number(path, DEFAULT_THINKING_BUDGET)
				: parameters.number(path);
			return { mode, tokens };
		}
		default:
			return undefined;
	}
}
