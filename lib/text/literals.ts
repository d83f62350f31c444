/** Converts values and calls that are written like Python or JavaScript to JSON. */
import { parseJson } from '../values/json';
import { tryOrUndefined } from '../values/try-or-undefined';
import { getOwn } from '../values/own-properties';

/** A kind of quotation marks. */
interface Quotation {
	/** The mark at its end. */
	close: string;
	/** What may be between the marks. */
	body: RegExp;
}

/** How deep values may be nested. */
const MAX_DEPTH = 50;
/** Values of a text, which are read in less than 0.1 s. */
const MAX_VALUES = 100_000;
/** Quotation marks without escapes: Gemma 4's, and FunctionGemma's (ai.google.dev/gemma/docs/functiongemma). */
const QUOTE_TOKENS = ['<|"|>', '<escape>'];
/** The character that both begin with. */
const QUOTE_TOKEN_START = '<';
const CONSTANTS: Record<string, string> = {
	True: 'true',
	False: 'false',
	None: 'null',
};
/** Of Python's own JSON, which JSON cannot express. */
const NO_NUMBER = /^(?:NaN|Infinity)$/;
/** Control characters by the letter of their escape. */
export const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/g;
/** Quotations by the mark at their beginning. */
const QUOTES: ReadonlyMap<string, Quotation> = new Map([
	['"', { close: '"', body: /[^"\\]*(?:\\[^][^"\\]*)*/y }],
	["'", { close: "'", body: /[^'\\]*(?:\\[^][^'\\]*)*/y }],
	['“', { close: '”', body: /[^”\\]*(?:\\[^][^”\\]*)*/y }],
]);
/** Blanks and comments. */
const BLANKS = /(?:[\s\u200B]|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
/** A constant or a number, and letters that make it something else. */
const WORD = /[-+\w.]*/y;
const NAME = /[\w.-]*/y;
/** Codes of characters: what is between the first two is visible, and only the third may begin a comment. */
const SPACE = 0x20;
const DELETE = 0x7f;
const SLASH = 0x2f;
/** As in Chinese and Japanese texts. */
const WIDE: Record<string, string> = { ':': '：', ',': '，' };
/** A constant or a number of JSON. */
const JSON_WORD = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)$/;

export interface LiteralCall {
	name: string;
	/** A JSON object. Numbers keep their digits. */
	arguments: string;
}

/**
 * The calls of a text such as `[get_weather(city="Rome", days=[1, 2])]` or `get_weather{city:<|"|>Rome<|"|>}`; undefined
 * if it contains anything else.
 */
export function parseLiteralCalls(text: string): LiteralCall[] | undefined {
	return readAll(text, (reader) => reader.readCalls());
}

/** Counts the values of texts that share one limit, because one may be a part of another. */
export class ValueBudget {
	private values = 0;

	/** Whether no further value is read. */
	get isExhausted(): boolean {
		return this.values > MAX_VALUES;
	}

	take(): void {
		this.values++;
	}
}

/** A value written like Python or JavaScript, as JSON; undefined for anything else. Numbers keep their digits. */
export function parseLiteral(text: string, budget?: ValueBudget): string | undefined {
	return readAll(text, (reader) => reader.readValue(0), budget);
}

/** What was read from a position of a text. */
export interface ReadLiteral<T> {
	/** The name of a call that has more members and elements than were asked for; undefined if none has. */
	largeCall?: string;
	/** Undefined if the text is something else. */
	result: T | undefined;
	/** The index after it, or the one at which it is something else. */
	to: number;
}

/**
 * Calls that begin at a position of a text, such as `get_weather(city="Rome")`, or several in a list. What follows them
 * does not matter.
 *
 * @param maxSigns - Members and elements that a call may have, counted by their colons and commas
 */
export function readLiteralCallsAt(
	text: string,
	at: number,
	maxSigns: number,
): ReadLiteral<LiteralCall[]> {
	return readAt(text, at, (reader) => reader.readCalls(maxSigns));
}

