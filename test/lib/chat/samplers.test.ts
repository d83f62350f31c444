import { SAMPLER_ENTRIES } from '../../../lib/chat/samplers';
import { SERVER_TYPES } from '../../../lib/servers/types';
import type { ServerType } from '../../../lib/servers/types/server-type';

describe('table of sampler options', () => {
	it('has each request field and each label once', () => {
		const wires = SAMPLER_ENTRIES.map(([, { fieldName }]) => fieldName);
		expect([...new Set(wires)]).toEqual(wires);
		const labels = SAMPLER_ENTRIES.map(([, { label }]) => label);
		expect([...new Set(labels)]).toEqual(labels);
	});

	it('has default values and choices within the ranges', () => {
		for (const [name, sampler] of SAMPLER_ENTRIES) {
			if (sampler.type !== 'number') continue;
			const [min, max] = sampler.range ?? [-Infinity, Infinity];
			for (const value of [
				sampler.defaultValue,
				...(sampler.choices ?? []).map((choice) => choice.value),
			]) {
				expect({ name, value, fits: value >= min && value <= max }).toEqual({
					name,
					value,
					fits: true,
				});
				if (sampler.isInteger) expect({ name, value }).toEqual({ name, value: Math.trunc(value) });
			}
		}
	});

	it.each(Object.entries(SERVER_TYPES))(
		'contains every option that a server type supports: %s',
		(_kind, traits) => {
			const { supportedFields, fieldNames = {} }: ServerType = traits;
			const names = SAMPLER_ENTRIES.map(([name]) => name as string);
			expect(names).toEqual(
				expect.arrayContaining(supportedFields === 'all' ? [] : [...supportedFields]),
			);
			expect(names).toEqual(expect.arrayContaining(Object.keys(fieldNames)));
		},
	);
});
