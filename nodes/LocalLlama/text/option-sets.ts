import type { INodeProperties } from 'n8n-workflow';
import {
	DEFAULT_THINKING_BUDGET,
	thinkingFields,
	toOptionFields,
	generationOptionFields,
	requestFields,
} from '../../shared/chat/generation-fields';
import { streamingField } from '../options';

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
