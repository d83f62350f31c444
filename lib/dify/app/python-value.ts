import { quietly } from '../../values';

/** Deeper values are left as text: they would exhaust the stack. */
const MAX_DEPTH = 100;

const BLANKS = /[ \t\r\n]*/y;
const WORD = /(?:True|False|None|true|false|null)\b/y;
const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y;
/** Everything up to the end of the text or the next escape, in each kind of quotes. */
const TEXT_PIECE = { "'": /[^'\\]*/y, '"': /[^"\\]*/y } as const;
const ESCAPE = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\\'"/abfnrtv0])/y;

const WORDS: Readonly<Record<string, boolean | null>> = {
	True: true,
	False: false,
	None: null,
	true: true,
	false: false,
	null: null,
};
const ESCAPED: Readonly<Record<string, string>> = {
	a: '\u0007',
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
	v: '\v',
	0: '\0',
};

/** Thrown where the text is not such a value. */
class Unreadable extends Error {}

/**
 * Parses a value in Python's notation, in which Dify sends conversation variables: `{'b': [1, None]}`, `True`. Parses
 * JSON as well.
 *
 * @returns undefined for what is not such a value, or cannot be represented exactly (whole numbers above 2^53, `nan`,
 * objects of Dify)
 */
export function pythonValue(source: string): { value: unknown } | undefined {
	const reader = new Reader(source);
	const read = quietly(() => ({ value: reader.value(0) }));
	return reader.isAtEnd ? read : undefined;
}

class Reader {
	private at = 0;

	constructor(private readonly source: string) {}

	get isAtEnd(): boolean {
		this.take(BLANKS);
		return this.at === this.source.length;
	}

	value(depth: number): unknown {
		if (depth > MAX_DEPTH) throw new Unreadable();
		this.take(BLANKS);
		const first = this.source[this.at];
		if (first === '[') return this.items(']', () => this.value(depth + 1));
		if (first === '{') return Object.fromEntries(this.items('}', () => this.entry(depth + 1)));
		if (first === "'" || first === '"') return this.text(first);
		const word = this.take(WORD);
		if (word !== undefined) return WORDS[word];
		return this.number();
	}

	private entry(depth: number): [string, unknown] {
		const key = this.value(depth);
		if (typeof key !== 'string' && typeof key !== 'number') throw new Unreadable();
		this.take(BLANKS);
		if (this.source[this.at++] !== ':') throw new Unreadable();
		return [String(key), this.value(depth)];
	}

	/** The items of a list or dict. Python allows a comma before the closing bracket. */
	private items<T>(end: string, item: () => T): T[] {
		const items: T[] = [];
		this.at++;
		for (;;) {
			this.take(BLANKS);
			if (this.source[this.at] === end) break;
			items.push(item());
			this.take(BLANKS);
			if (this.source[this.at] !== ',') break;
			this.at++;
		}
		if (this.source[this.at++] !== end) throw new Unreadable();
		return items;
	}

	private text(quote: "'" | '"'): string {
		const pieces: string[] = [];
		this.at++;
		for (;;) {
			pieces.push(this.take(TEXT_PIECE[quote]) ?? '');
			if (this.source[this.at] === quote) break;
			pieces.push(unescaped(this.take(ESCAPE)));
		}
		this.at++;
		return pieces.join('');
	}

	private number(): number {
		const digits = this.take(NUMBER);
		if (digits === undefined) throw new Unreadable();
		const number = Number(digits);
		const isExact = !/^-?\d+$/.test(digits) || Number.isSafeInteger(number);
		if (!Number.isFinite(number) || !isExact) throw new Unreadable();
		return number;
	}

	private take(pattern: RegExp): string | undefined {
		pattern.lastIndex = this.at;
		const match = pattern.exec(this.source)?.[0];
		if (match !== undefined) this.at += match.length;
		return match;
	}
}

function unescaped(escape: string | undefined): string {
	if (escape === undefined) throw new Unreadable();
	const kind = escape.charAt(1);
	if (kind !== 'x' && kind !== 'u' && kind !== 'U') return ESCAPED[kind] ?? kind;
	const code = parseInt(escape.slice(2), 16);
	if (code > 0x10ffff) throw new Unreadable();
	return String.fromCodePoint(code);
}
