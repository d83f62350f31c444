import { resultOf } from '../generators';
import { append } from '../values';
import {
	backslash,
	ENCODINGS,
	ESCAPES,
	originsOf,
	textsOf,
	unescape,
	unseen,
	type Encoding,
	type Escape,
} from './encodings';

/** From this length on, a secret matches nothing but itself, and is masked wherever it occurs. */
export const MIN_CERTAIN_KEY_LENGTH = 16;

/** Shorter parts of a secret are no secret. */
const MIN_PART = 8;
/** A part of this length is masked, however long the secret is. */
const MAX_PART = 16;
/** Encodings within encodings: JSON in JSON in a URL was seen in the logs of proxies. */
const MAX_DEPTH = 3;

/** Characters that are searched in one go: a million escapes take half a second. */
const MAX_SLICE = 24_576;
/** Of each slice, so many are searched again with the next one: a secret may stand across its end. */
export const OVERLAP = 8192;

const MAX_REMEMBERED = 500;
const MAX_REMEMBERED_LENGTH = 100;

/** Texts among decoded bytes: most readings of an encoding are noise, in which nothing is encoded again. */
const TEXT_RUNS = /[\t\n\r\x20-\x7e]{4,}/g;

/** A range of a text, `to` not included. */
interface Range {
	from: number;
	to: number;
}

/** Masks one secret: the whole of it, and each part of half its length. */
class Secret {
	private readonly letters: string;
	/** Length of the shortest part that is masked. */
	private readonly minPart: number;
	/** A short secret may be a piece of another word. */
	private readonly isShort: boolean;
	/** Every part of `minPart` characters holds one of these. */
	private readonly pieces: Array<{ offset: number; letters: string }> = [];

	constructor(private readonly text: string) {
		this.letters = lower(text);
		this.isShort = text.length < MIN_CERTAIN_KEY_LENGTH;
		this.minPart = minPartOf(text);
		const length = Math.floor((this.minPart + 1) / 2);
		for (let offset = 0; offset + length <= text.length; offset += length)
			this.pieces.push({ offset, letters: this.letters.slice(offset, offset + length) });
	}

	/** @param text in small letters */
	find(text: string): Range[] {
		const ranges: Range[] = [];
		for (const { offset, letters } of this.pieces)
			for (let at = text.indexOf(letters); at >= 0; at = text.indexOf(letters, at + 1)) {
				const range = this.grow(text, at, offset);
				if (this.isMasked(text, range, offset - (at - range.from))) ranges.push(range);
			}
		return ranges;
	}

	/** The longest part of the secret around a character, which is at `offset` in the secret. */
	private grow(text: string, at: number, offset: number): Range {
		const shift = offset - at;
		let from = at;
		while (from > 0 && from + shift > 0 && text[from - 1] === this.letters[from - 1 + shift])
			from--;
		let to = at;
		while (to < text.length && text[to] === this.letters[to + shift]) to++;
		return { from, to };
	}

	private isMasked(text: string, { from, to }: Range, offset: number): boolean {
		const length = to - from;
		if (length < this.minPart) return false;
		if (this.isShort && (isWordCharacter(text[from - 1]) || isWordCharacter(text[to])))
			return false;
		return length === this.text.length || !isWords(this.text.slice(offset, offset + length));
	}
}

/** Half of the secret. A space separates a key from its scheme; the key alone is among the secrets, too. */
function minPartOf(secret: string): number {
	if (secret.length <= MIN_PART || /\s/.test(secret)) return secret.length;
	return Math.min(Math.max(Math.ceil(secret.length / 2), MIN_PART), MAX_PART);
}

/** Words and a number: masking "llama-server" because of "our-llama-server-7f3aPq81" would garble texts. */
function isWords(part: string): boolean {
	return part.replace(/[A-Z]?[a-z]{2,}|[A-Z]{2,}|[^A-Za-z\d]|(?<!\d)\d+$/g, '') === '';
}

function isWordCharacter(character = ''): boolean {
	return /[a-z\d]/.test(character);
}

/** In small letters, of the same length: İ is the one letter that becomes two. */
function lower(text: string): string {
	return text.replaceAll('İ', 'i').toLowerCase();
}

/** Masks the secrets of one credential in texts. */
export class SecretMask {
	private readonly secrets: Secret[];
	/**
	 * Texts without a secret in an encoding: every event of a stream repeats its IDs. Digits of hexadecimal are letters of
	 * base64, too, so each encoding has its own.
	 */
	private readonly open = new Map(ENCODINGS.map((encoding) => [encoding, new Set<string>()]));
	/**
	 * What was found in the text that is being masked, and in all that it decodes to: the same text comes out of its
	 * escapes in whatever order they are decoded.
	 */
	private readonly searched = new Map<string, { depth: number; ranges: Range[] }>();

