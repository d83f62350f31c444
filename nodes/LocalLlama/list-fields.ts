/** Reads lists from expressions or JSON text. */
import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';

import { parseJson } from '../../lib/json';
import { asRecord, omitUndefined, withoutEnds } from '../../lib/values';
import { isUnset, type NodeParameters, quoteValue, createFieldError } from '../shared/parameters';
import { toOptions } from '../shared/field-builders';

/**
 * Reads the entries of a list field: an array, JSON text of one, or a single entry.
 *
 * @throws {ServerError} `invalidInput` for text that begins like an array but is not valid
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
 * Reads the texts of a list field; numbers are converted.
 *
 * @throws {ServerError} `invalidInput` naming the entry that is not text
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
 * Builds fields for rows: a form, or a list from an expression, since n8n ignores expressions for forms.
 *
 * @param form collection with the rows in its only group
 * @param list field for the expression
 */
export function rowFields(
	form: INodeProperties,
	list: Pick<INodeProperties, 'displayName' | 'name' | 'default' | 'description'>,
): INodeProperties[] {
	const source = `${form.name}From`;
	const showFor = (value: string): IDisplayOptions => ({
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
		{ ...form, displayOptions: showFor('form') },
		{ ...list, type: 'json', required: true, displayOptions: showFor('expression') },
	];
}

/** Reads the rows of the form or the entries of the list, with the label of that field. */
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

/** Reads a list field that may also contain names separated by commas, semicolons or line breaks. */
function readListOrNames(parameters: NodeParameters, path: string): unknown[] {
	const value = parameters.value(path);
	const entries = readList(parameters, path);
	const isSingleText = typeof value === 'string' && entries[0] === value;
	return isSingleText ? splitQuotedNames(value) : entries;
}

/** Splits a text into names, without the quotes around them. */
function splitQuotedNames(text: string): string[] {
	return text
		.split(/[,;\r\n，；、]/)
		.map((name) => withoutEnds(name, /[\s"“]/, /[\s"”]/))
		.filter((name) => name !== '');
}
