import { slotAction } from './slot-action';

export const slotRestore = slotAction('restore', {
	name: 'Restore',
	value: 'restore',
	action: 'Restore a slot',
	description: 'Read a saved file into a slot, also into another one',
});