/**
 * A value written like Python or JavaScript that begins at a position of a text, as JSON. What follows it does not matter.
 */
export function readLiteralAt(text: string, at: number): ReadLiteral<string> {
	return readAt(text, at, (reader) => reader.readValue(0));
}

function readAt<T>(text: string, at: number, read: (reader: LiteralReader) => T): ReadLiteral<T> {
	// Arguments of a call: a value that is lost would be another call.
	const reader = new LiteralReader(text, { at, acceptsNoNumber: false });
	const result = tryOrUndefined(() => read(reader));
	return { result, to: reader.at, largeCall: reader.largeCall };
}

/** Undefined if the text contains anything else. */
function readAll<T>(text: string, read: (reader: LiteralReader) => T, budget?: ValueBudget) {
	const reader = new LiteralReader(text, { budget });
	return tryOrUndefined(() => {
		const result = read(reader);
		reader.assertEnd();
		return result;
	});
}

/** JSON text and what it stands for. */
export interface RepairedJson {
	json: string;
	/** The parsed text: a long one takes as much time as its repair. */
	value: unknown;
}

/**
 * Text as JSON if it is JSON but for comments, quotation marks, unquoted names, commas at the end, raw line ends or
 * Python's constants; undefined if it is something else.
 *
 * @param budget - Of what is repaired. Default: its own.
 */
export function repairJson(text: string, budget?: ValueBudget): RepairedJson | undefined {
	const value = parseJson(text);
	if (value !== undefined) return { json: text, value };
	const json = parseLiteral(text, budget);
	return json === undefined ? undefined : { json, value: parseJson(json) };
}

/** The text is something else. One for all: a stack for each would take longer than the reading. */
const SYNTAX_PROBLEM = new Error('The text is no literal');

/** Signs of named arguments and objects. */
interface EntrySyntax {
	separator: '=' | ':';
	end: ')' | '}';
}

const PARENTHESES: EntrySyntax = { separator: '=', end: ')' };
const BRACES: EntrySyntax = { separator: ':', end: '}' };

interface ReaderOptions {
	/** Where it begins to read. Default: at the beginning. */
	at?: number;
	/** Whether Python's NaN and Infinity are read, as null. Default: true. */
	acceptsNoNumber?: boolean;
	/** Default: its own. */
	budget?: ValueBudget;
}

/** Reads from left to right, each character once. */
class LiteralReader {
	at: number;
	/** The name of a call that has too many members and elements. */
	largeCall: string | undefined;
	/** Of the call that is read. */
	private callName = '';
	/** Colons and commas of its arguments. */
	private signs = 0;
	private maxSigns = Infinity;
	private readonly acceptsNoNumber: boolean;
	private readonly budget: ValueBudget;

	constructor(
		private readonly text: string,
		{ at = 0, acceptsNoNumber = true, budget = new ValueBudget() }: ReaderOptions = {},
	) {
		this.at = at;
		this.acceptsNoNumber = acceptsNoNumber;
		this.budget = budget;
	}

	/** Throws `SYNTAX_PROBLEM` if the text continues. */
	assertEnd() {
		this.skipBlanks();
		if (this.at < this.text.length) throw SYNTAX_PROBLEM;
	}

	readCalls(maxSigns = Infinity): LiteralCall[] {
		const isList = this.skip('[');
		const calls = [this.readCall(maxSigns)];
		while (this.skip(',')) calls.push(this.readCall(maxSigns));
		if (isList) this.expect(']');
		return calls;
	}

	readCall(maxSigns: number): LiteralCall {
		this.maxSigns = maxSigns;
		const name = this.readName();
		this.callName = name;
		this.signs = 0;
		if (this.skip('(')) return { name, arguments: this.readEntries(PARENTHESES, 0) };
		this.expect('{');
		return { name, arguments: this.readEntries(BRACES, 0) };
	}

	private readEntries({ separator, end }: EntrySyntax, depth: number) {
		const entries = this.readItems(end, () => {
			const key = JSON.stringify(this.readQuoted() ?? this.readName());
			this.expect(separator);
			this.countSign();
			return `${key}:${this.readValue(depth + 1)}`;
		});
		return `{${entries}}`;
	}

