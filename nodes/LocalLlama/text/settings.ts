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

export function readChatSettings(parameters: NodeParameters): ChatSettings {
	const responseFormat = readResponseFormat(parameters, 'options.');
	const thinking = readThinking(parameters, 'options.');
	return buildChatSettings(parameters, omitUndefined({ responseFormat, thinking }), 'toolTurns');
}

/** Reads the settings of an operation with a fixed response format. */
export function readShortTextSettings(parameters: NodeParameters): ChatSettings {
	const thinking = readThinking(parameters, 'options.', 'off');
	// Most likely response by default.
	const defaults = { temperature: 0, ...omitUndefined({ thinking }) };
	return buildChatSettings(parameters, defaults, 'never');
}

/** Reads the settings of a task that generates text. */
export function readTaskSettings(call: LlamaCall, defaults: ChatParameters = {}): CompleteSettings {
	const { parameters } = call;
	return {
		...readMediaSettings(call),
		...readGenerationTimeouts(parameters),
		parameters: { ...defaults, ...readGeneration(parameters) },
	};
}

function buildChatSettings(
	parameters: NodeParameters,
	defaults: ChatParameters,
	thinkingHistory: ChatSettings['thinkingHistory'],
): ChatSettings {
	return {
		model: parameters.string('model'),
		parameters: { ...defaults, ...readGeneration(parameters) },
		thinkingHistory,
		showThinking: false,
		...readGenerationTimeouts(parameters),
	};
}
