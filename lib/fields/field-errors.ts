/** Errors about what a person has entered. Their label comes from the definition of the field. */
import type { ServerError } from '../errors/server-error';
import { createInputError } from '../errors/create-error';
import { isUnset } from '../values/records';
import { truncate } from '../values/text';
import { tryOrUndefined } from '../values/try-or-undefined';

/** What an error needs of a field. */
export interface Labelled {
	/** The label in the editor. */
	label: string;
}

const MAX_QUOTED_LENGTH = 100;

/** @param problem - Continues the sentence after the field: "must be a text". */
export function createFieldError(
	{ label }: Labelled,
	problem: string,
	suggestion?: string,
): ServerError {
	return createInputError(`The field "${label}" ${problem}`, suggestion, {
		field: label,
		inputProblem: 'wrong',
		about: { inputKind: 'field' },
	});
}

/** @param problem - Continues the sentence after the option: "must be at least 1". */
export function createOptionError({ label }: Labelled, problem: string): ServerError {
	return createInputError(`The option "${label}" ${problem}`, undefined, {
		field: label,
		inputProblem: 'wrong',
		about: { inputKind: 'option' },
	});
}

/** The error of a field that needs a value. */
export function createEmptyFieldError({ label }: Labelled, suggestion?: string): ServerError {
	return createInputError(`The field "${label}" is empty`, suggestion, {
		field: label,
		inputProblem: 'empty',
		about: { inputKind: 'emptyField' },
	});
}

/** The error of an option that another one needs. */
export function createMissingOptionError(field: Labelled): ServerError {
	return createEmptyFieldError(field, `Add the option ${field.label} and fill it in.`);
}

/** The error of a value of a wrong type, or outside of a range; of an expression that returned nothing, it says so. */
export function createExpectedError(
	field: Labelled,
	expected: string,
	value: unknown,
): ServerError {
	return createValueError(field, `must be ${expected}, but is ${quoteValue(value)}`, value);
}

/** As `createFieldError`. An expression that returned nothing has no value. */
export function createValueError(field: Labelled, problem: string, value: unknown): ServerError {
	return createFieldError(field, problem).copyWith({
		inputProblem: isUnset(value) ? 'empty' : 'wrong',
	});
}

/** A value as an error quotes it: JSON, truncated if it is long. */
export function quoteValue(value: unknown): string {
	// Some values have no JSON form: circular ones, for example.
	return truncate(tryOrUndefined(() => JSON.stringify(value)) ?? String(value), MAX_QUOTED_LENGTH);
}
