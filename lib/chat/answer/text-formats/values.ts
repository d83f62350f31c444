import { parseJson } from '../../../values';
import { type Place, type Reading, type Source, Stopped } from './source';

/** How values are written: the quotes of strings, and whether keys are unquoted. */
export interface Notation {
	quotes: readonly string[];
	/** Whether a backslash escapes inside a string. */
	escapes: boolean;
	bareKeys: boolean;
	/** `True`, `False` and `None`. */
	python?: true;
}

export const JSON_NOTATION: Notation = { quotes: ['"'], escapes: true, bareKeys: false };
export const PYTHON_NOTATION: Notation = {
	quotes: ['"', "'"],
	escapes: true,
	bareKeys: false,
	python: true,
};

/** Callbacks while a value is read. */
export interface Listener {
	/** Called with the name of a call. */
	named?(name: string): void;
	/** Called with a complete call and its start. */
	call?(call: Record<string, unknown>, from: Place): void;
	/** The first key of a call must be one of these. */
	firstKeys?: ReadonlySet<string>;
}

const MAX_DEPTH = 64;
const MAX_KEY = 256;
const MAX_WORD = 400;
const NAME_KEYS: ReadonlySet<string> = new Set(['name', 'tool_name', 'tool']);
const PYTHON_WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
	['True', true],
	['False', false],
	['None', null],
]);

/**
 * Parses a value strictly, character by character, and throws `Stopped` at the first wrong one. Duplicate keys are not
 * allowed. Integers beyond the safe range become a bigint.
 *
 * @param role whether objects are calls, which are reported, or the `function` part of one
 */
export function* readValue(
	source: Source,
	notation: Notation,
	listener: Listener = {},
	role: 'call' | 'inner' | 'value' = 'value',
	depth = 0,
): Reading<unknown> {
	if (depth > MAX_DEPTH) throw new Stopped('broken');
	yield* source.blank();
	const first = yield* source.need();
	if (first === '{') return yield* readObject(source, notation, listener, role, depth);
	if (first === '[') {
		const list: unknown[] = [];
		source.at += 1;
		while (!(yield* isClosed(source, ']', list.length === 0)))
			list.push(yield* readValue(source, notation, listener, role, depth + 1));
		return list;
	}
	const quote = yield* source.oneOf(notation.quotes);
	return quote === undefined
		? yield* readWord(source, notation)
		: yield* readText(source, quote, notation);
}

/** Parses an object. A key `__proto__` is data like any other. */
export function* readObject(
	source: Source,
	notation: Notation,
	listener: Listener = {},
	role: 'call' | 'inner' | 'value' = 'value',
	depth = 0,
): Reading<Record<string, unknown>> {
	const members = new Map<string, unknown>();
	const from = source.place;
	yield* source.expect(['{']);
	while (!(yield* isClosed(source, '}', members.size === 0))) {
		yield* source.blank();
		const key = yield* readKey(source, notation);
		if (members.has(key)) throw new Stopped('broken');
		if (role === 'call' && members.size === 0 && listener.firstKeys?.has(key) === false)
			throw new Stopped('broken');
		yield* source.blank();
		yield* source.expect([':']);
		const value = yield* readValue(
			source,
			notation,
			listener,
			role === 'call' && key === 'function' ? 'inner' : 'value',
			depth + 1,
		);
		members.set(key, value);
		if (role !== 'value' && NAME_KEYS.has(key) && typeof value === 'string')
			listener.named?.(value);
	}
	const object = Object.fromEntries(members);
	if (role === 'call') listener.call?.(object, from);
	return object;
}

/** Consumes the end of a list or object, or the comma before its next member. @returns whether it was the end */
function* isClosed(source: Source, end: string, isFirst: boolean): Reading<boolean> {
	yield* source.blank();
	const next = yield* source.need();
	if (next === end || (!isFirst && next === ',')) source.at += 1;
	else if (!isFirst) throw new Stopped('broken');
	return next === end;
}

function* readKey(source: Source, notation: Notation): Reading<string> {
	if (!notation.bareKeys) {
		yield* source.need();
		return yield* readText(source, yield* source.expect(notation.quotes), notation, MAX_KEY);
	}
	const key = yield* source.run(/[\w$.-]/, MAX_KEY);
	if (key === '') throw new Stopped('broken');
	return key;
}

function* readText(
	source: Source,
	quote: string,
	notation: Notation,
	most = Infinity,
): Reading<string> {
	const parts: string[] = [];
	const stops = new Set([quote[0]!, ...(notation.escapes ? ['\\'] : [])]);
	for (let length = 0; ; ) {
		const before = parts.length;
		const stop = yield* source.upTo(stops, parts);
		length += parts.slice(before).reduce((sum, part) => sum + part.length, 0);
		if (length > most) throw new Stopped('broken');
		if (stop === '\\') {
			source.at += 1;
			parts.push(`\\${yield* source.need()}`);
			source.at += 1;
		} else if ((yield* source.oneOf([quote])) !== undefined) break;
		else {
			parts.push(stop);
			source.at += 1;
		}
	}
	const written = parts.join('');
	if (!notation.escapes) return written;
	const json =
		quote === '"'
			? written
			: written.replaceAll("\\'", "'").replace(/\\[^]|"/g, (one) => (one === '"' ? '\\"' : one));
	const value = parseJson(`"${json}"`);
	if (typeof value !== 'string') throw new Stopped('broken');
	return value;
}

function* readWord(source: Source, notation: Notation): Reading<unknown> {
	const word = yield* source.run(/[\w.+-]/, MAX_WORD);
	// Throws if the text ended here: the word may be cut.
	yield* source.need();
	if (notation.python && PYTHON_WORDS.has(word)) return PYTHON_WORDS.get(word);
	const value = parseJson(word);
	if (value === undefined) throw new Stopped('broken');
	return typeof value === 'number' && /^-?\d+$/.test(word) && !Number.isSafeInteger(value)
		? BigInt(word)
		: value;
}
