import type { LocalLlamaResource } from '../operation';
import { applyTemplate } from './apply-template';
import { count } from './count';
import { detokenize } from './detokenize';
import { tokenize } from './tokenize';

export const token: LocalLlamaResource = {
	option: { name: 'Token', value: 'token', description: 'Count, cut and show what a model reads' },
	operations: [applyTemplate, count, detokenize, tokenize],
	preset: 'count',
};
