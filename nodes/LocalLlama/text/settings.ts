import type { ChatSettings } from '../../../lib/chat/request/request';
import {
	optional,
	readGeneration,
	readGenerationLimits,
	responseFormatIn,
	thinkingIn,
} from '../../shared/chat/generation-settings';
import type { NodeParameters } from '../../shared/parameters';

/** The settings of a chat. */
export function chatSettings(parameters: NodeParameters): ChatSettings {
	return {
		model: parameters.name('model'),
		serverKind: 'auto',
		parameters: {
			...readGeneration(parameters),
			...optional('thinking', thinkingIn(parameters)),
			...optional('responseFormat', responseFormatIn(parameters)),
		},
		reasoningEcho: 'toolTurns',
		showThinking: false,
		...readGenerationLimits(parameters),
	};
}

/** The settings of an operation that has no response format of the user's choice. */
export function briefSettings(parameters: NodeParameters): ChatSettings {
	return {
		model: parameters.name('model'),
		serverKind: 'auto',
		// The most likely answer, unless the user wants another.
		parameters: { temperature: 0, ...readGeneration(parameters), ...optional('thinking', thinkingIn(parameters)) },
		reasoningEcho: 'off',
		showThinking: false,
		...readGenerationLimits(parameters),
	};
}
