/** Reads lists from expressions or typed JSON. */
import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';

import { parseJson } from '../../lib/json';
import { asRecord, omitUndefined, withoutEnds } from '../../lib/values';
import { isUnset, type NodeParameters, quoteValue, createFieldError } from '../shared/parameters';
import { toOptions } from '../shared/field-builders';

/**
 * The entries of a list field: a list, JSON text of one, or a single entry. None where it is empty.
 *
 * @throws {ServerError} of kind `invalidInput` for text that begins like a list, but is not valid
 */
export function readList(parameters: NodeParameters, path: string): unknown[] {
	const value = parameters.value(path);
	if (isUnset(value)) return [];
	if (Array.isArray(value)) return value as unknown[];
	if (typeof value !== 'string') return [value];
	const text = value.trim();
	if (text === '') return [];
	if (!text.startsWith('[')) return [value];
	const parsed = parseJson(text);
	if (!Array.isArray(parsed))
		throw createFieldError(
			parameters.field(path).label,
			`starts like a JSON array but is not valid: ${quoteValue(text)}`,
		);
	return parsed as unknown[];
}

/**
 * Texts of a list field; numbers are converted.
 *
 * @throws {ServerError} of kind `invalidInput` naming the entry that is not text
 */
export function readTexts(parameters: NodeParameters, path: string): string[] {
	return readList(parameters, path).map((entry, index) => {
		if (typeof entry === 'string') return entry;
		if (typeof entry === 'number') return String(entry);
		throw createFieldError(
			parameters.field(path).label,
			`has an entry ${index + 1} that is not text: ${quoteValue(entry)}`,
		);
	});
}

/**
 * Fields for rows: a form, or a list from an expression, since n8n ignores an expression for a form.
 *
 * @param form the collection, with the rows in its only group
 * @param list the field for the expression
 */
export function rowFields(
	form: INodeProperties,
	list: Pick<INodeProperties, 'displayName' | 'name' | 'default' | 'description'>,
): INodeProperties[] {
	const source = `${form.name}From`;
	const shownFor = (value: string): IDisplayOptions => ({
		show: { ...form.displayOptions?.show, [source]: [value] },
	});
	return [
		{
			displayName: `Source for ${form.displayName}`,
			name: source,
			type: 'options',
			default: 'form',
			options: toOptions({
				expression: ['Expression', 'A list from an expression'],
				form: ['Define Below', 'Define the list in this node'],
			}),
			...omitUndefined({ displayOptions: form.displayOptions }),
		},
		{ ...form, displayOptions: shownFor('form') },
		{ ...list, type: 'json', required: true, displayOptions: shownFor('expression') },
	];
}

/** The rows of the form or the entries of the list, and the label of that field. One text may hold several entries. */
export function readRows(
	parameters: NodeParameters,
	form: string,
	list: string,
): { rows: unknown[]; label: string } {
	if (parameters.choice<'expression' | 'form'>(`${form}From`, 'form') === 'expression')
		return { rows: readListOrNames(parameters, list), label: parameters.field(list).label };
	const value = parameters.value(form);
	const rows = Array.isArray(value) ? (value as unknown[]) : Object.values(asRecord(value)).flat();
	return { rows, label: parameters.field(form).label };
}

/** The entries of a list field; a text that is no list holds names between commas, semicolons or line breaks. */
function readListOrNames(parameters: NodeParameters, path: string): unknown[] {
	const value = parameters.value(path);
	const entries = readList(parameters, path);
	const isOneText = typeof value === 'string' && entries[0] === value;
	return isOneText ? namesBetween(value) : entries;
}

/** The names of a text, each without the quotes around it. */
function namesBetween(text: string): string[] {
	return text
		.split(/[,;\r\n，；、]/)
		.map((name) => withoutEnds(name, /[\s"“]/, /[\s"”]/))
		.filter((name) => name !== '');
}
