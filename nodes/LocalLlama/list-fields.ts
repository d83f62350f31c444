/** Forms, and the options that replace them with a list from an expression. */
import type { NodeParameters } from '../shared/parameters';
import { quoteValue } from '../shared/parameters';
import { asRecord, isUnset } from '../../lib/values/records';
import { parseJson } from '../../lib/values/json';
import { collectTexts, withoutEnds } from '../../lib/values/text';
import { createInputError } from '../../lib/errors/create-error';
import { assertTextLength } from '../../lib/errors/text-limits';

/**
 * Finds the option that replaces a field of the panel.
 *
 * @returns undefined if none was added.
 * @throws a `ServerError` of type `invalidInput` if several were added.
 */
export function findReplacingOption<Name extends string>(
	parameters: NodeParameters,
	names: readonly Name[],
): Name | undefined {
	const [name, ...others] = names.filter((option) => parameters.hasOption(option));
	if (others.length === 0) return name;
	const labels = names.map((option) => `"${parameters.field(`options.${option}`).label}"`);
	throw createInputError(
		`The options ${labels.join(' and ')} cannot be combined`,
		'Remove one of the two options.',
	);
}

/** The fields for the same rows. */
export interface RowFields {
	/** Name of the form. */
	form: string;
	/** Name of the option that replaces it with a list. */
	listOption: string;
}

export interface Rows {
	/** Of any type, since an expression may return anything. */
	rows: unknown[];
	/** Label of the field that they come from, for errors. */
	label: string;
}

/**
 * Reads the rows of a form, or the entries of the list that replaces it.
 *
 * @throws a `ServerError` of type `invalidInput` for a text in them that is too long to send.
 */
export function readRows(parameters: NodeParameters, { form, listOption }: RowFields): Rows {
	const path = parameters.hasOption(listOption) ? `options.${listOption}` : form;
	const rows = path === form ? readForm(parameters, form) : readList(parameters, path);
	const { label } = parameters.field(path);
	for (const row of rows)
		for (const text of collectTexts(row))
			assertTextLength(text, `An entry of the field "${label}"`);
	return { rows, label };
}

function readForm(parameters: NodeParameters, form: string) {
	const value = parameters.value(form);
	return Array.isArray(value) ? (value as unknown[]) : Object.values(asRecord(value)).flat();
}

/**
 * Reads the entries of a list field: an array, JSON text of one, names separated by commas, semicolons or line breaks, or
 * a single entry.
 *
 * @throws a `ServerError` of type `invalidInput` for text that begins like an array but is not valid.
 */
function readList(parameters: NodeParameters, path: string) {
	const value = parameters.value(path);
	if (isUnset(value)) return [];
	if (Array.isArray(value)) return value as unknown[];
	if (typeof value !== 'string') return [value];
	const text = value.trim();
	if (!text.startsWith('[')) return splitQuotedNames(text);
	const parsed = parseJson(text);
	if (!Array.isArray(parsed))
		throw parameters.createError(
			path,
			`starts like a JSON array but is not valid: ${quoteValue(text)}`,
		);
	return parsed as unknown[];
}

/** Splits a text into names, without the quotes around them. */
function splitQuotedNames(text: string) {
	return text
		.split(/[,;\r\n，；、]/)
		.map((name) => withoutEnds(name, /[\s"“]/, /[\s"”]/))
		.filter((name) => name !== '');
}
