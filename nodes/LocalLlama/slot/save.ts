import { slotAction } from './slot-action';

export const slotSave = slotAction('save', {
	name: 'Save',
	value: 'save',
	action: 'Save a slot',
	description:
		'Keep what a slot has read in a file: a long prompt then costs nothing after a restart',
});
