import {
	humanFormPath,
	parseHumanFormActions,
	parseHumanFormFields,
} from '../../../lib/dify/human-form';

describe('the form of a paused run', () => {
	const input = (name: string, more: object = {}) => ({ output_variable_name: name, ...more });

	test('has the types and options of its fields', () => {
		const inputs = [
			input('note'),
			input('unit', { type: 'select', option_source: { type: 'constant', value: ['C', 1] } }),
			input('from run', { type: 'select', option_source: { type: 'variable', value: ['a'] } }),
			input('files', { type: 'file-list', allowed_file_types: ['image'] }),
			{ type: 'paragraph' },
		];
		expect(parseHumanFormFields({ inputs })).toEqual([
			{ name: 'note', type: 'paragraph' },
			{ name: 'unit', type: 'select', options: ['C', '1'] },
			{ name: 'from run', type: 'select' },
			{
				name: 'files',
				type: 'file-list',
				fileRules: expect.objectContaining({ types: ['image'], maxFiles: Infinity }),
			},
		]);
	});

	test.each([
		[{ type: 'constant', value: 'written' }, { a: 'of the run' }, 'of the run'],
		[{ type: 'constant', value: 'written' }, { b: 'of another' }, 'written'],
		[{ type: 'constant', value: 'written' }, { a: '' }, 'written'],
		[{ type: 'variable', value: 'name' }, { a: 'of the run' }, 'of the run'],
		[{ type: 'variable', value: 'name' }, undefined, undefined],
		[undefined, undefined, undefined],
	])('default %j, resolved %j', (setting, resolved, expected) => {
		const inputs = [input('a', { default: setting })];
		const [field] = parseHumanFormFields({ inputs, resolved_default_values: resolved });
		expect(field!.default).toBe(expected);
	});

	test('has its buttons under either name', () => {
		const buttons = [{ id: 'ok', title: 'OK' }, { id: 'no' }, { title: 'without ID' }];
		const expected = [
			{ id: 'ok', title: 'OK' },
			{ id: 'no', title: 'no' },
		];
		expect(parseHumanFormActions({ user_actions: buttons })).toEqual(expected);
		expect(parseHumanFormActions({ actions: buttons })).toEqual(expected);
		expect(parseHumanFormActions({})).toEqual([]);
	});

	test('has no path without a token', () => {
		expect(humanFormPath('a/b')).toBe('/form/human_input/a%2Fb');
		for (const token of ['', 'null', 'undefined'])
			expect(() => humanFormPath(token)).toThrow('The form has no token');
	});
});
