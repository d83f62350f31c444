import type { INodeProperties } from 'n8n-workflow';

import { thinkingFields } from '../../shared/chat/answer-fields';
import { generationFields } from '../../shared/chat/generation-fields';
import { samplerFields } from '../../shared/chat/sampler-fields';
import { streamingField } from '../options';

const BRIEF = ['contextSize', 'keepAlive', 'maxTokens', 'temperature'];
const FREE = [...BRIEF, 'repeatPenalty', 'seed', 'stop', 'topK', 'topP'];

function samplers(names: readonly string[]): INodeProperties[] {
	return samplerFields.filter(({ name }) => names.includes(name));
}

/** Options of operations with a short, most likely answer. Extra Body takes any other sampler. */
export const shortTextOptions = [...samplers(BRIEF), ...generationFields];

/** Options of operations that write a text. */
export const textOptions = [...samplers(FREE), ...generationFields, streamingField];

/** Thinking takes most of the time of such an operation, so it is off by default. */
export const quickThinkingFields: INodeProperties[] = thinkingFields().map((field) =>
	field.name === 'thinking' ? { ...field, default: 'off' } : field,
);
