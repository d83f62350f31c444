import type { INodeProperties } from 'n8n-workflow';
import {
	DEFAULT_THINKING_BUDGET,
	thinkingFields,
	toOptionFields,
	requestFields,
	generationOptionFields,
} from '../../shared/chat/generation-fields';
import { streamingField, readMediaSettings } from '../options';
import { longTextField } from '../../shared/field-builders';
import type { ChatParameters, ChatSettings } from '../../../lib/chat/types';
import type { CompleteSettings } from '../../../lib/tasks/complete';
import { omitUndefined } from '../../../lib/values';
import {
	readGeneration,
	readResponseFormat,
	readThinking,
} from '../../shared/chat/generation-settings';
import { readGenerationTimeouts } from '../../shared/timeout-fields';
import { withResolvedModel } from '../../shared/resolve-model';
import type { LlamaCall } from '../operation';

const SHORT_TEXT_OPTIONS = ['contextSize', 'keepAlive', 'maxTokens', 'temperature'];
const TEXT_OPTIONS = [...SHORT_TEXT_OPTIONS, 'repeatPenalty', 'seed', 'stop', 'topK', 'topP'];

function selectOptions(names: readonly string[]): INodeProperties[] {
	return generationOptionFields.filter(({ name }) => names.includes(name));
}

/** Options of operations with a short, most likely response. Extra Body accepts all others. */
export const shortTextOptions = [...selectOptions(SHORT_TEXT_OPTIONS), ...requestFields];

/** Options of operations that generate text. */
export const textOptions = [...selectOptions(TEXT_OPTIONS), ...requestFields, streamingField];

const OTHER_VALUES = `For an effort other than medium, or a budget other than ${DEFAULT_THINKING_BUDGET}, also add the option "Thinking Effort" or "Thinking Token Budget".`;

export const thinkingOptions = toOptionFields(
	thinkingFields,
	'off',
	`If not set, the server's setting applies. ${OTHER_VALUES}`,
);

/** Off if not set, since thinking takes most of the time of such an operation. */
export const quickThinkingOptions = toOptionFields(
	thinkingFields,
	'on',
	`Off if not set. ${OTHER_VALUES}`,
);

export const textField = longTextField('Text', 'text', 4, {
	placeholder: 'e.g. {{ $json.text }}',
	description: 'May be empty if the item has an image or audio',
});

/** Option for context. */
export const instructionsField = longTextField('Instructions', 'instructions', 2, {
	placeholder: 'e.g. The text is a customer email. Amounts are in euros.',
	description:
		'Additional context for the model. Keep it the same for all items, so that the server can reuse its prompt cache.',
});

export async function readChatSettings(call: LlamaCall): Promise<ChatSettings> {
	const responseFormat = readResponseFormat(call.parameters, 'options.');
	const thinking = readThinking(call.parameters, 'options.');
	return await buildChatSettings(call, omitUndefined({ responseFormat, thinking }), 'toolTurns');
}

/** Reads the settings of an operation with a fixed response format. */
export async function readShortTextSettings(call: LlamaCall): Promise<ChatSettings> {
	const thinking = readThinking(call.parameters, 'options.', 'off');
	// Most likely response by default.
	const defaults = { temperature: 0, ...omitUndefined({ thinking }) };
	return await buildChatSettings(call, defaults, 'never');
}

async function buildChatSettings(
	{ parameters, server, signal }: LlamaCall,
	defaults: ChatParameters,
	thinkingHistory: ChatSettings['thinkingHistory'],
): Promise<ChatSettings> {
	const settings = {
		model: parameters.string('model'),
		parameters: { ...defaults, ...readGeneration(parameters) },
		thinkingHistory,
		showThinking: false,
		...readGenerationTimeouts(parameters),
	};
	return await withResolvedModel(settings, server, 'chat', signal);
}

/** Reads the settings of a task that generates text. */
export async function readTaskSettings(
	call: LlamaCall,
	defaults: ChatParameters = {},
): Promise<CompleteSettings> {
	const generation = {
		...readGenerationTimeouts(call.parameters),
		parameters: { ...defaults, ...readGeneration(call.parameters) },
	};
	return { ...(await readMediaSettings(call, 'chat')), ...generation };
}
