import type { INodeProperties, INodePropertyTypeOptions } from 'n8n-workflow';

import { takes } from '../../lib/chat/parameters';
import { SAMPLER_ENTRIES, type Sampler } from '../../lib/chat/samplers';
import { shownWhere } from './server-types';

type NumberSampler = Extract<Sampler, { type: 'number' }>;

/** The fields of the editor for all options that go to the server as they are. */
export const samplerFields: INodeProperties[] = SAMPLER_ENTRIES.map(([name, sampler]) => ({
	displayName: sampler.label,
	name,
	description: sampler.description,
	...inputOf(sampler),
	...(sampler.extra === true ? { displayOptions: shownWhere((_traits, type) => takes(type, name)) } : {}),
}));

function inputOf(sampler: Sampler): Pick<INodeProperties, 'type' | 'default'> & Partial<INodeProperties> {
	switch (sampler.type) {
		case 'switch':
			return { type: 'boolean', default: true };
		case 'object':
			return { type: 'json', default: '{}' };
		case 'texts':
			return {
				type: 'string',
				typeOptions: { multipleValues: true, multipleValueButtonText: sampler.addButton },
				default: [],
				...(sampler.placeholder === undefined ? {} : { placeholder: sampler.placeholder }),
			};
		case 'number':
			return sampler.choices === undefined
				? { type: 'number', typeOptions: typeOptionsOf(sampler), default: sampler.preset }
				: { type: 'options', options: [...sampler.choices], default: sampler.preset };
	}
}

function typeOptionsOf({ range, whole }: NumberSampler): INodePropertyTypeOptions {
	const [minValue, maxValue] = range ?? [];
	return {
		...(minValue === undefined ? {} : { minValue }),
		...(maxValue === undefined ? {} : { maxValue }),
		numberPrecision: whole === true ? 0 : maxValue === 1 ? 3 : 2,
	};
}
