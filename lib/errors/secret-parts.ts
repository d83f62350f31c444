/**
 * Finds secrets in a text, and parts of them: servers and proxies echo them cut, in another case, or escaped for a URL,
 * JSON, HTML or base64.
 */
/** Length of the parts that are searched for. Shorter parts give nothing away. */
const PART = 8;
/** From this length on, a secret matches nothing but itself, and is masked wherever it occurs. */
export const MIN_CERTAIN_KEY_LENGTH = 16;

/** A range of a text, `to` not included. */
interface Range {
	from: number;
	to: number;
}

/**
 * Words, possibly followed by a number. A part made only of these is not masked: that would garble texts
 * ("llama-server" in the key "our-llama-server-7f3aPq81").
 */
const WORDS =
	/^(?:[A-Z]?[a-z]{2,14}|[A-Z]{3,15}|(?:[A-Z][a-z]{2,14}){1,4})(?:\d{0,4}|(\d)\1*)$|^(?:0?\d|\d{4})$/;

/** Lower-cases ASCII letters only, so that indexes stay the same. */
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Four characters as one number, without regard to case. */
function four(text: string, at: number): number {
	return (
		((text.charCodeAt(at) | 0x20) << 24) ^
		((text.charCodeAt(at + 1) | 0x20) << 16) ^
		((text.charCodeAt(at + 2) | 0x20) << 8) ^
		(text.charCodeAt(at + 3) | 0x20)
	);
}

/** Any range of this length contains four characters that begin at a multiple of four. */
const HOLDS_A_FOUR = 7;

/** How a part of a secret counts where a text contains it. */
interface Part {
	begins: boolean;
	/** Masked also inside a longer word. */
	anywhere: boolean;
}

/** Masks the secrets of one credential in texts. Built once per credential; fast on texts that contain none. */
export class SecretParts {
	private readonly parts = new Map<string, Part>();
	/**
	 * Every four characters in a part or a whole, as numbers. A text that contains a part has one of them at a multiple
	 * of four, so a text without them is skipped quickly.
	 */
	private readonly fours = new Set<number>();
	private readonly hasTinyWholes: boolean;
	/** The secrets themselves, lower-cased. Short ones, and those made of words, are found only as a whole. */
	private readonly wholes: string[];

	/**
	 * @param sure for texts that must not be garbled: only parts that look random (letters and digits, or letters in an
	 *   order that no word has) are masked
	 */
	constructor(
		secrets: readonly string[],
		private readonly sure = false,
	) {
		const long = secrets.filter((secret) => secret.length >= MIN_CERTAIN_KEY_LENGTH);
		const short = secrets.filter(
			(secret) => secret.length >= PART && secret.length < MIN_CERTAIN_KEY_LENGTH,
		);
		for (const secret of short) this.add(secret, false);
		// A space separates a key from its scheme; the key alone is among the secrets, too.
		for (const secret of long.filter((candidate) => !/\s/.test(candidate))) this.add(secret, true);
		for (const encoded of long.flatMap(encodings)) this.addEncoded(encoded);
		this.wholes = secrets.filter((secret) => secret !== '').map(lower);
		this.hasTinyWholes = this.wholes.some(({ length }) => length < HOLDS_A_FOUR);
		for (const whole of this.wholes) this.addFours(whole);
	}

	/** The text with `***` in place of every secret and every part of one. */
	mask(text: string): string {
		const found = this.find(text);
		if (found.length === 0) return text;
		let masked = '';
		let at = 0;
		for (const { from, to } of found) {
			masked += `${text.slice(at, from)}***`;
			at = to;
		}
		return masked + text.slice(at);
	}

	private find(text: string): Range[] {
		const found = this.findIn(text).map(({ from, to }) => ({ from: beforeEscape(text, from), to }));
		let reading = unescaped({ text });
		for (let depth = 1; reading !== undefined && depth <= MAX_DEPTH; depth++) {
			const { origins = [] } = reading;
			found.push(
				...this.findIn(reading.text).map(({ from, to }) => ({
					from: origins[from]!,
					to: origins[to]!,
				})),
			);
			reading = unescaped(reading);
		}
		return merged(found);
	}

