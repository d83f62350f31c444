import type { ChatSettings, ReasoningEcho } from '../../lib/chat/types';
import { optional } from '../../lib/values';
import { readGeneration, responseFormatIn, thinkingIn } from '../shared/chat/generation-settings';
import { GENERATION_RETRIES, readLimits } from '../shared/limit-fields';
import type { NodeParameters } from '../shared/parameters';
import { traceIn } from './trace';

/**
 * Reads the node's parameters, which may come out of expressions with any type.
 *
 * @throws {ServerError} of kind `invalidInput` naming the field
 */
export function readSettings(parameters: NodeParameters): ChatSettings {
	return {
		model: parameters.name('model'),
		parameters: {
			...readGeneration(parameters),
			...optional({
				thinking: thinkingIn(parameters),
				responseFormat: responseFormatIn(parameters),
			}),
		},
		reasoningEcho: parameters.choice<ReasoningEcho>('options.reasoningEcho', 'toolTurns'),
		showThinking: parameters.flag('options.showThinking', false),
		...optional({
			toolCallsInText: parameters.choice<'read' | 'leave'>('options.toolCallsInText', undefined),
			historyBudget: parameters.number('options.historyBudget', undefined),
			trace: traceIn(parameters),
		}),
		...readLimits(parameters, GENERATION_RETRIES),
	};
}
