import { SAMPLER_ENTRIES } from '../../../lib/chat/samplers';
import { SERVER_TYPES } from '../../../lib/servers/types';
import type { ServerType } from '../../../lib/servers/types/server-type';

describe('the table of options', () => {
	it('names each field of the request once', () => {
		const wires = SAMPLER_ENTRIES.map(([, { fieldName }]) => fieldName);
		expect([...new Set(wires)]).toEqual(wires);
		const labels = SAMPLER_ENTRIES.map(([, { label }]) => label);
		expect([...new Set(labels)]).toEqual(labels);
	});

	it('has presets and choices within the ranges', () => {
		for (const [name, sampler] of SAMPLER_ENTRIES) {
			if (sampler.type !== 'number') continue;
			const [least, most] = sampler.range ?? [-Infinity, Infinity];
			for (const value of [
				sampler.defaultValue,
				...(sampler.choices ?? []).map((choice) => choice.value),
			]) {
				expect({ name, value, fits: value >= least && value <= most }).toEqual({
					name,
					value,
					fits: true,
				});
				if (sampler.isInteger) expect({ name, value }).toEqual({ name, value: Math.trunc(value) });
			}
		}
	});

	it.each(Object.entries(SERVER_TYPES))(
		'knows every option that a kind of server names: %s',
		(_kind, traits) => {
			const { supportedFields, fieldNames = {} }: ServerType = traits;
			const known = SAMPLER_ENTRIES.map(([name]) => name as string);
			expect(known).toEqual(
				expect.arrayContaining(supportedFields === 'all' ? [] : [...supportedFields]),
			);
			expect(known).toEqual(expect.arrayContaining(Object.keys(fieldNames)));
		},
	);
});
