import type { INodeProperties } from 'n8n-workflow';
import type { GenerationOption } from '../../../lib/chat/body/generation-options';
import {
	GENERATION_OPTION_LIST,
	GENERATION_OPTIONS,
} from '../../../lib/chat/body/generation-options';
import { omitUndefined, omitEmpty, isUnset } from '../../../lib/values/records';
import { asKeepAlive } from '../timeout-fields';
import type { SamplingSettings } from '../../../lib/chat/settings';
import { CONTROLS } from '../../../lib/text/literals';
import type { Field, NodeParameters } from '../parameters';
import { asNumber, asBoolean, asText, createOptionError } from '../parameters';
import { getOwn } from '../../../lib/values/own-properties';

/** Editor fields of all generation options. */
export const generationOptionFields: INodeProperties[] = GENERATION_OPTION_LIST.map((option) => ({
	displayName: option.label,
	name: option.name,
	description: option.description,
	...toInput(option),
}));

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
			};
		case 'number': {
			const { choices, range: [minValue, maxValue] = [], isInteger, defaultValue } = option;
			if (choices) return { type: 'options', options: [...choices], default: defaultValue };
			// Probabilities need one more decimal.
			const decimals = maxValue === 1 ? 3 : 2;
			const numberPrecision = isInteger ? 0 : decimals;
			return {
				type: 'number',
				typeOptions: { ...omitUndefined({ minValue, maxValue }), numberPrecision },
				default: defaultValue,
			};
		}
	}
}

/**
 * Reads the value of an option, which an expression may return with any type.
 *
 * @throws {ServerError} of type `invalidInput` naming the field
 */
type OptionParser = (field: Field, value: unknown) => unknown;

const PARSERS: Readonly<Record<GenerationOption['type'], OptionParser>> = {
	number: asNumber,
	switch: asBoolean,
	stringList: (field, value) => {
		const texts = [value].flat(2).filter((text) => !isUnset(text));
		if (texts.length === 0) return undefined;
		return texts.map((text) =>
			asText(field, text).replace(
				/\\([nrt\\])/g,
				(_escape, letter: string) => getOwn(CONTROLS, letter) ?? letter,
			),
		);
	},
	duration: asKeepAlive,
};

/**
 * Reads the options of a generation, which expressions may return with any type. Options that the operation does
 * not offer count as not added.
 *
 * @throws {ServerError} of type `invalidInput` naming the field, as all of these functions do
 */
export function readGeneration(parameters: NodeParameters): SamplingSettings {
	const values = GENERATION_OPTION_LIST.flatMap((option) => {
		const { name } = option;
		const value = parameters.value(`options.${name}`);
		const setting = isUnset(value) ? undefined : PARSERS[option.type](option, value);
		return setting === undefined ? [] : [[name, setting] as const];
	});
	const options: SamplingSettings = Object.fromEntries(values);
	// llama-server reads 0 as "at least one token", which is never intended.
	if (options.maxTokens === 0)
		throw createOptionError(
			GENERATION_OPTIONS.maxTokens,
			'must be at least 1, or -1 for no limit, but is 0',
		);
	const extraBody = parameters.objectToSend('options.extraBody', {});
	return { ...options, ...omitEmpty({ extraBody }) };
}
