/** Grammars refuse to repeat a rule more often (llama.cpp, `MAX_REPETITION_THRESHOLD`). */
export const MOST_REPETITIONS = 2000;

export type GrammarPattern = { pattern: string } | { reason: string };

/** Code points from `lo` to `hi`. */
type Range = readonly [lo: number, hi: number];

const SHORTHANDS: Readonly<Record<string, readonly Range[]>> = {
	d: [[0x30, 0x39]],
	w: [
		[0x30, 0x39],
		[0x41, 0x5a],
		[0x5f, 0x5f],
		[0x61, 0x7a],
	],
	// Of all white space only the blank can stand in a JSON string as it is.
	s: [[0x20, 0x20]],
};
/** What cannot stand in a JSON string as it is: control characters, the quote, the backslash. */
const UNQUOTABLE: readonly Range[] = [
	[0x00, 0x1f],
	[0x22, 0x22],
	[0x5c, 0x5c],
	[0x7f, 0x7f],
];
/** The same inside a character class, as llama.cpp writes it in its own rule for characters. */
const UNQUOTABLE_TEXT = '"\\\\\\x7F\\x00-\\x1F';
/** Outside a class these are signs of the language. */
const SIGNS = new Set('^$.[]()|{}*+?');
const JSON_ESCAPES: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '"': '"', '\\': '\\' };

/** Raised inside only: a pattern that cannot be said in a grammar, with the reason. */
class Unsayable extends Error {}

/**
 * Says a regular expression of a JSON schema in the small language that llama.cpp turns into a grammar, or tells why it cannot be said.
 * Texts of the result that match are always texts that the original allows.
 *
 * llama.cpp v0.5.0 (`_pattern_to_rule`) knows no shorthands (`\d`), repeats too much after an escape or a letter beyond ASCII, takes a lazy `+?` for
 * "may be missing", and lets `.` and `[^…]` eat the closing quote of the JSON string: the answer then ends in "The model produced
 * output that does not match". Older releases refuse the whole request for what v0.5.0 merely does not enforce.
 */
export function grammarPattern(pattern: string): GrammarPattern {
	try {
		return { pattern: `^${new Translation(body(pattern)).run()}$` };
	} catch (error) {
		return { reason: error instanceof Error ? error.message : String(error) };
	}
}

/** What stands between the anchors. */
function body(pattern: string): string {
	if (!isRegularExpression(pattern)) throw new Unsayable('not a regular expression');
	if (!pattern.startsWith('^') || !/(^|[^\\])(\\\\)*\$$/.test(pattern)) throw new Unsayable('pattern without ^ and $');
	return pattern.slice(1, -1);
}

function isRegularExpression(pattern: string): boolean {
	return ['', 'u'].some((flags) => {
		try {
			return new RegExp(pattern, flags) instanceof RegExp;
		} catch {
			return false;
		}
	});
}

class Translation {
	private readonly chars: string[];
	private at = 0;

	constructor(inner: string) {
		this.chars = [...inner];
	}

	run(): string {
		let out = '';
		while (this.at < this.chars.length) out += this.piece(this.chars[this.at++]!);
		return out;
	}

	private get next(): string | undefined {
		return this.chars[this.at];
	}

	private piece(char: string): string {
		switch (char) {
			case '\\':
				return this.escape();
			case '[':
				return this.characterClass();
			case '(':
				return this.groupStart();
			case '.':
				return `[^${UNQUOTABLE_TEXT}]`;
			case '^':
			case '$':
				throw new Unsayable('pattern with an inner anchor');
			case '*':
			case '+':
			case '?':
				return char + this.withoutLazy();
			case '{':
				return this.count();
			case ')':
			case '|':
				return char;
			default:
				return this.literal(char);
		}
	}

	private groupStart(): string {
		if (this.next !== '?') return '(';
		if (this.chars[this.at + 1] !== ':') throw new Unsayable('pattern with look-around');
		this.at += 2;
		return '(?:';
	}

