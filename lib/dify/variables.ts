/** Values of conversation variables, which Dify returns as text of Python, by their `value_type`. */
import {
	asNonEmptyString,
	type JsonRecord,
	parseBoolean,
	toText,
	parseJsonExactly,
} from '../values';
import { parseExactNumber } from './forms';

const TEXT_TYPES: ReadonlySet<unknown> = new Set(['string', 'secret']);
const NUMBER_TYPES: ReadonlySet<unknown> = new Set(['number', 'integer', 'float']);

/** The variable with a value of its type. A value that cannot be read is kept. */
export function withTypedValue(variable: JsonRecord): JsonRecord {
	const { value, value_type: type } = variable;
	if (typeof value !== 'string' || TEXT_TYPES.has(type)) return variable;
	return { ...variable, value: parseValue(type, value) ?? value };
}

function parseValue(type: unknown, text: string): unknown {
	if (type === 'boolean') return parseBoolean(text);
	if (NUMBER_TYPES.has(type)) return parseExactNumber(text);
	const isStructured = typeof type === 'string' && /^(?:object|array)/.test(type);
	return isStructured ? (parseJsonExactly(text) ?? parsePython(text)) : undefined;
}

/** A value to send for a variable. Dify rejects text for another type, so numbers are sent with all digits. */
export function toVariableValue({ value_type: type }: JsonRecord, value: unknown): unknown {
	if (TEXT_TYPES.has(type)) return toText(value);
	if (typeof value !== 'string') return value;
	if (type === 'boolean') return parseBoolean(value) ?? value;
	const number = NUMBER_TYPES.has(type) ? parseExactNumber(value) : undefined;
	if (typeof number === 'string') return toRawJson(number);
	return number ?? parseJsonExactly(value) ?? value;
}

/** JSON of exactly these digits (Node.js 22 and later). */
function toRawJson(digits: string): unknown {
	return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);
}

/** A string of Python, or the text up to the next one. */
const TOKEN = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|[^'"]+/sy;
const CONSTANTS: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };

/** Parses lists, dictionaries, strings, numbers and constants as Python writes them; undefined for anything else. */
function parsePython(text: string): unknown {
	const json: string[] = [];
	TOKEN.lastIndex = 0;
	while (TOKEN.lastIndex < text.length) {
		const match = TOKEN.exec(text);
		// Ends at the first invalid character, so that the text is read once.
		if (match === null) return undefined;
		const [token, single, double] = match;
		const string = single ?? double;
		json.push(
			string === undefined
				? token.replace(/\b(?:True|False|None)\b/g, (name) => CONSTANTS[name]!)
				: JSON.stringify(unescapePython(string)),
		);
	}
	return parseJsonExactly(json.join(''));
}

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gs;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function unescapePython(text: string) {
	return text.replace(
		ESCAPE,
		(escape, byte?: string, unit?: string, point?: string, character?: string) => {
			const code = parseInt(asNonEmptyString(byte ?? unit ?? point) ?? '', 16);
			if (Number.isNaN(code)) return CONTROLS[character ?? ''] ?? character ?? '';
			return code > 0x10ffff ? escape : String.fromCodePoint(code);
		},
	);
}
