import { slotAction } from './slot-action';

export const slotErase = slotAction('erase', {
	name: 'Erase',
	value: 'erase',
	action: 'Erase a slot',
	description: 'Forget what a slot has read',
});
