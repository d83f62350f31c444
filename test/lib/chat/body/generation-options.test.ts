import { GENERATION_OPTION_LIST } from '../../../../lib/chat/body/generation-options';
import { SERVER_TYPES } from '../../../../lib/servers/types';
import type { ServerType } from '../../../../lib/servers/types/server-type';

describe('table of generation options', () => {
	it('has each request field and each label once', () => {
		const fieldNames = GENERATION_OPTION_LIST.map(({ fieldName }) => fieldName);
		expect([...new Set(fieldNames)]).toEqual(fieldNames);
		const labels = GENERATION_OPTION_LIST.map(({ label }) => label);
		expect([...new Set(labels)]).toEqual(labels);
	});

	it('has default values and choices within the ranges', () => {
		for (const option of GENERATION_OPTION_LIST) {
			const { name } = option;
			if (option.kind !== 'number') continue;
			const [min = -Infinity, max = Infinity] = option.range ?? [];
			for (const value of [option.default, ...(option.menu ?? []).map((choice) => choice.value)]) {
				expect({ name, value, fits: value >= min && value <= max }).toEqual({
					name,
					value,
					fits: true,
				});
				if (option.isInteger) expect({ name, value }).toEqual({ name, value: Math.trunc(value) });
			}
		}
	});

	it.each(Object.entries(SERVER_TYPES))(
		'contains every option that a server type supports: %s',
		(_kind, traits) => {
			const { supportedFields, fieldNames = {} }: ServerType = traits;
			const names = GENERATION_OPTION_LIST.map(({ name }) => name as string);
			expect(names).toEqual(
				expect.arrayContaining(supportedFields === 'all' ? [] : [...supportedFields]),
			);
			expect(names).toEqual(expect.arrayContaining(Object.keys(fieldNames)));
		},
	);
});
