import { SAMPLER_ENTRIES } from '../../../lib/chat/samplers';
import { samplerFields } from '../../../nodes/shared/chat/sampler-fields';

const option = (name: string) => samplerFields.find((one) => one.name === name)!;

describe('the fields of the options that are sent unchanged', () => {
	it('have a field for every row of the table, with its label and range', () => {
		for (const [name, sampler] of SAMPLER_ENTRIES) {
			expect(option(name)).toMatchObject({
				displayName: sampler.label,
				description: sampler.description,
			});
			if (sampler.type === 'number' && sampler.range !== undefined && sampler.choices === undefined)
				expect(option(name).typeOptions).toMatchObject({
					minValue: sampler.range[0],
					maxValue: sampler.range[1],
				});
			if (sampler.type === 'switch') expect(sampler.description).toMatch(/^Whether /);
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
