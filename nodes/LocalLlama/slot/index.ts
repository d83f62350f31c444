import type { LocalLlamaResource } from '../operation';
import { slotAction } from './slot-action';

export const slot: LocalLlamaResource = {
	option: { name: 'Slot', value: 'slot', description: 'What the slots of llama-server have read, kept on disk' },
	operations: [
		slotAction('save', {
			name: 'Save',
			value: 'save',
			action: 'Save a slot',
			description: 'Keep what a slot has read in a file: a long prompt then costs nothing after a restart',
		}),
		slotAction('restore', {
			name: 'Restore',
			value: 'restore',
			action: 'Restore a slot',
			description: 'Read a saved file into a slot, also into another one',
		}),
		slotAction('erase', {
			name: 'Erase',
			value: 'erase',
			action: 'Erase a slot',
			description: 'Forget what a slot has read',
		}),
	],
	preset: 'save',
};
