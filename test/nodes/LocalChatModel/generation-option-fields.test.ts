import { GENERATION_OPTION_ENTRIES } from '../../../lib/chat/generation-options';
import { generationOptionFields } from '../../../nodes/shared/chat/generation';

const option = (name: string) => generationOptionFields.find((one) => one.name === name)!;

describe('the fields of the options that are sent unchanged', () => {
	it('have a field for every row of the table, with its label and range', () => {
		for (const [name, field] of GENERATION_OPTION_ENTRIES) {
			expect(option(name)).toMatchObject({
				displayName: field.label,
				description: field.description,
			});
			if (field.type === 'number' && field.range !== undefined && field.choices === undefined)
				expect(option(name).typeOptions).toMatchObject({
					minValue: field.range[0],
					maxValue: field.range[1],
				});
			if (field.type === 'switch') expect(field.description).toMatch(/^Whether /);
		}
	});

	it.each([
		['maxTokens', { type: 'number', typeOptions: { numberPrecision: 0 } }],
		['topP', { type: 'number', typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 3 } }],
		['temperature', { type: 'number', typeOptions: { numberPrecision: 2 } }],
		['mirostat', { type: 'options' }],
		['parallelToolCalls', { type: 'boolean' }],
		['stop', { type: 'string', default: [], typeOptions: { multipleValues: true } }],
	])('%s has the input of its type', (name, input) => {
		expect(option(name)).toMatchObject(input);
	});
});
