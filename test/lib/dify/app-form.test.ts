import { parseAppForm } from '../../../lib/dify/app-form';

test('the form of an app: known types, and text for others', () => {
	const settings = { variable: 'a', label: 'A', required: true, max_length: 48 };
	const user_input_form = [
		{ select: { ...settings, options: ['x', 1], default: 'x' } },
		{ 'future-type': { variable: 'b', label: '', options: null, allowed_file_types: ['image'] } },
		{ external_data_tool: { variable: 'c' } },
		{ number: { label: 'without a variable' } },
		'no form',
	];
	expect(parseAppForm({ user_input_form })).toEqual([
		{
			type: 'select',
			variable: 'a',
			label: 'A',
			required: true,
			default: 'x',
			options: ['x', '1'],
			fileTypes: undefined,
			maxLength: 48,
		},
		{
			type: 'text-input',
			variable: 'b',
			label: 'b',
			required: false,
			options: [],
			fileTypes: ['image'],
			maxLength: undefined,
		},
	]);
	expect(parseAppForm({})).toEqual([]);
});
