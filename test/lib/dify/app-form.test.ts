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
			fileRules: undefined,
			maxLength: 48,
		},
		{
			type: 'text-input',
			variable: 'b',
			label: 'b',
			required: false,
			options: [],
			fileRules: undefined,
			maxLength: undefined,
		},
	]);
	expect(parseAppForm({})).toEqual([]);
});

test('an option of any kind is a text', () => {
	const options = ['x', null, { toString: 1 }, ['y']];
	const user_input_form = [{ select: { variable: 'a', options } }];
	expect(parseAppForm({ user_input_form })[0]!.options).toEqual([
		'x',
		'null',
		'{"toString":1}',
		'["y"]',
	]);
});

test('a form of ten thousand fields is read whole', () => {
	const user_input_form = Array.from({ length: 10_000 }, (_none, at) => ({
		paragraph: { variable: `v${at}` },
	}));
	const form = parseAppForm({ user_input_form });
	expect([form.length, form.at(-1)!.variable]).toEqual([10_000, 'v9999']);
});
