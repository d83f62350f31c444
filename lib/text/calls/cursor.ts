/** The position of the readers in a text, and the work that they may do for it. */
import { parseJson } from '../../values/json';
import { JsonBrackets } from '../../values/json-brackets';
import { readLiteralAt } from '../literals';

/**
 * Characters that may be read for a text of this length: each a few times. A text with many beginnings of calls that never
 * end would otherwise be read to its end for each of them.
 */
const READS_PER_CHARACTER = 10;
const MIN_READS = 100_000;

/** How a list or an object of JSON begins. Most brackets of a text begin none, and an error of the parser takes time. */
const JSON_START = /\{\s*["}]|\[\s*["[{\d\-tfn\]]/y;
const BLANKS = /[\s\u200B]*/y;

/** Reads a text from left to right. */
export class TextCursor {
	/** Characters that were read so far, some of them several times. */
	charged = 0;

	constructor(
		readonly text: string,
		/** Index of the next character. */
		public at = 0,
		private readonly maxReads: number = MIN_READS + READS_PER_CHARACTER * text.length,
	) {}

	/** Whether nothing more is read, because the text has been read too often. */
	get isExhausted(): boolean {
		return this.charged > this.maxReads;
	}

	get isAtEnd(): boolean {
		return this.at >= this.text.length;
	}

	/** Counts characters that are read without `match`. */
	charge(characters: number): void {
		this.charged += characters;
	}

	/** Whether a text comes next. */
	startsWith(mark: string): boolean {
		return this.text.startsWith(mark, this.at);
	}

	/** Reads a text if it comes next. */
	skip(mark: string): boolean {
		if (!this.startsWith(mark)) return false;
		this.at += mark.length;
		return true;
	}

	skipBlanks(): void {
		this.match(BLANKS);
	}

	/**
	 * Reads what a pattern matches here.
	 *
	 * @param pattern with the flag `y`
	 */
	match(pattern: RegExp): RegExpExecArray | undefined {
		if (this.isExhausted) return undefined;
		pattern.lastIndex = this.at;
		const match = pattern.exec(this.text);
		if (match === null) return undefined;
		this.at += match[0].length;
		this.charge(match[0].length);
		return match;
	}

	/**
	 * Reads to a mark, and the mark.
	 *
	 * @returns the text before it; undefined if it does not follow
	 */
	readUntil(mark: string): string | undefined {
		const end = this.text.indexOf(mark, this.at);
		this.charge((end < 0 ? this.text.length : end) - this.at);
		if (end < 0 || this.isExhausted) return undefined;
		const before = this.text.slice(this.at, end);
		this.at = end + mark.length;
		return before;
	}

	/**
	 * Reads an object or a list: JSON, or what Python and JavaScript write instead.
	 *
	 * @returns valid JSON; undefined if none begins here, or if it is not complete
	 */
	readJson(): string | undefined {
		const { text, at } = this;
		if (this.isExhausted || (text[at] !== '{' && text[at] !== '[')) return undefined;
		const end = new JsonBrackets().read(text, at);
		this.charge((end ?? text.length) - at);
		const json = end === undefined ? undefined : text.slice(at, end);
		JSON_START.lastIndex = at;
		if (json !== undefined && JSON_START.test(text) && parseJson(json) !== undefined) {
			this.at = end!;
			return json;
		}
		const literal = readLiteralAt(text, at);
		this.charge(literal.to - at);
		if (literal.result !== undefined) this.at = literal.to;
		return literal.result;
	}
}
