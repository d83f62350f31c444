import type { ChatSettings } from '../../lib/chat/request/request';
import type { ReasoningEcho } from '../../lib/chat/request/messages';
import type { KindName } from '../../lib/servers/kinds';
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
		serverKind: parameters.choice<KindName | 'auto'>('serverType'),
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
			toolChoice: parameters.choice<'auto' | 'none' | 'required'>('options.toolChoice', undefined),
			toolCallsInText: parameters.choice<'read' | 'leave'>('options.toolCallsInText', undefined),
			controlTokens: parameters.choice<'breakUp' | 'leave'>('options.controlTokens', undefined),
			historyBudget: parameters.number('options.historyBudget', undefined),
			trace: traceIn(parameters),
			textFormat: parameters.choice<string>('options.textFormat', undefined),
		}),
		...readLimits(parameters, GENERATION_RETRIES),
	};
}
