import { backslash, unescape } from './encodings';
import { endOfString, parseObject } from '../json';
import { type JsonRecord } from '../values';

/** Objects that are looked at in one text: words around an error may have braces, too. */
const MAX_STARTS = 16;
const MAX_LENGTH = 16_000;

/**
 * The objects in a text of an error: as JSON, as JSON within a quoted text (Go's `%q`, Rust's `Debug`), or as Python
 * writes a dict. Those inside others are left out.
 */
export function objectsIn(text: string): JsonRecord[] {
	const source = text.slice(0, MAX_LENGTH);
	const objects: JsonRecord[] = [];
	let start = source.indexOf('{');
	for (let count = 0; start >= 0 && count < MAX_STARTS; count++) {
		const found = objectAt(source, start);
		if (found !== undefined) objects.push(found.object);
		start = source.indexOf('{', start + (found?.length ?? 1));
	}
	return objects;
}

function objectAt(
	source: string,
	start: number,
): { object: JsonRecord; length: number } | undefined {
	const rest = source.slice(start);
	const isQuoted = /^\{\s{0,9}\\/.test(rest);
	const readable = isQuoted ? (unescape(rest, backslash) ?? rest) : rest;
	const written = readable.slice(0, lengthOfObject(readable));
	const object = parseObject(written) ?? parseObject(fromPython(written));
	// What was quoted is longer than what it says: going on behind the shorter finds nothing new.
	return object && { object, length: isQuoted ? rest.length : written.length };
}

const [OPEN, CLOSE] = ['{', '}'];

function lengthOfObject(source: string): number {
	let depth = 0;
	for (let at = 0; at < source.length; at++) {
		const sign = source.charAt(at);
		if (sign === '"' || sign === "'") at = endOfString(source, at);
		if (sign === OPEN) depth += 1;
		if (sign === CLOSE) depth -= 1;
		if (depth === 0) return at + 1;
	}
	return 0;
}

const CONSTANTS: Readonly<Record<string, string>> = { None: 'null', True: 'true', False: 'false' };

function fromPython(dict: string): string {
	return dict.replace(
		/'((?:[^'\\]|\\.?)*)(?:'|$)|"((?:[^"\\]|\\.?)*)(?:"|$)|\b(?:None|True|False)\b/gs,
		(part, single?: string, double?: string) => {
			const string = single ?? double;
			if (string === undefined) return CONSTANTS[part]!;
			return JSON.stringify(unescape(string, backslash) ?? string);
		},
	);
}
