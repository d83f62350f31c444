import type { ChatSettings } from '../../lib/chat/request/request';
import type { ReasoningEcho } from '../../lib/chat/request/messages';
import type { ServerKind } from '../../lib/servers/kinds/kind';
import {
	optional,
	readGeneration,
	readGenerationLimits,
	responseFormatIn,
	thinkingIn,
} from '../shared/chat/generation-settings';
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
		serverKind: parameters.choice<ServerKind | 'auto'>('serverType'),
		parameters: {
			...readGeneration(parameters),
			...optional('thinking', thinkingIn(parameters)),
			...optional('responseFormat', responseFormatIn(parameters)),
		},
		reasoningEcho: parameters.choice<ReasoningEcho>('options.reasoningEcho', 'toolTurns'),
		showThinking: parameters.flag('options.showThinking', false),
		...optional('toolChoice', parameters.choice<'auto' | 'none' | 'required'>('options.toolChoice', undefined)),
		...optional('toolCallsInText', parameters.choice<'read' | 'leave'>('options.toolCallsInText', undefined)),
		...optional('historyBudget', parameters.number('options.historyBudget', undefined)),
		...optional('trace', traceIn(parameters)),
		...optional('textFormat', parameters.choice<string>('options.textFormat', undefined)),
		...readGenerationLimits(parameters),
	};
}
