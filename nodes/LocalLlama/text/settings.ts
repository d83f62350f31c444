import type { ChatParameters, ChatSettings } from '../../../lib/chat/types';
import type { CompleteSettings } from '../../../lib/tasks/complete';
import { omitUndefined } from '../../../lib/values';
import {
	readGeneration,
	readResponseFormat,
	readThinking,
} from '../../shared/chat/generation-settings';
import { readGenerationTimeouts } from '../../shared/timeout-fields';
import type { NodeParameters } from '../../shared/parameters';
import { readMediaSettings } from '../media-options';
import type { LlamaCall } from '../operation';

/** Reads the settings of a chat. */
export function readChatSettings(parameters: NodeParameters): ChatSettings {
	const responseFormat = readResponseFormat(parameters);
	return settingsWith(parameters, omitUndefined({ responseFormat }), 'toolTurns');
}

/** Reads the settings of an operation without a choice of the response format. */
export function readShortTextSettings(parameters: NodeParameters): ChatSettings {
	// The most likely answer, unless the user wants another.
	return settingsWith(parameters, { temperature: 0 }, 'off');
}

/** Reads the settings of a task that writes. */
export function readTaskSettings(call: LlamaCall, own: ChatParameters = {}): CompleteSettings {
	const { parameters } = call;
	return {
		...readMediaSettings(call),
		...readGenerationTimeouts(parameters),
		parameters: { ...own, ...readGeneration(parameters) },
	};
}

function settingsWith(
	parameters: NodeParameters,
	own: ChatParameters,
	thinkingHistory: ChatSettings['thinkingHistory'],
): ChatSettings {
	return {
		model: parameters.string('model'),
		parameters: {
			...own,
			...readGeneration(parameters),
			...omitUndefined({ thinking: readThinking(parameters) }),
		},
		thinkingHistory,
		showThinking: false,
		...readGenerationTimeouts(parameters),
	};
}