	private count(): string {
		const rest = this.chars.slice(this.at, this.at + 24).join('');
		if (/^,\d+\}/.test(rest)) throw new Unsayable('pattern with {,n}');
		const match = /^(\d+)(,(\d*))?\}/.exec(rest);
		if (match === null) return this.literal('{');
		const [all, least, , most = ''] = match;
		if (Number(least) > MOST_REPETITIONS || Number(most) > MOST_REPETITIONS)
			throw new Unsayable(`pattern that repeats more than ${MOST_REPETITIONS} times`);
		this.at += all.length;
		return `{${all}${this.withoutLazy()}`;
	}

	/** `+?` finds another match, but allows the same texts. */
	private withoutLazy(): '' {
		if (this.next === '?') this.at++;
		return '';
	}

	private get isRepeated(): boolean {
		return (
			this.next === '*' ||
			this.next === '+' ||
			this.next === '?' ||
			/^\{\d/.test(this.chars.slice(this.at, this.at + 2).join(''))
		);
	}

	/** A character that stands for itself. What takes more than one byte in the grammar is repeated as a group. */
	private literal(char: string): string {
		const json = JSON_ESCAPES[char];
		if (json === undefined && contains(UNQUOTABLE, codeOf(char)))
			throw new Unsayable('pattern with a control character');
		const text = json !== undefined ? `\\\\${json === '\\' ? '\\\\' : json}` : SIGNS.has(char) ? `\\${char}` : char;
		return (text.length > 1 || codeOf(text) > 0x7f) && this.isRepeated ? `(${text})` : text;
	}

	private escape(): string {
		const char = this.chars[this.at++] ?? '';
		const ranges = SHORTHANDS[char.toLowerCase()];
		if (ranges !== undefined) return classOf(ranges, char !== char.toLowerCase());
		return this.literal(this.escaped(char));
	}

	/** The character that an escape other than a shorthand stands for. */
	private escaped(char: string): string {
		if (char === 'n' || char === 'r' || char === 't') return { n: '\n', r: '\r', t: '\t' }[char];
		const digits = char === 'x' ? 2 : char === 'u' ? 4 : 0;
		const hex = this.chars.slice(this.at, this.at + digits).join('');
		if (digits > 0 && new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex)) {
			this.at += digits;
			return String.fromCodePoint(Number.parseInt(hex, 16));
		}
		if (/[A-Za-z0-9]/.test(char)) throw new Unsayable(`pattern with \\${char}`);
		return char;
	}

	private characterClass(): string {
		const start = this.at;
		const negated = this.next === '^';
		if (negated) this.at++;
		const ranges: Range[] = [];
		const complements = new Set<string>();
		let isPlain = !negated;
		for (;;) {
			const char = this.chars[this.at++]!;
			if (char === ']') break;
			if (char === '\\') isPlain = false;
			const shorthand = char === '\\' ? SHORTHANDS[this.next!.toLowerCase()] : undefined;
			if (shorthand !== undefined) {
				const letter = this.chars[this.at++]!;
				if (letter === letter.toLowerCase()) ranges.push(...shorthand);
				else complements.add(letter.toLowerCase());
				continue;
			}
			const lo = this.member(char);
			const isRange =
				this.next === '-' &&
				this.chars[this.at + 1] !== ']' &&
				!(this.chars[this.at + 1] === '\\' && /[dws]/i.test(this.chars[this.at + 2]!));
			if (isRange) this.at++;
			const hi = isRange ? this.member(this.chars[this.at++]!) : lo;
			ranges.push([lo, hi]);
		}
		if (isPlain && ranges.length > 0 && !ranges.some((range) => UNQUOTABLE.some((bad) => overlap(range, bad)))) {
			return `[${this.chars.slice(start, this.at).join('')}`;
		}
		return withComplements(ranges, [...complements], negated);
	}

	private member(char: string): number {
		if (char !== '\\') return codeOf(char);
		const escaped = this.chars[this.at++]!;
		// A backspace, in a class only.
		return escaped === 'b' ? 8 : codeOf(this.escaped(escaped));
	}
}

/** `[\s\S]` and the like are all characters; `[^\S]` and `[\D]` are plain; other mixtures would need arithmetic on all of Unicode. */
function withComplements(ranges: readonly Range[], complements: readonly string[], negated: boolean): string {
	const [letter] = complements;
	if (letter === undefined) return classOf(ranges, negated);
	const complement = SHORTHANDS[letter]!;
	if (!negated && complement.every(([lo]) => contains(ranges, lo))) return `[^${UNQUOTABLE_TEXT}]`;
	if (ranges.length > 0 || complements.length > 1) throw new Unsayable('pattern with a mixed character class');
	return classOf(complement, !negated);
}

/** A class of these characters, or of all others, as far as they can stand in a JSON string. */
function classOf(ranges: readonly Range[], negated: boolean): string {
	const allowed = without(ranges, UNQUOTABLE);
	if (allowed.length === 0 && !negated) throw new Unsayable('pattern with characters that JSON cannot hold');
	// A minus sign means itself at the end only, a caret anywhere but at the beginning: older releases know no escapes for them.
	const isLast = ([lo, hi]: Range) => lo === hi && (lo === 0x2d || lo === 0x5e);
	const last = allowed.filter(isLast).sort(([a], [b]) => b - a);
	const text = allowed
		.filter((range) => !isLast(range))
		.map(([lo, hi]) => (lo === hi ? inClass(lo) : `${inClass(lo)}-${inClass(hi)}`))
		.join('');
	const end = [...new Set(last.map(([lo]) => String.fromCodePoint(lo)))].join('');
	if (negated) return `[^${text}${UNQUOTABLE_TEXT}${end}]`;
	return text === '' && end.startsWith('^') ? `(\\^${end.includes('-') ? '|-' : ''})` : `[${text}${end}]`;
}

function inClass(code: number): string {
	if (code === 0x2d) return '\\x2D';
	if (code === 0x5e) return '\\x5E';
	if (code === 0x5d) return '\\]';
	return String.fromCodePoint(code);
}

function codeOf(char: string): number {
	return char.codePointAt(0)!;
}

function overlap(a: Range, b: Range): boolean {
	return a[0] <= b[1] && b[0] <= a[1];
}

function contains(ranges: readonly Range[], code: number): boolean {
	return ranges.some(([lo, hi]) => lo <= code && code <= hi);
}

function without(ranges: readonly Range[], cut: readonly Range[]): Range[] {
	return cut.reduce<Range[]>(
		(rest, [lo, hi]) =>
			rest.flatMap((range): Range[] => {
				if (!overlap(range, [lo, hi])) return [range];
				const left: Range[] = range[0] < lo ? [[range[0], lo - 1]] : [];
				const right: Range[] = range[1] > hi ? [[hi + 1, range[1]]] : [];
				return [...left, ...right];
			}),
		[...ranges],
	);
}