	private addFours(text: string): void {
		for (let at = 0; at + 4 <= text.length; at++) this.fours.add(four(text, at));
	}

	/** A quick test: false where the text certainly contains nothing to mask. */
	private mayHold(text: string): boolean {
		if (this.hasTinyWholes) return true;
		for (let at = 0; at + 4 <= text.length; at += 4)
			if (this.fours.has(four(text, at))) return true;
		return false;
	}

	private findIn(text: string): Range[] {
		if (!this.mayHold(text)) return [];
		const letters = lower(text);
		const found: Range[] = [];
		for (const whole of this.wholes)
			for (
				let from = letters.indexOf(whole);
				from >= 0;
				from = letters.indexOf(whole, from + whole.length)
			) {
				const range = { from, to: from + whole.length };
				if (whole.length >= MIN_CERTAIN_KEY_LENGTH || standsAlone(letters, range))
					found.push(range);
			}
		return [...found, ...this.partsIn(letters)];
	}

	private partsIn(letters: string): Range[] {
		const found: Array<Range & Part> = [];
		let last: (Range & Part) | undefined;
		let from = 0;
		for (let at = 0; at + 4 <= letters.length && this.parts.size > 0; at += 4) {
			if (!this.fours.has(four(letters, at))) continue;
			for (
				from = Math.max(from, at - (PART - 4));
				from <= at && from + PART <= letters.length;
				from++
			) {
				const part = this.parts.get(letters.slice(from, from + PART));
				if (part === undefined) continue;
				if (last === undefined || from >= last.to) found.push((last = { from, to: from, ...part }));
				last.to = from + PART;
				last.begins ||= part.begins;
				last.anywhere ||= part.anywhere;
			}
		}
		return found.filter((range) => range.begins && (range.anywhere || standsAlone(letters, range)));
	}

	private add(secret: string, anywhere: boolean): void {
		const plain = plainIn(secret);
		const isOwn = this.sure ? isRandom : isVaried;
		this.addParts(
			secret,
			anywhere,
			(part, from) => isOwn(part) && !isWithin({ from, to: from + PART }, plain),
		);
	}

	/** Base64 and hexadecimal contain no words: parts without digits, or of digits alone, are masked too. */
	private addEncoded(encoded: string): void {
		this.addParts(encoded, true, isVaried);
	}

	private addParts(
		secret: string,
		anywhere: boolean,
		beginsWith: (asWritten: string, from: number) => boolean,
	): void {
		const letters = lower(secret);
		for (let from = 0; from + PART <= letters.length; from++) {
			const part = letters.slice(from, from + PART);
			const begins = beginsWith(secret.slice(from, from + PART), from);
			const known = this.parts.get(part);
			this.parts.set(part, {
				begins: begins || known?.begins === true,
				anywhere: anywhere || known?.anywhere === true,
			});
			this.addFours(part);
		}
	}
}

/** Not the same one or two characters only: many IDs contain a row of zeros. */
function isVaried(part: string): boolean {
	return !/^(.)\1*(?:(.)(?:\1|\2)*)?$/is.test(part);
}

/** Letters and digits, or letters whose case changes more often than in `iOSAppKey`. */
function isRandom(part: string): boolean {
	if (new Set(lower(part)).size <= 4) return false;
	return /\d/.test(part)
		? /[a-z]/i.test(part)
		: /[a-z][A-Z].*[a-z][A-Z]/.test(part) && /[A-Z][a-z][A-Z]/.test(part);
}

/** Whether a range is no part of a longer word, in which a short secret would mean something else. */
function standsAlone(letters: string, { from, to }: Range): boolean {
	return !/[a-z\d]/.test(letters[from - 1] ?? '') && !/[a-z\d]/.test(letters[to] ?? '');
}

