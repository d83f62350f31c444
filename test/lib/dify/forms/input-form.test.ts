import * as fc from 'fast-check';

import { formValue, jsonInputs, readForm } from '../../../../lib/dify/forms/input-form';
import { type FormField } from '../../../servers/dify';
import { examples } from '../../../support/properties';
import { clientOf, startApp } from '../client';

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

	test('is read with types, choices and limits, without what Dify fills in itself ()', async () => {
		const sim = await startApp({ mode: 'chat', form });
		const fields = readForm(await clientOf(sim).get('/parameters'));
		expect(fields.map(({ kind, variable, required }) => [kind, variable, required])).toEqual(
			form.slice(0, -1).map(({ kind, variable, required }) => [kind, variable, required === true]),
		);
		expect(fields[0]).toMatchObject({ label: 'Your name' });
		expect(fields[2]).toMatchObject({ options: ['C', 'F'], default: 'C' });
		expect(fields[6]!.files).toMatchObject({ types: ['image'], most: 1 });
		expect(fields[7]!.files).toMatchObject({ types: ['document'], most: 3 });
	});

	test('values get the type that Dify takes; nothing stays nothing, so that defaults count', () => {
		const [name, about, unit, count, terse, extra] = readForm({
			user_input_form: form
				.slice(0, 6)
				.map(({ kind, variable }) => ({ [kind]: { variable, label: variable } })),
		});
		expect([
			formValue(name!, 42),
			formValue(name!, ''),
			formValue(name!, null),
			formValue(about!, { a: 1 }),
		]).toEqual(['42', '', undefined, '{"a":1}']);
		expect([formValue(unit!, 'F'), formValue(unit!, '')]).toEqual(['F', undefined]);
		expect([formValue(count!, '3'), formValue(count!, 0), formValue(count!, ' ')]).toEqual([
			3,
			0,
			undefined,
		]);
		expect(() => formValue(count!, [1])).toThrow('must be a number');
		expect([
			formValue(terse!, 'yes'),
			formValue(terse!, 'false'),
			formValue(terse!, false),
			formValue(terse!, ''),
		]).toEqual([true, false, false, undefined]);
		expect([
			formValue(extra!, '{"a":1}'),
			formValue(extra!, { b: 2 }),
			formValue(extra!, ''),
		]).toEqual([{ a: 1 }, { b: 2 }, undefined]);
		expect(() => formValue(extra!, '[1]')).toThrow('JSON object');
	});

	test('fields of a kind that is not known are texts; what is no field is left out', () => {
		expect(
			readForm({
				user_input_form: [{ 'new-kind': { variable: 'x' } }, { select: {} }, 'nonsense', null],
			}),
		).toMatchObject([{ kind: 'text-input', variable: 'x', label: 'x' }]);
		expect(readForm({})).toEqual([]);
	});

	test('inputs as JSON are an object or a sentence', () => {
		expect([jsonInputs('{"a": 1}'), jsonInputs({ b: 2 }), jsonInputs(' ')]).toEqual([
			{ a: 1 },
			{ b: 2 },
			{},
		]);
		for (const value of ['[1]', 'x', 7, null])
			expect(() => jsonInputs(value)).toThrow('not a JSON object');
	});
});

describe('what is filled in, whatever it is', () => {
	const KINDS = [
		'text-input',
		'paragraph',
		'select',
		'number',
		'checkbox',
		'json_object',
		'file',
		'file-list',
	];
	const fieldOf = (kind: string) =>
		readForm({ user_input_form: [{ [kind]: { variable: 'x', label: 'The X' } }] })[0]!;

	test('Dify answers 500 to a list in a number field: a value has the type of its field, or is refused by name', () => {
		const types: Record<string, string> = {
			number: 'number',
			checkbox: 'boolean',
			json_object: 'object',
		};
		fc.assert(
			fc.property(
				fc.constantFrom(...KINDS),
				fc.oneof(fc.jsonValue(), fc.string(), fc.double(), fc.constant(undefined)),
				(kind, value) => {
					const field = fieldOf(kind);
					let sent: unknown;
					try {
						sent = formValue(field, value);
					} catch (error) {
						expect(error).toMatchObject({ kind: 'inputs' });
						expect((error as Error).message).toContain('"The X"');
						return;
					}
					if (sent === undefined) return;
					expect(typeof sent).toBe(types[kind] ?? 'string');
					expect(sent).not.toBeNaN();
					expect(Array.isArray(sent)).toBe(false);
				},
			),
			examples(300),
		);
	});

	test('numbers survive as text and as number', () => {
		fc.assert(
			fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
				expect(formValue(fieldOf('number'), number)).toBe(number);
				// -0 is written as 0.
				expect(formValue(fieldOf('number'), String(number))).toBe(number === 0 ? 0 : number);
			}),
		);
		for (const none of [Infinity, NaN, '12a', 'Infinity', true, {}])
			expect(() => formValue(fieldOf('number'), none)).toThrow('must be a number');
	});

	test('no form of any shape throws, and every field has a name', () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...KINDS), fc.jsonValue())),
				),
				(form) => {
					for (const { variable, label } of readForm({ user_input_form: form }))
						expect([variable, label]).not.toContain('');
				},
			),
		);
	});
});
