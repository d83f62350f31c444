import type { ChatParameters, ChatSettings } from '../../../lib/chat/types';
import type { CompleteSettings } from '../../../lib/tasks/complete';
import { optional } from '../../../lib/values';
import {
	readGeneration,
	responseFormatIn,
	thinkingIn,
} from '../../shared/chat/generation-settings';
import { readLimits } from '../../shared/timeout-fields';
import type { NodeParameters } from '../../shared/parameters';
import { mediaSettings } from '../media-options';
import type { LlamaCall } from '../operation';

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

/** Reads the settings of a task that writes. */
export function taskSettings(call: LlamaCall, own: ChatParameters = {}): CompleteSettings {
	const { parameters } = call;
	return {
		...mediaSettings(call),
		...readLimits(parameters),
		parameters: { ...own, ...readGeneration(parameters) },
	};
}

function settingsWith(
	parameters: NodeParameters,
	own: ChatParameters,
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
		...readLimits(parameters),
	};
}
