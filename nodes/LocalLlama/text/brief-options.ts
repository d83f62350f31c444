import type { INodeProperties } from 'n8n-workflow';

import { thinkingFields } from '../../shared/chat/answer-fields';
import { generationFields } from '../../shared/chat/generation-fields';
import { samplerFields } from '../../shared/chat/sampler-fields';

const SAMPLERS: ReadonlySet<string> = new Set([
	'contextSize',
	'keepAlive',
	'maxTokens',
	'minP',
	'seed',
	'temperature',
	'topK',
	'topP',
]);

/** Options of operations with a short, most likely answer. */
export const briefOptions: INodeProperties[] = [
	...samplerFields.filter(({ name }) => SAMPLERS.has(name)),
	...generationFields,
];

/** Thinking takes most of the time of such an operation, so it is off by default. */
export const quickThinkingFields: INodeProperties[] = thinkingFields().map((field) =>
	field.name === 'thinking' ? { ...field, default: 'off' } : field,
);
