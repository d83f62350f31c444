import type { INodeProperties, INodePropertyTypeOptions } from 'n8n-workflow';

import {
	GENERATION_OPTION_ENTRIES,
	type GenerationOption,
} from '../../../lib/chat/generation-options';
import { omitUndefined } from '../../../lib/values';

type NumberOption = Extract<GenerationOption, { type: 'number' }>;

/** Editor fields of all generation options. */
export const generationOptionFields: INodeProperties[] = GENERATION_OPTION_ENTRIES.map(
	([name, option]) => ({
		displayName: option.label,
		name,
		description: option.description,
		...toInput(option),
	}),
);

function toInput(
	option: GenerationOption,
): Pick<INodeProperties, 'type' | 'default'> & Partial<INodeProperties> {
	switch (option.type) {
		case 'switch':
			return { type: 'boolean', default: true };
		case 'duration':
			return { type: 'string', default: option.defaultValue, placeholder: option.placeholder };
		case 'stringList':
			return {
				type: 'string',
				typeOptions: { multipleValues: true, multipleValueButtonText: option.addButton },
				default: [],
				...omitUndefined({ placeholder: option.placeholder }),
			};
		case 'number':
			return option.choices === undefined
				? { type: 'number', typeOptions: toTypeOptions(option), default: option.defaultValue }
				: { type: 'options', options: [...option.choices], default: option.defaultValue };
	}
}

function toTypeOptions({ range, isInteger }: NumberOption): INodePropertyTypeOptions {
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
