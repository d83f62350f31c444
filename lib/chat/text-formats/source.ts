import { literalPattern } from '../../values';

/** Why a text is no call. `incomplete`: the text ended too early. */
export type Stop = 'broken' | 'incomplete' | 'unknownTool' | 'followed';

/**
 * Thrown by the parsers, which return only what they read completely. `more`: only further text can decide. There is
 * one object for each reason, because the stack traces of 100,000 errors would take longer than the parsing.
 */
export class Stopped extends Error {
	constructor(readonly why: Stop | 'more') {
		super(why);
	}
}

const STOPS: Record<Stop | 'more', Stopped> = {
	broken: new Stopped('broken'),
	incomplete: new Stopped('incomplete'),
	unknownTool: new Stopped('unknownTool'),
	followed: new Stopped('followed'),
	more: new Stopped('more'),
};

export function stop(why: Stop | 'more'): never {
	throw STOPS[why];
}

/** The result of a parser, or the reason for which it stopped. */
export function attempt<T>(parse: () => T): T | Stopped {
	try {
		return parse();
	} catch (error) {
		if (error instanceof Stopped) return error;
		throw error as Error;
	}
}

const NOT_WHITE_SPACE = /\S/g;

/**
 * A global pattern for places where one of these texts begins, also where the end of the text cuts it off. It finds in one
 * pass what a parser has to look at.
 */
export function beginningsOf(literals: readonly string[]): RegExp {
	return new RegExp(literals.map(beginningOf).join('|') || '(?!)', 'g');
}

/** `abc` as `a(?:b(?:c|$)|$)`. */
function beginningOf(literal: string): string {
	const [last = '', ...before] = [...literal].reverse();
	let pattern = literalPattern(last);
	for (const character of before) pattern = `${literalPattern(character)}(?:${pattern}|$)`;
	return pattern;
}

const PATTERNS = new Map<string, RegExp>();

/** A global pattern for any of these characters. */
function anyOf(characters: string): RegExp {
	const known = PATTERNS.get(characters);
	if (known !== undefined) return known;
	const pattern = new RegExp([...characters].map(literalPattern).join('|'), 'g');
	PATTERNS.set(characters, pattern);
	return pattern;
}

/** A text with a position, for parsers. At the end of a text that may go on they stop with `more`. */
export class Source {
	at = 0;

	/** @param isWhole no more text will come */
	constructor(
		readonly text: string,
		readonly isWhole: boolean,
	) {}

	/** The next character, without consuming it; empty at the end of the whole text. */
	peek(): string {
		if (this.at < this.text.length) return this.text[this.at]!;
		return this.isWhole ? '' : stop('more');
	}

	/** The same, but stops at the end of the whole text. */
	need(): string {
		return this.peek() || stop('incomplete');
	}

	blank(): void {
		this.jumpTo(NOT_WHITE_SPACE);
		this.peek();
	}

	/** Consumes the longest of these texts that comes next; undefined if none does. */
	oneOf(literals: readonly string[]): string | undefined {
		const { text, at } = this;
		let longest: string | undefined;
		for (const literal of literals) {
			if (longest !== undefined && literal.length <= longest.length) continue;
			if (text.startsWith(literal, at)) longest = literal;
			else if (!this.isWhole && this.mayBecome(literal)) stop('more');
		}
		this.at += longest?.length ?? 0;
		return longest;
	}

	/** The same, but stops if none does. */
	expect(literals: readonly string[]): string {
		const literal = this.oneOf(literals);
		if (literal !== undefined) return literal;
		return stop(literals.some((one) => this.mayBecome(one)) ? 'incomplete' : 'broken');
	}

	/** Consumes characters while they match a pattern; stops after more than `most`. */
	run(pattern: RegExp, most: number): string {
		const start = this.at;
		for (let next = this.peek(); next !== '' && pattern.test(next); next = this.peek()) {
			if (this.at - start >= most) stop('broken');
			this.at += 1;
		}
		return this.text.slice(start, this.at);
	}

	/** Moves to the next of these characters, which is not consumed; stops after more than `most`. */
	skipTo(characters: string, most = Infinity): string {
		const start = this.at;
		this.jumpTo(anyOf(characters));
		if (this.at - start > most) {
			this.at = start + most + 1;
			stop('broken');
		}
		return this.need();
	}

	/** Moves to the next match of a global pattern, or to the end of the text. */
	jumpTo(pattern: RegExp): void {
		pattern.lastIndex = this.at;
		this.at = pattern.exec(this.text)?.index ?? this.text.length;
	}

	/** Whether all of the remaining text is the beginning of a longer one. */
	private mayBecome(literal: string): boolean {
		const rest = this.text.length - this.at;
		return rest < literal.length && literal.startsWith(this.text.slice(this.at));
	}
}
