/** Reads lists from expressions or JSON text. */
import { parseJson } from '../../lib/json';
import { asRecord, withoutEnds } from '../../lib/values';
import { isUnset, type NodeParameters, quoteValue, createFieldError } from '../shared/parameters';

/** Reads the rows of a form, or the entries of the list that replaces it, with the label of that field. */
export function readRows(
	parameters: NodeParameters,
	form: string,
	listOption: string,
): { rows: unknown[]; label: string } {
	const path = `options.${listOption}`;
	if (parameters.hasOption(listOption))
		return { rows: readList(parameters, path), label: parameters.field(path).label };
	const value = parameters.value(form);
	const rows = Array.isArray(value) ? (value as unknown[]) : Object.values(asRecord(value)).flat();
	return { rows, label: parameters.field(form).label };
}

/**
 * Reads the entries of a list field: an array, JSON text of one, names separated by commas, semicolons or line breaks, or
 * a single entry.
 *
 * @throws {ServerError} `invalidInput` for text that begins like an array but is not valid
 */
function readList(parameters: NodeParameters, path: string): unknown[] {
	const value = parameters.value(path);
	if (isUnset(value)) return [];
	if (Array.isArray(value)) return value as unknown[];
	if (typeof value !== 'string') return [value];
	const text = value.trim();
	if (!text.startsWith('[')) return splitQuotedNames(text);
	const parsed = parseJson(text);
	if (!Array.isArray(parsed))
		throw createFieldError(
			parameters.field(path).label,
			`starts like a JSON array but is not valid: ${quoteValue(text)}`,
		);
	return parsed as unknown[];
}

/** Splits a text into names, without the quotes around them. */
function splitQuotedNames(text: string): string[] {
	return text
		.split(/[,;\r\n，；、]/)
		.map((name) => withoutEnds(name, /[\s"“]/, /[\s"”]/))
		.filter((name) => name !== '');
}
