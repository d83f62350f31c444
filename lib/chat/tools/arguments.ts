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

/** Long arguments, and what they stand for. */
interface KnownArguments {
	source: string;
	/** Undefined if they are not an object. */
	parsed: ParsedArguments | undefined;
}

/** Characters of the shortest arguments that are remembered. */
const MIN_REMEMBERED = 16 * 1024;

const MAX_REMEMBERED = 4;

/**
 * The last long arguments: those of a call are parsed where they are read, and where they are checked. Until memory is
 * needed.
 */
const known: Array<WeakRef<KnownArguments>> = [];

/** Parses arguments; undefined if they are not an object. The value must not be changed. */
export function parseArguments(source: string): ParsedArguments | undefined {
	if (source.length < MIN_REMEMBERED) return parse(source);
	for (const reference of known) {
		const entry = reference.deref();
		if (entry?.source === source) return entry.parsed;
	}
	const parsed = parse(source);
	remember(source, parsed);
	// What was read is checked as it was normalized.
	if (parsed !== undefined && parsed.json !== source) remember(parsed.json, parsed);
	return parsed;
}

function remember(source: string, parsed: ParsedArguments | undefined): void {
	known.unshift(new WeakRef({ source, parsed }));
	known.splice(MAX_REMEMBERED);
}

function parse(source: string): ParsedArguments | undefined {
	const text = withoutEndMarks(source.trim());
	if (['', 'null', '""', '[]'].includes(text)) return { json: '{}', value: {} };
	const received = parseJson(text);
	if (isRecord(received)) return toParsedArguments(text, received);
	// Some gateways encode the JSON text as a JSON string.
	const repaired = repairJson(typeof received === 'string' ? received : text);
	return repaired && toParsedArguments(repaired.json, repaired.value);
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
