/** The forms of secrets that are searched for, and the search: linear, with one look at every fifth character. */
import { unescapeText } from './escapes';

/** The secrets of a credential, ready for the search. */
export interface SecretPatterns {
	/** There is nothing to find. */
	isEmpty: boolean;
	/** Characters of the shortest text that may contain a part of a secret. */
	minLength: number;
	/** Characters of the longest form. */
	maxLength: number;
	/** All characters of the forms. */
	characters: string;
	/** Forms that are secret as a whole: plain, without their own escapes, and in base64. */
	forms: readonly string[];
	/**
	 * Forms whose stretches are secret as well: keys that are not made of words. A server may quote the beginning of a key:
	 * "Malformed token provided: sk-lm-J9Fa6fbC..." (LM Studio).
	 */
	stretchable: readonly string[];
	/**
	 * @returns the ranges of all forms in a text, of all stretches from {@link MIN_STRETCH} characters on that do not look
	 * like words, and of beginnings before "..." and ends after it.
	 */
	find(text: string): Array<[from: number, to: number]>;
}

/** Characters of the shortest part of a key that is masked. */
const MIN_STRETCH = 8;

/** Characters that are compared first. */
const GRAM = 4;

/** Each stretch contains a whole gram that begins at a multiple of this. */
const STEP = MIN_STRETCH - GRAM + 1;

/** How many occurrences of a form with equal grams are compared: those at the beginning find all of it. */
const MAX_OCCURRENCES = 16;

interface Form {
	text: string;
	/** Whether its stretches are secret. */
	isStretchable: boolean;
	/** Whether its beginning and end are, next to dots. */
	isAbbreviable: boolean;
}

/** Where a gram occurs in the forms. */
interface Occurrence {
	form: Form;
	offset: number;
}

/** Prepares the search for secrets. */
export function compileSecrets(secrets: readonly string[]): SecretPatterns {
	const forms = toForms(secrets);
	const occurrences = indexGrams(forms);
	return {
		isEmpty: forms.length === 0,
		minLength: MIN_STRETCH,
		maxLength: forms.reduce((longest, { text }) => Math.max(longest, text.length), 0),
		characters: [...new Set(forms.flatMap(({ text }) => [...text]))].join(''),
		forms: forms.map(({ text }) => text),
		stretchable: forms.filter(({ isAbbreviable }) => isAbbreviable).map(({ text }) => text),
		find: (text) => find(text, occurrences),
	};
}

function toForms(secrets: readonly string[]): Form[] {
	const forms = new Map<string, Form>();
	for (const secret of secrets) {
		// A stretch of "Bearer KEY" or "user:password" may be one of its other words.
		const isPair = secrets.some((other) => other !== secret && secret.endsWith(`:${other}`));
		const isWhole = !isPair && !/[\s;,]/.test(secret);
		for (const text of toPlainForms(secret))
			forms.set(text, {
				text,
				isStretchable: isWhole && !isReadable(secret),
				isAbbreviable: isWhole,
			});
		for (const text of toBase64Forms(secret))
			if (!forms.has(text)) forms.set(text, { text, isStretchable: false, isAbbreviable: false });
	}
	return [...forms.values()].filter(({ text }) => text.length >= MIN_STRETCH);
}

/** A key may itself look escaped: it is searched for as it is, and without each layer. */
function toPlainForms(secret: string): string[] {
	const forms = [secret];
	for (let text = unescapeText(secret)?.text; text !== undefined && forms.length < 5;) {
		if (text.length >= MIN_STRETCH) forms.push(text);
		text = unescapeText(text)?.text;
	}
	// As a field of a form; as UTF-8 that was read as Latin-1.
	if (secret.includes(' ')) forms.push(secret.replaceAll(' ', '+'));
	forms.push(Buffer.from(secret).toString('latin1'));
	return forms;
}

/** Words, numbers, versions and sizes: "llama-3.1-8b-key", "correct4horse". A capital within a word is not of a word. */
const WORD =
	/^(?:(?:[A-Z]?[a-z]*|[A-Z]+)\d{0,4}|\d+[A-Za-z]{0,2}|[A-Za-z]\d+[A-Za-z]|[A-Z]?[a-z]+\d[a-z]+)$/;

/** A stretch of such a key may be a word or the name of a model, which must not be masked. */
function isReadable(secret: string) {
	return secret.split(/[^\p{L}\p{N}]+/u).every((part) => WORD.test(part));
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

function indexGrams(forms: readonly Form[]) {
	const occurrences = new Map<number, Occurrence[]>();
	for (const form of forms)
		for (let offset = 0; offset + GRAM <= form.text.length; offset++) {
			const gram = hashGram(form.text, offset);
			const list = occurrences.get(gram) ?? [];
			occurrences.set(gram, list);
			if (list.length < MAX_OCCURRENCES || offset < STEP) list.push({ form, offset });
		}
	return occurrences;
}

function hashGram(text: string, at: number) {
	return (
		text.charCodeAt(at) ^
		(text.charCodeAt(at + 1) << 7) ^
		(text.charCodeAt(at + 2) << 14) ^
		(text.charCodeAt(at + 3) << 21)
	);
}

function find(text: string, occurrencesByGram: ReadonlyMap<number, readonly Occurrence[]>) {
	const ranges: Array<[number, number]> = [];
	/** By form: the shift between it and the text that was compared last, and up to where. */
	const compared = new Map<Form, { shift: number; end: number }>();
	for (let at = 0; at + GRAM <= text.length; at += STEP)
		for (const { form, offset } of occurrencesByGram.get(hashGram(text, at)) ?? []) {
			const last = compared.get(form);
			if (last?.shift === at - offset && at < last.end) continue;
			const [from, to] = findAround(text, at, form.text, offset);
			compared.set(form, { shift: at - offset, end: to });
			if (to - from >= MIN_STRETCH && isSecretPart(text, from, to, form, from - at + offset))
				ranges.push([from, to]);
		}
	return ranges;
}

/** The range around a position where a text agrees with a form. */
function findAround(text: string, at: number, form: string, offset: number): [number, number] {
	const first = Math.min(at, offset);
	let before = 0;
	while (before < first && text[at - before - 1] === form[offset - before - 1]) before++;
	const longest = Math.min(text.length - at, form.length - offset);
	let length = 0;
	while (length < longest && text[at + length] === form[offset + length]) length++;
	return length < GRAM ? [at, at] : [at - before, at + length];
}

/** Whether a stretch is secret. `start`: its index in the form. */
function isSecretPart(text: string, from: number, to: number, form: Form, start: number) {
	const isStart = start === 0;
	const isEnd = start + to - from === form.text.length;
	if (isStart && isEnd) return true;
	if (form.isStretchable && isRandom(text.slice(from, to))) return true;
	if (!form.isAbbreviable) return false;
	return (
		(isStart && DOTS_AFTER.test(text.slice(to, to + 2))) ||
		(isEnd && DOTS_BEFORE.test(text.slice(Math.max(0, from - 2), from)))
	);
}

const DOTS_AFTER = /^(?:\.\.|…|\*\*|••)/;

const DOTS_BEFORE = /(?:\.\.|…|\*\*|••)$/;

/** Letters and digits, or a capital in the middle of a word. */
function isRandom(stretch: string) {
	return (/\d/.test(stretch) && /\p{L}/u.test(stretch)) || /\p{Ll}\p{Lu}/u.test(stretch);
}
