import { choiceField } from '../../../nodes/shared/field-builders';

test('a choice is a label, or a label and a description', () => {
	const { options } = choiceField('Action', 'action', 'enable', {
		archive: 'Archive',
		disable: ['Disable', 'Searches no longer find it'],
	});
	expect(options).toEqual([
		{ name: 'Archive', value: 'archive' },
		{ name: 'Disable', value: 'disable', description: 'Searches no longer find it' },
	]);
});
