/** Values of conversation variables, which Dify returns as text of Python, by their `value_type`. */
import type { JsonRecord } from '../values/records';
import { parseExactJson, parseJsonToSend, toExactNumber } from '../values/exact-json';
import { parseBoolean, toText } from '../values/text';
import { repairJson } from '../text/literals';
import { parseExactNumber } from './input-values';

const TEXT_TYPES = new Set<unknown>(['string', 'secret']);
const NUMBER_TYPES = new Set<unknown>(['number', 'integer', 'float']);

/** The variable with a value of its type. A value that cannot be read is kept. */
export function withTypedValue(variable: JsonRecord): JsonRecord {
	const { value, value_type: type } = variable;
	if (typeof value !== 'string' || TEXT_TYPES.has(type)) return variable;
	return { ...variable, value: parseValue(type, value) ?? value };
}

function parseValue(type: unknown, text: string) {
	if (type === 'boolean') return parseBoolean(text);
	if (NUMBER_TYPES.has(type)) return parseExactNumber(text);
	const isStructured = typeof type === 'string' && /^(?:object|array)/.test(type);
	const repaired = isStructured ? repairJson(text) : undefined;
	return repaired && parseExactJson(repaired.json, repaired.value).value;
}

/** A value to send for a variable. Dify rejects text for another type, so numbers are sent with all digits. */
export function toVariableValue({ value_type: type }: JsonRecord, value: unknown): unknown {
	if (TEXT_TYPES.has(type)) return toText(value);
	if (typeof value !== 'string') return value;
	if (type === 'boolean') return parseBoolean(value) ?? value;
	const number = NUMBER_TYPES.has(type) ? toExactNumber(value) : undefined;
	return number ?? parseJsonToSend(value) ?? value;
}