	/** Items with commas between them, perhaps also one before the end. */
	private readItems(end: string, readItem: () => string) {
		const items: string[] = [];
		while (!this.skip(end)) {
			if (items.length > 0) this.expect(',');
			if (items.length > 0 && this.skip(end)) break;
			if (items.length > 0) this.countSign();
			items.push(readItem());
		}
		return items.join(',');
	}

	private countSign() {
		if (++this.signs <= this.maxSigns) return;
		this.largeCall = this.callName;
		throw SYNTAX_PROBLEM;
	}

	readValue(depth: number): string {
		this.budget.take();
		if (depth > MAX_DEPTH || this.budget.isExhausted) throw SYNTAX_PROBLEM;
		const quoted = this.readQuoted();
		if (quoted !== undefined) return JSON.stringify(quoted);
		if (this.skip('{')) return this.readEntries(BRACES, depth);
		if (this.skip('[')) return `[${this.readItems(']', () => this.readValue(depth + 1))}]`;
		const word = this.match(WORD);
		const name = word.replace(/^-(?=I)/, '');
		if (this.acceptsNoNumber && NO_NUMBER.test(name)) return 'null';
		const value = getOwn(CONSTANTS, name);
		if (value === undefined && !JSON_WORD.test(word)) throw SYNTAX_PROBLEM;
		return value ?? word;
	}

	private readQuoted() {
		this.skipBlanks();
		const first = this.text[this.at] ?? '';
		if (first === QUOTE_TOKEN_START) {
			const token = QUOTE_TOKENS.find((mark) => this.skip(mark));
			return token === undefined ? undefined : this.readUntil(token);
		}
		const quotation = QUOTES.get(first);
		if (!quotation) return undefined;
		this.at += first.length;
		const body = this.match(quotation.body);
		if (this.text[this.at] !== quotation.close) throw SYNTAX_PROBLEM;
		this.at += 1;
		return body.includes('\\') ? body.replace(ESCAPE, toCharacter) : body;
	}

	private readUntil(mark: string) {
		const end = this.text.indexOf(mark, this.at);
		if (end < 0) throw SYNTAX_PROBLEM;
		const text = this.text.slice(this.at, end);
		this.at = end + mark.length;
		return text;
	}

	private readName() {
		this.skipBlanks();
		const name = this.match(NAME);
		if (!name) throw SYNTAX_PROBLEM;
		return name;
	}

	private expect(token: string) {
		if (!this.skip(token)) throw SYNTAX_PROBLEM;
	}

	/** Skips a token and the blanks before it, if it comes next. */
	private skip(token: string) {
		this.skipBlanks();
		const { text, at } = this;
		const wide = getOwn(WIDE, token);
		const isNext = text.startsWith(token, at) || (wide !== undefined && text.startsWith(wide, at));
		if (!isNext) return false;
		this.at += token.length;
		return true;
	}

	private skipBlanks() {
		const code = this.text.charCodeAt(this.at);
		// Most characters are letters or signs, and a pattern takes ten times as long.
		const isSign = code > SPACE && code < DELETE && code !== SLASH;
		if (!isSign) this.match(BLANKS);
	}

	private match(pattern: RegExp) {
		const from = this.at;
		pattern.lastIndex = from;
		if (!pattern.test(this.text)) return '';
		this.at = pattern.lastIndex;
		return this.text.slice(from, this.at);
	}
}

/** As in Python, a backslash before another letter stays: a path, or a command of LaTeX. */
function toCharacter(escape: string, ...[byte, unit, point, letter = '']: string[]) {
	const code = parseInt(byte ?? unit ?? point ?? '', 16);
	if (Number.isNaN(code))
		return getOwn(CONTROLS, letter) ?? (/[a-z]/i.test(letter) ? escape : letter);
	return code > 0x10ffff ? escape : String.fromCodePoint(code);
}
