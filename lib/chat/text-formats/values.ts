import { exactJson, parseJson } from '../../json';
import { type JsonRecord } from '../../values';
import { LargeNumber } from './arguments';
import { type Source, stop } from './source';

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
	/** Called with a complete call and the index at which it starts. */
	call?(call: JsonRecord, from: number): void;
	/** The first key of a call must be one of these. */
	firstKeys?: ReadonlySet<string>;
}

/** Whether objects are calls, which are reported, or the `function` part of one. */
type Role = 'call' | 'inner' | 'value';

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
 * Parses a value strictly: duplicate keys are not allowed. A number that JavaScript would change becomes a
 * `LargeNumber`.
 */
export function readValue(source: Source, notation: Notation): unknown {
	return new ValueReader(source, notation, {}).value('value', 0);
}

/** Parses an object. A key `__proto__` is data like any other. */
export function readObject(source: Source, notation: Notation): JsonRecord {
	return new ValueReader(source, notation, {}).object('value', 0);
}

/** Parses a call in JSON, or a list of calls. */
export function readJsonCalls(source: Source, listener: Listener): void {
	new ValueReader(source, JSON_NOTATION, listener).value('call', 0);
}

class ValueReader {
	constructor(
		private readonly source: Source,
		private readonly notation: Notation,
		private readonly listener: Listener,
	) {}

	value(role: Role, depth: number): unknown {
		const { source, notation } = this;
		if (depth > MAX_DEPTH) stop('broken');
		source.blank();
		const first = source.need();
		if (first === '{') return this.object(role, depth);
		if (first === '[') return this.list(role, depth);
		const quote = source.oneOf(notation.quotes);
		return quote === undefined ? this.word() : this.text(quote);
	}

	object(role: Role, depth: number): JsonRecord {
		const { source, listener } = this;
		const members = new Map<string, unknown>();
		const from = source.at;
		source.expect(['{']);
		while (!this.isClosed('}', members.size === 0)) {
			const key = this.key();
			if (members.has(key)) stop('broken');
			if (role === 'call' && members.size === 0) this.checkFirstKey(key);
			source.blank();
			source.expect([':']);
			const value = this.value(roleOfMember(role, key), depth + 1);
			members.set(key, value);
			if (role !== 'value') this.reportName(key, value);
		}
		const object = Object.fromEntries(members);
		if (role === 'call') listener.call?.(object, from);
		return object;
	}

	private checkFirstKey(key: string): void {
		const { firstKeys } = this.listener;
		if (firstKeys !== undefined && !firstKeys.has(key)) stop('broken');
	}

	private reportName(key: string, value: unknown): void {
		if (NAME_KEYS.has(key) && typeof value === 'string') this.listener.named?.(value);
	}

	private list(role: Role, depth: number): unknown[] {
		const list: unknown[] = [];
		this.source.at += 1;
		while (!this.isClosed(']', list.length === 0)) list.push(this.value(role, depth + 1));
		return list;
	}

	/** Consumes the end of a list or object, or the comma before its next member. @returns whether it was the end */
	private isClosed(end: string, isFirst: boolean): boolean {
		const { source } = this;
		source.blank();
		const next = source.need();
		if (next === end || (!isFirst && next === ',')) source.at += 1;
		else if (!isFirst) stop('broken');
		return next === end;
	}

	private key(): string {
		const { source, notation } = this;
		source.blank();
		if (!notation.bareKeys) {
			source.need();
			return this.text(source.expect(notation.quotes), MAX_KEY);
		}
		return source.run(/[\w$.-]/, MAX_KEY) || stop('broken');
	}

	/** The text up to the closing quote. */
	private text(quote: string, most = Infinity): string {
		const { source, notation } = this;
		const start = source.at;
		const stops = notation.escapes ? `${quote[0]!}\\` : quote[0]!;
		for (;;) {
			const next = source.skipTo(stops, most);
			if (source.at - start > most) stop('broken');
			const end = source.at;
			if (next === '\\' && notation.escapes) {
				source.at += 1;
				source.need();
				source.at += 1;
			} else if (source.oneOf([quote]) !== undefined) {
				return unescaped(source.text.slice(start, end), quote, notation);
			} else source.at += 1;
		}
	}

	private word(): unknown {
		const { source, notation } = this;
		const word = source.run(/[\w.+-]/, MAX_WORD);
		// Stops if the text ended here: the word may be cut.
		source.need();
		if (notation.python && PYTHON_WORDS.has(word)) return PYTHON_WORDS.get(word);
		const value = parseJson(word);
		if (value === undefined) stop('broken');
		return exactJson(word, value).large.length > 0 ? new LargeNumber(word) : value;
	}
}

function roleOfMember(role: Role, key: string): Role {
	return role === 'call' && key === 'function' ? 'inner' : 'value';
}

function unescaped(written: string, quote: string, { escapes }: Notation): string {
	if (!escapes) return written;
	const json =
		quote === '"'
			? written
			: written.replaceAll("\\'", "'").replace(/\\[^]|"/g, (one) => (one === '"' ? '\\"' : one));
	const value = parseJson(`"${json}"`);
	return typeof value === 'string' ? value : stop('broken');
}
