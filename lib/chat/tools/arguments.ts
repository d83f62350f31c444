/** The arguments of tool calls. */
import { isRecord } from '../../values/records';
import type { JsonRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { parseExactJson } from '../../values/exact-json';
import { repairJson } from '../../text/literals';
import { withoutEndMarks } from '../../text/end-marks';

/** Arguments of a call, as text and as value. */
export interface ParsedArguments {
	/** JSON text of an object, with numbers that JavaScript cannot represent as strings. */
	json: string;
	/** The parsed text. */
	value: JsonRecord;
}

/** Parses arguments; undefined if they are not an object. */
export function parseArguments(source: string): ParsedArguments | undefined {
	const text = withoutEndMarks(source.trim());
	if (['', 'null', '""', '[]'].includes(text)) return { json: '{}', value: {} };
	const received = parseJson(text);
	if (isRecord(received)) return toParsedArguments(text, received);
	// Some gateways encode the JSON text as a JSON string.
	const json = repairJson(typeof received === 'string' ? received : text);
	return json === undefined ? undefined : toParsedArguments(json, parseJson(json));
}

/** A key that occurs twice stays in the text. */
function toParsedArguments(source: string, received: unknown): ParsedArguments | undefined {
	const { json, value } = parseExactJson(source, received);
	return isRecord(value) ? { json, value } : undefined;
}

/** The JSON text of parsed arguments; undefined if they are not an object. */
export function normalizeArguments(source: string): string | undefined {
	return parseArguments(source)?.json;
}
