/** Texts that the parts of a regular expression match. */

/** Characters of which one matches almost every set and class. */
const CANDIDATES = ['a', '1', ' ', '<', '-', '{', '"', '\n', '.', '中', '｜', '\\', '='];

/** Repetitions of a quantified part in a sample, at most. */
const MAX_REPETITIONS = 40;

const ASSERTION = /[$^]|\\[Bb]/y;
const BACKREFERENCE = /\\(?:[1-9]\d*|k<[^>]*>)/y;
const SET = /\.|\\[DSWdsw]|\\[Pp]\{[^}]*\}/y;
const LOOKAROUND = /\(\?<?[!=]/y;
const GROUP = /\((?:\?(?:<[^>]*>|[a-z-]*:))?/y;
const QUANTIFIER = /(?:(?<sign>[*+?])|\{(?<min>\d+)(?<open>,(?<max>\d*))?\})\??/y;
const CODE = /\\(?:u\{(?<point>[\da-f]+)\}|u(?<unit>[\da-f]{4})|x(?<byte>[\da-f]{2}))/iy;
const ESCAPE = /\\(.)/suy;

/** Characters with an escape of their own. */
const CONTROL_CHARACTERS: Record<string, string> = {
	'0': '\0',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
	v: '\v',
};

interface Element {
	/** A text that it matches; empty for assertions. */
	sample: string;
	/** Whether it is one literal character without a quantifier. */
	isCharacter: boolean;
}

/** Reads a valid pattern once, from its beginning to its end. */
class PatternReader {
	readonly samples: string[] = [];
	private at = 0;

	constructor(
		private readonly source: string,
		private readonly flags: string,
	) {}

	/** Reads up to the end of a group or of the pattern, and returns a sample of the first alternative. */
	readAlternatives(): string {
		const first = this.readAlternative();
		while (this.take(/\|/y)) this.readAlternative();
		return first;
	}

	private readAlternative(): string {
		const elements: Element[] = [];
		while (this.at < this.source.length && !'|)'.includes(this.source[this.at]!))
			elements.push(this.readElement());
		let beginning = '';
		for (const [index, { sample, isCharacter }] of elements.entries()) {
			beginning += sample;
			const isInWord = isCharacter && elements[index + 1]?.isCharacter === true;
			if (!isInWord) this.samples.push(beginning);
		}
		return beginning;
	}

	private readElement(): Element {
		const element = this.readUnquantified();
		const quantifier = this.take(QUANTIFIER)?.groups;
		if (!quantifier) return element;
		const { sign, min, open, max } = quantifier;
		const least = Number(min ?? (sign === '+' ? 1 : 0));
		const most = sign === '?' ? 1 : sign || (open && !max) ? Infinity : Number(max ?? min);
		const count = Math.min(Math.max(least, 1), most, MAX_REPETITIONS);
		return { sample: element.sample.repeat(count), isCharacter: false };
	}

	private readUnquantified(): Element {
		if (this.take(ASSERTION) || this.take(BACKREFERENCE)) return { sample: '', isCharacter: false };
		const set = this.take(SET)?.[0] ?? this.takeClass();
		if (set !== undefined) return { sample: this.sampleSet(set), isCharacter: false };
		if (this.take(LOOKAROUND)) {
			this.readGroup();
			return { sample: '', isCharacter: false };
		}
		if (this.take(GROUP)) return { sample: this.readGroup(), isCharacter: false };
		return { sample: this.takeCharacter(), isCharacter: true };
	}

	private readGroup(): string {
		const sample = this.readAlternatives();
		this.at += ')'.length;
		return sample;
	}

	/** A class in brackets; with the flag `v`, it may contain others. */
	private takeClass(): string | undefined {
		if (this.source[this.at] !== '[') return undefined;
		const start = this.at;
		let depth = 0;
		do {
			const sign = this.source[this.at];
			if (sign === '\\') this.at += 1;
			else if (sign === '[' && (depth === 0 || this.flags.includes('v'))) depth += 1;
			else if (sign === ']') depth -= 1;
			this.at += 1;
		} while (depth > 0);
		return this.source.slice(start, this.at);
	}

	private sampleSet(set: string): string {
		const pattern = new RegExp(set, this.flags);
		return CANDIDATES.find((character) => pattern.test(character)) ?? '';
	}

	private takeCharacter(): string {
		const { point, unit, byte } = this.take(CODE)?.groups ?? {};
		const code = point ?? unit ?? byte;
		if (code !== undefined) return String.fromCodePoint(parseInt(code, 16));
		const [, escaped] = this.take(ESCAPE) ?? [];
		if (escaped !== undefined) return CONTROL_CHARACTERS[escaped] ?? escaped;
		const character = /[uv]/.test(this.flags)
			? String.fromCodePoint(this.source.codePointAt(this.at)!)
			: this.source[this.at]!;
		this.at += character.length;
		return character;
	}

	private take(token: RegExp): RegExpExecArray | undefined {
		token.lastIndex = this.at;
		const match = token.exec(this.source) ?? undefined;
		if (match) this.at = token.lastIndex;
		return match;
	}
}

/** Samples of all alternatives of a valid pattern, at every depth, and of their beginnings. */
export function samplePattern(source: string, flags: string): string[] {
	const reader = new PatternReader(source, flags.replace(/[gy]/g, ''));
	reader.readAlternatives();
	return reader.samples;
}
