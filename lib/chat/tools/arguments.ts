/** The arguments of tool calls. */
import { isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { parseExactJson } from '../../values/exact-json';
import { repairJson } from '../../text/literals';
import { withoutEndMarks } from '../../text/end-marks';

/**
 * The arguments as JSON text of an object, with numbers that JavaScript cannot represent as strings; undefined if they
 * are not an object.
 */
export function normalizeArguments(source: string): string | undefined {
	const text = withoutEndMarks(source.trim());
	if (['', 'null', '""', '[]'].includes(text)) return '{}';
	const value = parseJson(text);
	// Some gateways encode the JSON text as a JSON string.
	const json = isRecord(value) ? text : repairJson(typeof value === 'string' ? value : text);
	if (json === undefined) return undefined;
	const exact = parseExactJson(json);
	if (!isRecord(exact.value)) return undefined;
	return exact.unsafeNumbers.length === 0 ? json : JSON.stringify(exact.value);
}
