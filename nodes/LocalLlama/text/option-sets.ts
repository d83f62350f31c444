import type { INodeProperties } from 'n8n-workflow';

import {
	DEFAULT_THINKING_BUDGET,
	thinkingFields,
	toOptionFields,
} from '../../shared/chat/answer-fields';
import { generationFields } from '../../shared/chat/generation-fields';
import { samplerFields } from '../../shared/chat/sampler-fields';
import { streamingField } from '../options';

const SHORT_TEXT_SAMPLERS = ['contextSize', 'keepAlive', 'maxTokens', 'temperature'];
const TEXT_SAMPLERS = [...SHORT_TEXT_SAMPLERS, 'repeatPenalty', 'seed', 'stop', 'topK', 'topP'];

function selectSamplers(names: readonly string[]): INodeProperties[] {
	return samplerFields.filter(({ name }) => names.includes(name));
}

/** Options of operations with a short, most likely response. Extra Body accepts any other sampler. */
export const shortTextOptions = [...selectSamplers(SHORT_TEXT_SAMPLERS), ...generationFields];

/** Options of operations that generate text. */
export const textOptions = [...selectSamplers(TEXT_SAMPLERS), ...generationFields, streamingField];

const OTHER_VALUES = `For an effort other than medium, or a budget other than ${DEFAULT_THINKING_BUDGET}, also add the option "Thinking Effort" or "Thinking Token Budget".`;

export const thinkingOptions = toOptionFields(
	thinkingFields(),
	'off',
	`If not set, the server's setting applies. ${OTHER_VALUES}`,
);

/** Off if not set, since thinking takes most of the time of such an operation. */
export const quickThinkingOptions = toOptionFields(
	thinkingFields(),
	'on',
	`Off if not set. ${OTHER_VALUES}`,
);
