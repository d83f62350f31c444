/** The forms of secrets that are searched for, and the search: linear, with one look at every fifth character. */
import { toRelevantCharacters, unescapeText } from './escapes';
import type { CharacterSet, TextBuffer } from './escapes';
import { isOrdinaryText } from './ordinary-text';

/** The secrets of a credential, ready for the search. */
export interface SecretPatterns {
	/** There is nothing to find. */
	isEmpty: boolean;
	/** Characters of the shortest text that may contain a part of a secret. */
	minLength: number;
	/** Characters of the longest form. */
	maxLength: number;
	/** Forms that are secret as a whole: plain, without their own escapes, and in base64. */
	forms: readonly string[];
	/** The characters that matter in an escape. */
	relevant: CharacterSet;
	/** Codes of the first characters of the forms. */
	firstCodes: ReadonlySet<number>;
	/**
	 * Forms whose stretches are secret as well: keys, and not what contains one. A server may quote the beginning of a key:
	 * "Malformed token provided: sk-lm-J9Fa6fbC..." (LM Studio).
	 */
	stretchable: readonly string[];
	/**
	 * @returns the ranges of all forms in a text, of all stretches from {@link MIN_STRETCH} characters on that are not
	 * ordinary text, and of beginnings before "..." and ends after it.
	 */
	find(text: TextBuffer): Range[];
}

/** Of a text that contains a secret. */
export type Range = [from: number, to: number];

/** Characters of the shortest part of a key that is masked. */
const MIN_STRETCH = 8;

/** Characters that are compared first. */
const GRAM = 4;

/** Each stretch contains a whole gram that begins at a multiple of this. */
const STEP = MIN_STRETCH - GRAM + 1;

/** How many equal grams of the forms are compared: only a key that repeats itself has more. */
const MAX_OCCURRENCES = 64;

interface Form {
	text: string;
	codes: Uint16Array;
	/** Whether its stretches are secret. */
	isStretchable: boolean;
	/** Whether a stretch is ordinary text, by its start and length: the same one may be found often. */
	ordinary: Map<number, boolean>;
}

/** Where a gram occurs in the forms. */
interface Occurrence {
	form: Form;
	/** Index of the form. */
	index: number;
	offset: number;
}

/** The grams of all forms. */
interface GramIndex {
	/** Whether a gram with this short hash may occur. It rules out most texts without a look at the map. */
	mayOccur: Uint8Array;
	/** By the hash of a gram. */
	occurrences: ReadonlyMap<number, readonly Occurrence[]>;
}

/** Prepares the search for secrets. */
export function compileSecrets(secrets: readonly string[]): SecretPatterns {
	const forms = toForms(secrets);
	const index = indexGrams(forms);
	return {
		isEmpty: forms.length === 0,
		minLength: MIN_STRETCH,
		maxLength: forms.reduce((longest, { text }) => Math.max(longest, text.length), 0),
		forms: forms.map(({ text }) => text),
		relevant: toRelevantCharacters(forms.map(({ text }) => text)),
		firstCodes: new Set(forms.map(({ text }) => text.charCodeAt(0))),
		stretchable: forms.filter(({ isStretchable }) => isStretchable).map(({ text }) => text),
		find: (text) => find(text, index),
	};
}

function toForms(secrets: readonly string[]): Form[] {
	const stretchableByText = new Map<string, boolean>();
	for (const secret of secrets) {
		// A stretch of "Bearer KEY" or "user:password" may be one of its other words.
		const isPair = secrets.some((other) => other !== secret && secret.endsWith(`:${other}`));
		const isKey = !isPair && !/\s/.test(secret);
		for (const text of toPlainForms(secret)) stretchableByText.set(text, isKey);
		for (const text of [...toOtherCases(secret), ...toBase64Forms(secret)])
			if (!stretchableByText.has(text)) stretchableByText.set(text, false);
	}
	return [...stretchableByText]
		.filter(([text]) => text.length >= MIN_STRETCH)
		.map(([text, isStretchable]) => {
			const codes = Uint16Array.from({ length: text.length }, (_one, at) => text.charCodeAt(at));
			return { text, codes, isStretchable, ordinary: new Map() };
		});
}

/** A key may itself look escaped: it is searched for as it is, and without each layer. */
function toPlainForms(secret: string): string[] {
	const forms = [secret];
	for (let text = unescapeText(secret); text !== undefined && forms.length < 5;) {
		if (text.length >= MIN_STRETCH) forms.push(text);
		text = unescapeText(text);
	}
	// As a field of a form; as UTF-8 that was read as Latin-1.
	if (secret.includes(' ')) forms.push(secret.replaceAll(' ', '+'));
	forms.push(Buffer.from(secret).toString('latin1'));
	return forms;
}

/**
 * A key in other letter case, as a whole. Not a value of words: a text may have them in any case.
 */
function toOtherCases(secret: string): string[] {
	if (!/\d/.test(secret) || /\s/.test(secret)) return [];
	return [secret.toLowerCase(), secret.toUpperCase()];
}

/** The secret at each of the three offsets in base64, in both alphabets, as UTF-8 and as in a header. */
function toBase64Forms(secret: string): string[] {
	return [Buffer.from(secret), Buffer.from(secret, 'latin1')].flatMap((bytes) =>
		[0, 1, 2].flatMap((shift) => {
			const fragment = toBase64Fragment(bytes, shift);
			return [fragment, fragment.replaceAll('+', '-').replaceAll('/', '_')];
		}),
	);
}

