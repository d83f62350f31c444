/** Converts the inputs of a run to the types that its app asks for. */
import type { JsonRecord } from '../values/records';
import { isRecord } from '../values/records';
import { parseJsonExactly, parseJsonToSend, toExactNumber } from '../values/exact-json';
import { parseNumber } from '../values/numbers';
import { parseBoolean, toText } from '../values/text';
import { createLocalError } from './create-error';
import type { AppFormField } from './app-form';

/**
 * Converts a value to the field type; undefined if it is empty, so that Dify uses the form default. Expressions often
 * return a number for a text field, and text for other types. Values that cannot be converted are sent unchanged.
 */
export function convertFormValue({ type }: AppFormField, value: unknown): unknown {
	if (value === undefined || value === null) return undefined;
	const convert = CONVERSIONS[type];
	if (convert === undefined) return type === 'select' && value === '' ? undefined : toText(value);
	const isBlank = typeof value === 'string' && value.trim() === '';
	return isBlank ? undefined : (convert(value) ?? value);
}

/** Converters of non-text types; they return undefined if the conversion fails. */
const CONVERSIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
	number: toExactNumber,
	checkbox: parseBoolean,
	json_object: (value) => (typeof value === 'string' ? parseJsonToSend(value) : value),
};

/** A number that Dify sent, or its digits if JavaScript cannot represent it. */
export function parseExactNumber(value: unknown): string | number | undefined {
	const number = parseNumber(value);
	if (typeof value !== 'string' || number === undefined) return number;
	const exact = parseJsonExactly(value.trim());
	return typeof exact === 'string' ? exact : number;
}

/**
 * Parses JSON inputs.
 *
 * @throws {ServerError} if it is not an object: Dify would return a Python error
 */
export function parseJsonInputs(value: unknown): JsonRecord {
	if (typeof value === 'string' && value.trim() === '') return {};
	const parsed = typeof value === 'string' ? parseJsonToSend(value) : value;
	if (isRecord(parsed)) return parsed;
	throw createLocalError('invalidInputs', {
		title: 'The inputs are not a JSON object',
		field: 'Inputs as JSON',
		inputProblem: 'wrong',
		suggestion: 'Enter {"variable": "value"}, or {} for none.',
	});
}