/** The ranges of a secret that are words, or the characters between words. */
function plainIn(secret: string): Range[] {
	const pieces = [...secret.matchAll(/[a-z\d]+|[^a-z\d]+/gi)];
	const plain = pieces.filter(([piece]) => WORDS.test(piece) || /^[-_.:/]+$/.test(piece));
	return merged(plain.map(({ index, 0: { length } }) => ({ from: index, to: index + length })));
}

function isWithin({ from, to }: Range, ranges: readonly Range[]): boolean {
	return ranges.some((range) => range.from <= from && to <= range.to);
}

/** Ranges in their order, with those that overlap or touch joined. */
function merged(ranges: Range[]): Range[] {
	const result: Range[] = [];
	for (const { from, to } of ranges.sort((a, b) => a.from - b.from)) {
		const last = result.at(-1);
		if (last === undefined || last.to < from) result.push({ from, to });
		else last.to = Math.max(last.to, to);
	}
	return result;
}

/** A secret in hexadecimal, and in base64 for each of the three positions in a group of bytes. */
function encodings(secret: string): string[] {
	const bytes = Buffer.from(secret);
	const groups = [0, 1, 2].map((before) => {
		const whole = Buffer.concat([Buffer.alloc(before), bytes])
			.toString('base64')
			.replace(/={1,2}$/, '');
		// Characters at both ends depend on the neighbouring bytes.
		return whole.slice(
			before === 0 ? 0 : before + 1,
			(before + bytes.length) % 3 === 0 ? undefined : -1,
		);
	});
	return [
		bytes.toString('hex'),
		...groups,
		...groups.map((group) => group.replace(/\+/g, '-').replace(/\//g, '_')),
	];
}

/** A text with its escapes undone. */
interface Reading {
	text: string;
	/** The index of each character, and of the end, in the original text; undefined for the original itself. */
	origins?: Uint32Array;
}

/** Layers of escapes: JSON in JSON in a URL was seen in the logs of proxies. */
const MAX_DEPTH = 3;

const ESCAPE =
	/%(?<url>[0-9a-f]{2})|\\(?:u(?<json>[0-9a-f]{4})|x(?<python>[0-9a-f]{2})|(?<sign>[^a-z0-9\s]))|&(?:#x(?<html>[0-9a-f]{1,5})|#(?<decimal>\d{1,6})|(?<name>amp|lt|gt|quot|apos));/gi;

const ENTITIES: Readonly<Record<string, string>> = {
	amp: '&',
	lt: '<',
	gt: '>',
	quot: '"',
	apos: "'",
};

/** The text with one layer of escapes undone; undefined where there is none. */
function unescaped({ text, origins }: Reading): Reading | undefined {
	if (!/[%\\&]/.test(text)) return undefined;
	const began = new Uint32Array(text.length + 1);
	let undone = '';
	let at = 0;
	const keep = (to: number) => {
		for (let index = at; index < to; index++)
			began[undone.length + index - at] = origins?.[index] ?? index;
		undone += text.slice(at, to);
	};
	for (const match of text.matchAll(ESCAPE)) {
		keep(match.index);
		began[undone.length] = origins?.[match.index] ?? match.index;
		undone += meant(match.groups!);
		at = match.index + match[0].length;
	}
	if (at === 0) return undefined;
	keep(text.length);
	began[undone.length] = origins?.[text.length] ?? text.length;
	return { text: undone, origins: began };
}

/** The character that an escape stands for. */
function meant({
	url,
	json,
	python,
	html,
	sign,
	decimal,
	name,
}: Record<string, string | undefined>): string {
	if (sign !== undefined) return sign;
	if (name !== undefined) return ENTITIES[name.toLowerCase()]!;
	const hex = url ?? json ?? python ?? html;
	return String.fromCharCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
}

/** Where to start masking so that a whole escape goes: half of one would break the JSON around it. */
function beforeEscape(text: string, from: number): number {
	const backslashes = /\\{0,8}$/.exec(text.slice(Math.max(0, from - 8), from))![0].length;
	return backslashes % 2 === 1 ? from - 1 : from;
}
