import type { LocalLlamaResource } from '../operation';
import { edit } from './edit';
import { generate } from './generate';

export const image: LocalLlamaResource = {
	option: { name: 'Image', value: 'image' },
	operations: [edit, generate],
	preset: 'generate',
};
