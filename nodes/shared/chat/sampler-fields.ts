import type { INodeProperties, INodePropertyTypeOptions } from 'n8n-workflow';

import { SAMPLER_ENTRIES, type Sampler } from '../../../lib/chat/samplers';
import { omitUndefined } from '../../../lib/values';

type NumberSampler = Extract<Sampler, { type: 'number' }>;

/** Editor fields of all options that are sent to the server unchanged. */
export const samplerFields: INodeProperties[] = SAMPLER_ENTRIES.map(([name, sampler]) => ({
	displayName: sampler.label,
	name,
	description: sampler.description,
	...toInput(sampler),
}));

function toInput(
	sampler: Sampler,
): Pick<INodeProperties, 'type' | 'default'> & Partial<INodeProperties> {
	switch (sampler.type) {
		case 'switch':
			return { type: 'boolean', default: true };
		case 'duration':
			return { type: 'string', default: sampler.defaultValue, placeholder: sampler.placeholder };
		case 'texts':
			return {
				type: 'string',
				typeOptions: { multipleValues: true, multipleValueButtonText: sampler.addButton },
				default: [],
				...omitUndefined({ placeholder: sampler.placeholder }),
			};
		case 'number':
			return sampler.choices === undefined
				? { type: 'number', typeOptions: toTypeOptions(sampler), default: sampler.defaultValue }
				: { type: 'options', options: [...sampler.choices], default: sampler.defaultValue };
	}
}

function toTypeOptions({ range, isInteger }: NumberSampler): INodePropertyTypeOptions {
	const [minValue, maxValue] = range ?? [];
	return {
		...omitUndefined({ minValue, maxValue }),
		numberPrecision: isInteger === true ? 0 : getPrecision(maxValue),
	};
}

/** Number of decimals. Probabilities need one more. */
function getPrecision(maxValue: number | undefined): number {
	return maxValue === 1 ? 3 : 2;
}