/** The base64 characters that only the secret determines, if it begins `shift` bytes after a group of three. */
function toBase64Fragment(secret: Buffer, shift: number) {
	const bytes = Buffer.concat([Buffer.alloc(shift), secret]);
	const letters = bytes.toString('base64').replace(/={1,2}$/, '');
	const isPartial = bytes.length % 3 !== 0;
	return letters.slice(shift === 0 ? 0 : shift + 1, isPartial ? -1 : undefined);
}

function indexGrams(forms: readonly Form[]): GramIndex {
	const occurrences = new Map<number, Occurrence[]>();
	const mayOccur = new Uint8Array(SHORT_HASHES);
	for (const [index, form] of forms.entries()) {
		// All of a form is found by one of its first grams.
		const last = form.isStretchable ? form.codes.length - GRAM : STEP - 1;
		for (let offset = 0; offset <= last; offset++) {
			const gram = hashGram(form.codes, offset);
			const list = occurrences.get(gram) ?? [];
			occurrences.set(gram, list);
			mayOccur[toShortHash(gram)] = 1;
			if (list.length < MAX_OCCURRENCES || offset < STEP) list.push({ form, index, offset });
		}
	}
	return { mayOccur, occurrences };
}

function hashGram(codes: Uint16Array, at: number) {
	return codes[at]! ^ (codes[at + 1]! << 7) ^ (codes[at + 2]! << 14) ^ (codes[at + 3]! << 21);
}

const SHORT_HASHES = 0x10000;

function toShortHash(gram: number) {
	return (gram ^ (gram >>> 13)) & (SHORT_HASHES - 1);
}

const NONE: readonly Occurrence[] = [];

function find(text: TextBuffer, { mayOccur, occurrences }: GramIndex) {
	const { codes, length } = text;
	const ranges: Range[] = [];
	/** By form: the stretch that was compared last. */
	const compared: Stretch[] = [];
	for (let at = 0; at + GRAM <= length; at += STEP) {
		const gram = hashGram(codes, at);
		if (mayOccur[toShortHash(gram)] === 0) continue;
		for (const occurrence of occurrences.get(gram) ?? NONE) {
			const { form, index, offset } = occurrence;
			const last = compared[index];
			if (last !== undefined && at < last.to && at - offset === last.from - last.start) continue;
			const stretch = findAround(text, at, occurrence);
			compared[index] = stretch;
			if (stretch.to - stretch.from >= MIN_STRETCH && isSecretPart(text, stretch, form))
				addRange(ranges, stretch);
		}
	}
	return ranges;
}

/** One range for adjacent ones: a text may consist of parts of a key. */
function addRange(ranges: Range[], { from, to }: Stretch) {
	const last = ranges.at(-1);
	if (last !== undefined && from >= last[0] && from <= last[1]) last[1] = Math.max(last[1], to);
	else ranges.push([from, to]);
}

/** A range in which a text agrees with a form. */
interface Stretch {
	from: number;
	to: number;
	/** Index of its first character in the form. */
	start: number;
}

/** The stretch around a place of a text. */
function findAround({ codes, length }: TextBuffer, at: number, occurrence: Occurrence): Stretch {
	const { offset } = occurrence;
	const form = occurrence.form.codes;
	const first = Math.min(at, offset);
	let before = 0;
	while (before < first && codes[at - before - 1] === form[offset - before - 1]) before++;
	const longest = Math.min(length - at, form.length - offset);
	let after = 0;
	while (after < longest && codes[at + after] === form[offset + after]) after++;
	return { from: at - before, to: at + after, start: offset - before };
}

function isSecretPart(text: TextBuffer, { from, to, start }: Stretch, form: Form) {
	const isStart = start === 0;
	const isEnd = start + to - from === form.text.length;
	if (isStart && isEnd) return true;
	if (!form.isStretchable) return false;
	if (!isOrdinaryStretch(form, start, start + to - from)) return true;
	return (
		(isStart && DOTS_AFTER.test(text.slice(to, Math.min(to + 2, text.length)))) ||
		(isEnd && DOTS_BEFORE.test(text.slice(Math.max(0, from - 2), from)))
	);
}

const DOTS_AFTER = /^(?:\.\.|…|\*\*|••)/;

const DOTS_BEFORE = /(?:\.\.|…|\*\*|••)$/;

/** Letters of the shortest part of joined words that is longer than a word. */
const MIN_JOINED_WORDS = 16;

const LETTERS = /^\p{L}*$/u;

const ALPHANUMERIC = /[\p{L}\p{N}]/u;

function isOrdinaryStretch({ text, ordinary }: Form, from: number, to: number): boolean {
	const key = from * text.length + to;
	const known = ordinary.get(key);
	if (known !== undefined) return known;
	const isOrdinary = !isPartOfGroup(text, from, to) && isOrdinaryText(text.slice(from, to));
	ordinary.set(key, isOrdinary);
	return isOrdinary;
}

/**
 * Whether letters are a part of longer ones in the key, and more than one word, or next to a sign: "-pqrstuvw" of
 * "abc-pqrstuvwx" is the key's, and "password-" of "my-password-1" is in many texts.
 */
function isPartOfGroup(key: string, from: number, to: number) {
	const [first, last] = [from + (isSign(key[from]!) ? 1 : 0), to - (isSign(key[to - 1]!) ? 1 : 0)];
	if (!LETTERS.test(key.slice(first, last))) return false;
	const length = last - first;
	// With the sign, which makes it the key's.
	if (length < MIN_STRETCH) return true;
	if (length === to - from && length < MIN_JOINED_WORDS) return false;
	return ALPHANUMERIC.test(key.charAt(first - 1)) || ALPHANUMERIC.test(key.charAt(last));
}

const isSign = (character: string) => !ALPHANUMERIC.test(character);
