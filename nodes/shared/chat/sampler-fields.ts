import type { INodeProperties, INodePropertyTypeOptions } from 'n8n-workflow';

import { SAMPLER_ENTRIES, type Sampler } from '../../../lib/chat/request/samplers';
import { optional } from '../../../lib/values';
import { numberField, wholeField } from '../field-kinds';

type NumberSampler = Extract<Sampler, { type: 'number' }>;

const ADAPTER_FIELDS: INodeProperties[] = [
	wholeField('ID', 'id', 0, [0], {
		description:
			'Number of the adapter, in the order of --lora in the command line of the server, from 0 on',
	}),
	numberField('Scale', 'scale', 1, {
		typeOptions: { numberPrecision: 2 },
		description: 'How strongly it counts; 0 = not at all, 1 = as it was trained',
	}),
];

/** Editor fields of all options that are sent to the server unchanged. */
export const samplerFields: INodeProperties[] = SAMPLER_ENTRIES.map(([name, sampler]) => ({
	displayName: sampler.label,
	name,
	description: sampler.description,
	...inputOf(sampler),
}));

function inputOf(
	sampler: Sampler,
): Pick<INodeProperties, 'type' | 'default'> & Partial<INodeProperties> {
	switch (sampler.type) {
		case 'switch':
			return { type: 'boolean', default: true };
		case 'object':
			return { type: 'json', default: '{}' };
		case 'duration':
			return { type: 'string', default: sampler.preset, placeholder: sampler.placeholder };
		case 'adapters':
			return {
				type: 'fixedCollection',
				typeOptions: { multipleValues: true },
				placeholder: 'Add Adapter',
				default: {},
				options: [{ name: 'adapter', displayName: 'Adapter', values: ADAPTER_FIELDS }],
			};
		case 'texts':
			return {
				type: 'string',
				typeOptions: { multipleValues: true, multipleValueButtonText: sampler.addButton },
				default: [],
				...optional({ placeholder: sampler.placeholder }),
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
		...optional({ minValue, maxValue }),
		numberPrecision: whole === true ? 0 : decimalsOf(maxValue),
	};
}

/** Probabilities need one more. */
function decimalsOf(maxValue: number | undefined): number {
	return maxValue === 1 ? 3 : 2;
}
