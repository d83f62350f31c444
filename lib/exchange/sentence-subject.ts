/**
 * Finds the fields that a short sentence of a server is about, in the words of people: "Response format must be one of mp3,
 * wav", "speech speed must be between 0.6 and 1.5", "Unsupported audio format: opus". What has a place (`body.n`, `param`)
 * or quotation marks is read by `errors/rejected-fields.ts`. Pure.
 *
 * Sources: GPUStack's vox-box, stable-diffusion.cpp, LocalAI (behind Go's `rpc error: … desc =` and `code=400, message=`),
 * Xinference, vLLM-Omni, Chatterbox, diffusers.
 */
import type { JsonRecord } from '../values/records';
import type { NamedField, RequestFields } from './request-fields';
import { getNames, getSentValue } from './request-fields';

/** A field that a sentence is about. */
export interface SentenceSubject {
	field: NamedField;
	/** The sentence from the name on, without what precedes it. */
	text: string;
	/** Whether the sentence names the field as it is, not as a part of a longer phrase. */
	isExact: boolean;
	/** Whether the sentence rejects the value without a limit: "Unsupported format: opus". */
	isRejectedValue: boolean;
}

/** What precedes a phrase: the beginning, the end of another sentence, a colon, a dash, an equals sign. */
const START = String.raw`(?:^|[.:;,=(–>-]\s{0,2})`;

const ARTICLES = String.raw`(?:the )?(?:values? (?:of|for) )?(?:the )?(?:(?:parameter|field|option|argument|setting) )?`;

/** Up to five words, also in quotation marks. */
const PHRASE = String.raw`['"\x60‘“]?([A-Za-z][\w[\]]{0,60}(?:[. ][A-Za-z]\w{0,30}){0,4}?)['"\x60’”]?`;

/** Between the phrase and what is said of it: the value, or a further noun. */
const VALUE = String.raw`(?: ?\([^()]{0,60}\)| ['"\x60]?\d[^\s'"\x60]{0,20}['"\x60]?| value| parameter| length){0,2}`;

const PREDICATE = String.raw`(?:must|should|has to|have to|cannot|can't|can only|may not|is|are|exceeds?|has|needs?|does not|out of|too)\b`;

const STATEMENT = new RegExp(`${START}${ARTICLES}${PHRASE}${VALUE},? ${PREDICATE}`, 'gi');

/** `Unsupported response format: srt`, `invalid value for 'size'` */
const REJECTION = new RegExp(
	String.raw`\b(?:unsupported|invalid|illegal|unknown|unrecogni[sz]ed) ${ARTICLES}${PHRASE}(?:(?:\s?[:=]\s?|\s(?=['"\x60]))['"\x60]?([^\s'"\x60,;]{1,60}?)['"\x60]?(?=[.,;)]?(?:\s|$))|(?=\s{0,2}(?:[.,;)]|$)))`,
	'gi',
);

/** Subjects that are looked at. */
const MAX_SUBJECTS = 20;

/** The fields that sentences are about, those that are named exactly first. */
export function findSentenceSubjects(
	message: string,
	fields: RequestFields,
	body: JsonRecord,
): SentenceSubject[] {
	const names = toPhrases(fields);
	const statements = [...message.matchAll(STATEMENT)].slice(0, MAX_SUBJECTS).flatMap((match) => {
		const found = findPhrase(match[1] ?? '', names);
		return found
			? [{ ...found, text: message.slice(getStart(match)), isRejectedValue: false }]
			: [];
	});
	const rejections = [...message.matchAll(REJECTION)].slice(0, MAX_SUBJECTS).flatMap((match) => {
		const [, phrase = '', value] = match;
		const text = message.slice(match.index);
		const exact = names.get(toPhrase(phrase));
		const field = exact ?? findByValue({ phrase, value }, names, body);
		return field ? [{ field, text, isExact: true, isRejectedValue: true }] : [];
	});
	return [...statements, ...rejections].sort((a, b) => Number(b.isExact) - Number(a.isExact));
}

/** Where the phrase begins, with its quotation mark. */
function getStart({ 0: text, 1: phrase = '', index }: RegExpExecArray): number {
	const start = text.indexOf(phrase);
	return index + (/['"`‘“]/.test(text.charAt(start - 1)) ? start - 1 : start);
}

/** What users and servers call each field; names of Extra Body override the others. */
function toPhrases({ rows, extraBody = {} }: RequestFields): Map<string, NamedField> {
	const phrases = new Map<string, NamedField>();
	for (const row of rows) {
		if (row.label === undefined) continue;
		// "Sampling: Top K"
		const label = row.label.split(': ').at(-1)!;
		for (const name of [...getNames(row), label])
			phrases.set(toPhrase(name), { name: row.field, row });
	}
	for (const name of Object.keys(extraBody)) phrases.set(toPhrase(name), { name, row: undefined });
	return phrases;
}

/** In lower case, with single spaces: `timestamp_granularities[]` → `timestamp granularities`. */
function toPhrase(words: string): string {
	return words
		.toLowerCase()
		.replace(/[[\]'"`]/g, '')
		.replace(/[_. ]+/g, ' ')
		.trim();
}

/** The field of a phrase, or of its last words: "speech speed", "audio.voice_settings.speed". */
function findPhrase(
	phrase: string,
	names: Map<string, NamedField>,
): Pick<SentenceSubject, 'field' | 'isExact'> | undefined {
	const words = toPhrase(phrase).split(' ');
	for (const at of words.keys()) {
		const part = words.slice(at).join(' ');
		const field = names.get(part) ?? names.get(part.replace(/s$/, ''));
		if (field) return { field, isExact: at === 0 };
	}
	return undefined;
}

/** What a sentence rejects: `audio format`, `opus`. */
interface RejectedValue {
	phrase: string;
	value: string | undefined;
}

/** The only field with this value whose name shares a word with the phrase. */
function findByValue(
	{ phrase, value }: RejectedValue,
	names: Map<string, NamedField>,
	body: JsonRecord,
): NamedField | undefined {
	if (value === undefined) return undefined;
	const words = toPhrase(phrase).split(' ');
	const fields = [...names].flatMap(([name, field]) => {
		const sent = [getSentValue(field, body)].flat();
		const isSent = sent.some((entry) => String(entry).toLowerCase() === value.toLowerCase());
		return isSent && name.split(' ').some((word) => words.includes(word)) ? [field] : [];
	});
	const [first] = fields;
	return fields.every(({ name }) => name === first?.name) ? first : undefined;
}
