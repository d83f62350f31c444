import { formValue, jsonInputs, readForm } from '../../../lib/dify/form';
import { type FormField, SIM_VERSIONS } from '../../servers/dify';
import { clientOf, startApp } from './client';

describe('the form of an app', () => {
	const form: FormField[] = [
		{ kind: 'text-input', variable: 'name', label: 'Your name', required: true, maxLength: 10 },
		{ kind: 'paragraph', variable: 'about', default: 'nothing' },
		{ kind: 'select', variable: 'unit', options: ['C', 'F'], default: 'C' },
		{ kind: 'number', variable: 'count' },
		{ kind: 'checkbox', variable: 'terse', default: true },
		{ kind: 'json_object', variable: 'extra' },
		{ kind: 'file', variable: 'picture', allowedTypes: ['image'] },
		{ kind: 'file-list', variable: 'papers', allowedTypes: ['document'], maxLength: 3 },
		{ kind: 'external_data_tool', variable: 'tool' },
	];

	test.each(SIM_VERSIONS)(
		'is read with types, choices and limits, without what Dify fills in itself (%s)',
		async (version) => {
			const sim = await startApp(version, { mode: 'chat', form });
			const fields = readForm(await clientOf(sim).get('/parameters'));
			expect(fields.map(({ kind, variable, required }) => [kind, variable, required])).toEqual(
				form.slice(0, -1).map(({ kind, variable, required }) => [kind, variable, required === true]),
			);
			expect(fields[0]).toMatchObject({ label: 'Your name' });
			expect(fields[2]).toMatchObject({ options: ['C', 'F'], default: 'C' });
			expect(fields[6]!.files).toMatchObject({ types: ['image'], most: 1 });
			expect(fields[7]!.files).toMatchObject({ types: ['document'], most: 3 });
		},
	);

	test('values get the type that Dify takes; nothing stays nothing, so that defaults count', () => {
		const [name, about, unit, count, terse, extra] = readForm({
			user_input_form: form.slice(0, 6).map(({ kind, variable }) => ({ [kind]: { variable, label: variable } })),
		});
		expect([formValue(name!, 42), formValue(name!, ''), formValue(name!, null), formValue(about!, { a: 1 })]).toEqual([
			'42',
			'',
			undefined,
			'{"a":1}',
		]);
		expect([formValue(unit!, 'F'), formValue(unit!, '')]).toEqual(['F', undefined]);
		expect([formValue(count!, '3'), formValue(count!, 0), formValue(count!, ' ')]).toEqual([3, 0, undefined]);
		expect(() => formValue(count!, [1])).toThrow('must be a number');
		expect([
			formValue(terse!, 'yes'),
			formValue(terse!, 'false'),
			formValue(terse!, false),
			formValue(terse!, ''),
		]).toEqual([true, false, false, undefined]);
		expect([formValue(extra!, '{"a":1}'), formValue(extra!, { b: 2 }), formValue(extra!, '')]).toEqual([
			{ a: 1 },
			{ b: 2 },
			undefined,
		]);
		expect(() => formValue(extra!, '[1]')).toThrow('JSON object');
	});

	test('fields of a kind that is not known are texts; what is no field is left out', () => {
		expect(
			readForm({ user_input_form: [{ 'new-kind': { variable: 'x' } }, { select: {} }, 'nonsense', null] }),
		).toMatchObject([{ kind: 'text-input', variable: 'x', label: 'x' }]);
		expect(readForm({})).toEqual([]);
	});

	test('inputs as JSON are an object or a sentence', () => {
		expect([jsonInputs('{"a": 1}'), jsonInputs({ b: 2 }), jsonInputs(' ')]).toEqual([{ a: 1 }, { b: 2 }, {}]);
		for (const value of ['[1]', 'x', 7, null]) expect(() => jsonInputs(value)).toThrow('not a JSON object');
	});
});
