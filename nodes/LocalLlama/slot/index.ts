import type { LocalLlamaResource } from '../operation';
import { erase } from './erase';
import { restore } from './restore';
import { save } from './save';

export const slot: LocalLlamaResource = {
	option: { name: 'Slot', value: 'slot', description: 'What the slots of llama-server have read, kept on disk' },
	operations: [save, restore, erase],
	preset: 'save',
};
