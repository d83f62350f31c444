/** Forms, and the options that replace them with a list from an expression. */
import type { FieldTable, OptionValues } from '../../lib/fields/field';
import type { Labelled } from '../../lib/fields/field-errors';
import { createFieldError, quoteValue } from '../../lib/fields/field-errors';
import { isUnset } from '../../lib/values/records';
import { parseJson } from '../../lib/values/json';
import { collectTexts, withoutEnds } from '../../lib/values/text';
import { createInputError } from '../../lib/errors/create-error';
import { assertTextLength } from '../../lib/errors/text-limits';
import { isAdded } from '../shared/fields/read-values';

/**
 * Finds the option that replaces a field of the panel.
 *
 * @param options - The definitions of all options.
 * @param values - Their values.
 * @param names - The options that replace the field.
 * @returns undefined if none was added.
 * @throws a `ServerError` of type `invalidInput` if several were added.
 */
export function findReplacingOption<T extends FieldTable, Name extends keyof T & string>(
	options: T,
	values: OptionValues<T>,
	names: readonly Name[],
): Name | undefined {
	const [name, ...others] = names.filter((option) => isAdded<T>(values, option as never));
	if (others.length === 0) return name;
	const labels = names.map((option) => `"${options[option]!.label}"`);
	throw createInputError(
		`The options ${labels.join(' and ')} cannot be combined`,
		'Remove one of the two options.',
	);
}

/** Where the same rows may come from. */
export interface RowSources {
	/** The field of the form. */
	form: Labelled;
	/** The rows of the form. */
	getRows(): readonly object[];
	/** The option that replaces it with a list. */
	list: Labelled;
	/** Whether the option was added. */
	isListed: boolean;
	/** Value of the option, of any type. */
	listed: unknown;
}

export interface Rows {
	/** Of any type, since an expression may return anything. */
	rows: readonly unknown[];
	/** The field that they come from, for errors. */
	field: Labelled;
}

/**
 * Reads the rows of a form, or the entries of the list that replaces it.
 *
 * @throws a `ServerError` of type `invalidInput` for a text in them that is too long to send.
 */
export function readRows({ form, getRows, list, isListed, listed }: RowSources): Rows {
	const field = isListed ? list : form;
	const rows = isListed ? readList(list, listed) : getRows();
	for (const row of rows)
		for (const text of collectTexts(row))
			assertTextLength(text, `An entry of the field "${field.label}"`);
	return { rows, field };
}

/**
 * Reads the entries of a list field: an array, JSON text of one, names separated by commas, semicolons or line breaks, or
 * a single entry.
 *
 * @throws a `ServerError` of type `invalidInput` for text that begins like an array but is not valid.
 */
function readList(field: Labelled, value: unknown): unknown[] {
	if (isUnset(value)) return [];
	if (Array.isArray(value)) return value as unknown[];
	if (typeof value !== 'string') return [value];
	const text = value.trim();
	if (!text.startsWith('[')) return splitQuotedNames(text);
	const parsed = parseJson(text);
	if (!Array.isArray(parsed))
		throw createFieldError(field, `starts like a JSON array but is not valid: ${quoteValue(text)}`);
	return parsed as unknown[];
}

/** Splits a text into names, without the quotes around them. */
function splitQuotedNames(text: string) {
	return text
		.split(/[,;\r\n，；、]/)
		.map((name) => withoutEnds(name, /[\s"“]/, /[\s"”]/))
		.filter((name) => name !== '');
}