	constructor(secrets: readonly string[]) {
		this.secrets = secrets.filter((secret) => secret !== '').map((secret) => new Secret(secret));
	}

	/** The text with `***` in place of every secret and every part of one. */
	mask(text: string): string {
		return resultOf(this.maskInSlices(text));
	}

	/** The same, which yields between two slices of a long text. */
	*maskInSlices(text: string): Generator<void, string> {
		let masked = '';
		let end = 0;
		for (const { from, to } of yield* this.findInSlices(text)) {
			masked += `${text.slice(end, beforeBackslash(text, from))}***`;
			end = to;
		}
		return masked + text.slice(end);
	}

	private *findInSlices(text: string): Generator<void, Range[]> {
		const ranges: Range[] = [];
		for (let start = 0; ; start += MAX_SLICE - OVERLAP) {
			const slice = text.slice(start, start + MAX_SLICE);
			for (const { from, to } of this.findReceived(slice))
				ranges.push({ from: start + from, to: start + to });
			this.searched.clear();
			if (start + MAX_SLICE >= text.length) return merged(ranges);
			yield;
		}
	}

	/** The JSON in which most servers send does not count as an encoding. */
	private findReceived(text: string): Range[] {
		// First, since this finds all that the other search finds behind the same escapes.
		const inJson = this.findBehind(text, backslash, MAX_DEPTH);
		return [...inJson, ...this.find(text, MAX_DEPTH)];
	}

	/** @param depth how many encodings within one another are still decoded */
	private find(text: string, depth: number): Range[] {
		const known = this.searched.get(text);
		if (known !== undefined && known.depth >= depth) return known.ranges;
		const ranges = this.findWritten(text);
		if (depth > 0) {
			append(ranges, this.findEscaped(text, depth));
			append(ranges, this.findEncoded(text, depth));
		}
		const result = merged(ranges);
		this.searched.set(text, { depth, ranges: result });
		return result;
	}

	/** Secrets as they are, in no encoding. */
	private findWritten(text: string): Range[] {
		const letters = lower(text);
		return this.secrets.flatMap((secret) => secret.find(letters));
	}

	private findEscaped(text: string, depth: number): Range[] {
		return [...ESCAPES, unseen].flatMap((escape) => this.findBehind(text, escape, depth - 1));
	}

	private findBehind(text: string, escape: Escape, depth: number): Range[] {
		const decoded = unescape(text, escape);
		const ranges = decoded === undefined ? [] : this.find(decoded, depth);
		if (ranges.length === 0) return [];
		const origins = originsOf(text, escape);
		return ranges.map(({ from, to }) => ({ from: origins[from]!, to: origins[to]! }));
	}

	private findEncoded(text: string, depth: number): Range[] {
		const ranges: Range[] = [];
		for (const encoding of ENCODINGS)
			for (const { 0: encoded, index } of text.matchAll(encoding.pattern))
				if (this.holdsSecret(encoded, encoding, depth))
					ranges.push({ from: index, to: index + encoded.length });
		return ranges;
	}

	private holdsSecret(encoded: string, encoding: Encoding, depth: number): boolean {
		const { maxLength, decode } = encoding;
		const open = this.open.get(encoding)!;
		if (encoded.length > maxLength || open.has(encoded)) return false;
		const readings = decode(encoded).flatMap(textsOf);
		if (readings.some((reading) => this.findWritten(reading).length > 0)) return true;
		const texts = readings.flatMap((reading) => reading.match(TEXT_RUNS) ?? []);
		if (texts.some((text) => this.find(text, depth - 1).length > 0)) return true;
		if (depth === MAX_DEPTH) remember(encoded, open);
		return false;
	}
}

function remember(encoded: string, open: Set<string>): void {
	if (encoded.length > MAX_REMEMBERED_LENGTH) return;
	if (open.size >= MAX_REMEMBERED) open.clear();
	open.add(encoded);
}

/** Half an escape would break the JSON around it. */
function beforeBackslash(text: string, from: number): number {
	let backslashes = 0;
	while (text[from - 1 - backslashes] === '\\') backslashes++;
	return from - (backslashes % 2);
}

/** Ranges in their order, with those that overlap or touch joined. */
function merged(ranges: Range[]): Range[] {
	const result: Range[] = [];
	for (const { from, to } of ranges.sort((one, other) => one.from - other.from)) {
		const last = result.at(-1);
		if (last === undefined || last.to < from) result.push({ from, to });
		else last.to = Math.max(last.to, to);
	}
	return result;
}
