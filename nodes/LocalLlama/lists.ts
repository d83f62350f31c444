/** Lists that come out of expressions, or are typed as JSON. */
import { parseJson } from '../../lib/values';
import { isBlank, shown, wrongField } from '../shared/field-values';
import type { NodeParameters } from '../shared/parameters';

/**
 * The entries of a field that takes a list: a list, JSON text of one, or a single entry. None where it is empty.
 *
 * @throws {ServerError} of kind `invalidInput` for text that begins like a list and is none
 */
export function listIn(parameters: NodeParameters, path: string): unknown[] {
	const value = parameters.value(path);
	if (isBlank(value)) return [];
	if (Array.isArray(value)) return value as unknown[];
	if (typeof value !== 'string') return [value];
	const text = value.trim();
	if (text === '') return [];
	if (!text.startsWith('[')) return [value];
	const parsed = parseJson(text);
	if (!Array.isArray(parsed))
		throw wrongField(parameters.field(path).label, `begins like a JSON list, but is none: ${shown(text)}`);
	return parsed as unknown[];
}

/**
 * Texts of such a field; a number is taken as its digits.
 *
 * @throws {ServerError} of kind `invalidInput` naming the entry that is no text
 */
export function textsIn(parameters: NodeParameters, path: string): string[] {
	return listIn(parameters, path).map((entry, index) => {
		if (typeof entry === 'string') return entry;
		if (typeof entry === 'number') return String(entry);
		throw wrongField(parameters.field(path).label, `holds no text at place ${index + 1}, but ${shown(entry)}`);
	});
}
