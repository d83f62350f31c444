import type { ChatSettings } from '../../../lib/chat/types';
import { optional } from '../../../lib/values';
import {
	readGeneration,
	responseFormatIn,
	thinkingIn,
} from '../../shared/chat/generation-settings';
import { GENERATION_RETRIES, readLimits } from '../../shared/limit-fields';
import type { NodeParameters } from '../../shared/parameters';

/** Reads the settings of a chat. */
export function chatSettings(parameters: NodeParameters): ChatSettings {
	const responseFormat = responseFormatIn(parameters);
	return settingsWith(parameters, optional({ responseFormat }), 'toolTurns');
}

/** Reads the settings of an operation without a choice of the response format. */
export function briefSettings(parameters: NodeParameters): ChatSettings {
	// The most likely answer, unless the user wants another.
	return settingsWith(parameters, { temperature: 0 }, 'off');
}

function settingsWith(
	parameters: NodeParameters,
	own: ChatSettings['parameters'],
	reasoningEcho: ChatSettings['reasoningEcho'],
): ChatSettings {
	return {
		model: parameters.name('model'),
		parameters: {
			...own,
			...readGeneration(parameters),
			...optional({ thinking: thinkingIn(parameters) }),
		},
		reasoningEcho,
		showThinking: false,
		...readLimits(parameters, GENERATION_RETRIES),
	};
}
