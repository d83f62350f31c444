/**
 * Replaces the words of an error response by made-up words, as if another server had written it. What the product decides
 * may not change with them.
 *
 * What stays: status and headers; the shape, also of JSON and Python's notation inside a sentence; codes and types; places
 * of fields; names of exceptions; names of fields that were sent, in quotation marks or in a path, and every name with a `_`; the name of the
 * model; numbers, IDs, addresses; the decision words of `lib/exchange/decision-words.ts`; and a text that is only the phrase
 * of a status, which is no sentence.
 */
import { isStatusPhrase } from '../../../lib/errors/status-phrase';
import { DECISION_WORDS } from '../../../lib/exchange/decision-words';
import { isUtf8 } from 'node:buffer';

export interface Rewording {
	/** The same seed makes the same words. */
	seed: number;
	/** Names of fields that were sent. */
	fields?: readonly string[];
	/** Names that stay as they are: models. */
	names?: readonly string[];
}

/** Keys whose texts are sentences; all others are facts. */
const SENTENCE_KEY =
	/^(?:error_?)?(?:message|msg|description|details?|errors?|reason|issues|hint|raw|err)$/i;

/** A sentence at the top only: Dify's nodes have titles as well. */
const TOP_SENTENCE_KEY = /^title$/i;

/** Keys of facts inside a list or object of sentences. */
const FACT_KEY =
	/^(?:\w*type|\w*code|\w*url|param|loc|path|field|input|ctx|object|event|status|id|model|failed_generation)$/i;

const ANYWHERE = new Set(
	DECISION_WORDS.filter(({ isOnlyInPlaces = false }) => !isOnlyInPlaces).map(({ word }) => word),
);
const IN_PLACES = new Set(DECISION_WORDS.map(({ word }) => word));

/** A body in the bytes in which it arrived. What is not valid UTF-8 stays. */
export function rewordBytes(body: Buffer, rewording: Rewording): Buffer {
	const encoding = isUtf8(body) ? 'utf8' : 'latin1';
	const hasOnlyAscii = encoding === 'latin1';
	return Buffer.from(rewordBody(body.toString(encoding), rewording, hasOnlyAscii), encoding);
}

/** A body of any form: JSON, events, lines, a page, a text. */
export function reword(body: string, rewording: Rewording): string {
	return rewordBody(body, rewording, false);
}

function rewordBody(body: string, rewording: Rewording, isOnlyAscii: boolean): string {
	const words = createWords(rewording, isOnlyAscii);
	const trimmed = body.trimStart();
	if (/^[-{["\dfnt]/.test(trimmed) && isJson(body)) return rewordJson(body, words);
	if (isEventStream(trimmed)) return rewordLines(body, words);
	if (trimmed.startsWith('<')) return rewordPage(body, words);
	return rewordText(body, words);
}

function isJson(text: string): boolean {
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}

const EVENT_FIELD = /^(?:data|event|id|retry)?:/;

function isEventStream(trimmed: string): boolean {
	const lines = trimmed.slice(0, 4_096).split('\n', 2);
	return EVENT_FIELD.test(lines[0]!) || (lines.length > 1 && isJson(lines[0]!));
}

/** Server-sent events, or a JSON object a line. */
function rewordLines(body: string, words: Words): string {
	return body.replace(
		/^(data: ?)?([{["].*?)(\r?)$/gm,
		(line, field = '', json: string, end: string) =>
			isJson(json) ? `${field}${rewordJson(json, words)}${end}` : line,
	);
}

/** Between the tags; not scripts, styles and comments. */
function rewordPage(page: string, words: Words): string {
	return page.replace(
		/<!--[^]*?(?:-->|$)|<(script|style)\b[^]*?(?:<\/\1>|$)|<[^<>]*>|[^<]+|</gi,
		(part) => (part.startsWith('<') ? part : rewordText(part, words)),
	);
}

/** A container of JSON that is open. */
interface Container {
	/** Its texts are sentences, unless their own key is that of a fact. */
	isSentence: boolean;
	isList: boolean;
	key: string;
}

const JSON_TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[[\]{}]/gs;

/** Only texts change; every other byte stays. */
function rewordJson(json: string, words: Words): string {
	const open: Container[] = [];
	let key = '';
	const isSentence = (): boolean => {
		const container = open.at(-1);
		if (container === undefined) return true;
		if (container.isList) return container.isSentence;
		if (SENTENCE_KEY.test(key) || (open.length === 1 && TOP_SENTENCE_KEY.test(key))) return true;
		return container.isSentence && !FACT_KEY.test(key);
	};
	/** A message that is an object is one of a chat. */
	const isChatMessage = (): boolean => open.at(-1)?.isList === false && key === 'message';
	return json.replace(JSON_TOKEN, (token: string, colon: string | undefined) => {
		if (token === '{' || token === '[') {
			const isList = token === '[';
			const isInside = open.length === 0 ? isList : isSentence() && (isList || !isChatMessage());
			open.push({ isSentence: isInside, isList, key });
			return token;
		}
		if (token === '}' || token === ']') {
			key = open.pop()?.key ?? '';
			return token;
		}
		if (colon === undefined) return isSentence() ? rewordLiteral(token, words) : token;
		key = JSON.parse(token.slice(0, -colon.length)) as string;
		return token;
	});
}

/** A text of JSON with its quotation marks, escaped as it was. */
function rewordLiteral(literal: string, words: Words): string {
	const text = JSON.parse(literal) as string;
	const written = JSON.stringify(
		isJsonObject(text) ? rewordJson(text, words) : rewordText(text, words),
	);
	const slashes = literal.includes(String.raw`\/`)
		? written.replaceAll('/', String.raw`\/`)
		: written;
	if (!/\\u[0-9a-f]{4}/i.test(literal)) return slashes;
	return slashes.replace(/[\u0080-\uffff<>&']/g, (character) =>
		/[<>&']/.test(character) && literal.includes(character)
			? character
			: `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
	);
}

const isJsonObject = (text: string): boolean => /^\s*[{[]/.test(text) && isJson(text);

/** Addresses; IDs; what is in quotation marks, with the colon of a key; paths and names; words. */
const PART =
	/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b|\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>]+|(['"`])([\w.[\]-]{1,80})\1(\s{0,2}:)?|[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*(?:(?:\.|\[)[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*\]?)*/giu;

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$|^(?=\D*\d)[0-9a-f]{16,}$/i;

/** The name of an exception, which is a code: `litellm.BadRequestError`. */
const EXCEPTION = /^[\w.]*[A-Z]\w*(?:Error|Exception)$/;

function rewordText(text: string, words: Words): string {
	if (isStatusPhrase(text)) return text;
	const { rewording } = words;
	const names = (rewording.names ?? []).filter((name) => name !== '');
	if (names.length === 0) return rewordParts(text, words);
	const pattern = new RegExp(
		names.map((name) => name.replace(/[^\w\s]/g, String.raw`\$&`)).join('|'),
		'g',
	);
	let at = 0;
	const parts: string[] = [];
	for (const match of text.matchAll(pattern)) {
		parts.push(rewordParts(text.slice(at, match.index), words), match[0]);
		at = match.index + match[0].length;
	}
	return parts.join('') + rewordParts(text.slice(at), words);
}

const PLACE_OF_ISSUE = /^([\w.]+)\n {2}(?=\S)/gm;

function rewordParts(text: string, words: Words): string {
	/** Names that are a line of their own: places. */
	const lines = new Set(text.split('\n').map((line) => line.trim()));
	/** Places in the text of pydantic, before an indented line, as `loc` in its JSON. */
	const issues = new Set(Array.from(text.matchAll(PLACE_OF_ISSUE), ([, place]) => place));
	const rewordPlace = (place: string): string =>
		place.replace(WORD, (word) => words.replace(word, true));
	/** The last key of Python's or JSON's notation inside the sentence. */
	let key = '';
	return text.replace(PART, (part: string, ...groups: unknown[]) => {
		const [quote, quoted = '', colon, at] = groups as [string?, string?, string?, number?];
		if (part.includes('://') || ID.test(part) || EXCEPTION.test(part)) return part;
		if (quote === undefined) {
			if (key !== 'loc') key = '';
			if (issues.has(part)) return part;
			return /[.[]/.test(part) || lines.has(part)
				? rewordPlace(part)
				: part.replace(WORD, (word) => words.replace(word, false));
		}
		if (colon !== undefined && /[{,]\s?$/.test(text.slice(Math.max(0, at! - 2), at))) {
			key = quoted;
			return part;
		}
		const isFact = FACT_KEY.test(key);
		if (key !== 'loc') key = '';
		return isFact ? part : `${quote}${rewordPlace(quoted)}${quote}${colon ?? ''}`;
	});
}

const WORD = /[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*/gu;

/** Makes words up. */
interface Words {
	rewording: Rewording;
	/** @param isInPlace - In quotation marks or in a path. */
	replace(word: string, isInPlace: boolean): string;
}

function createWords(rewording: Rewording, isOnlyAscii: boolean): Words {
	const fields = new Set(rewording.fields ?? []);
	const known = new Map<string, string>();
	const stays = (word: string, isInPlace: boolean): boolean => {
		if (word.includes('_') || /^\p{N}+$/u.test(word)) return true;
		if (isInPlace && fields.has(word)) return true;
		return (isInPlace ? IN_PLACES : ANYWHERE).has(word.toLowerCase());
	};
	return {
		rewording,
		replace(word, isInPlace) {
			if (stays(word, isInPlace)) return word;
			let madeUp = known.get(word);
			if (madeUp === undefined)
				known.set(word, (madeUp = makeUp(word, rewording.seed, isOnlyAscii)));
			return madeUp;
		},
	};
}

/** Letters of which no sentence is made: without vowels, or rare. Of the same number of bytes in UTF-8 each. */
const LETTERS: ReadonlyArray<readonly [script: RegExp, letters: string]> = [
	[/^[a-z]$/i, 'bcdfghjklmnpqrtvwxz'],
	[/^[\u00c0-\u024f]$/, 'çðñøþß'],
	[/^\p{Script=Cyrillic}$/u, 'бвгджзклмнпрт'],
	[/^\p{Script=Greek}$/u, 'βγδζθκλμνξ'],
	[/^\p{Script=Han}$/u, '堇崾嵎帔彘惝揆搛昃朐梴棻樾氍洧淏'],
	[/^\p{Script=Hiragana}$/u, 'ぬねのひふへほむめもゆ'],
	[/^\p{Script=Katakana}$/u, 'ヌネノヒフヘホムメモユ'],
	[/^\p{Script=Hangul}$/u, '갗덫뫼붚숯쩝췻콫튝팥헿'],
	[/^\p{Script=Arabic}$/u, 'ثجخذضظغ'],
	[/^\p{Script=Hebrew}$/u, 'גזטסצק'],
	[/^\p{Script=Devanagari}$/u, 'घङझञठढथ'],
	[/^\p{Script=Thai}$/u, 'ฆฌฎฏฐฑฒ'],
];

/** FNV-1a. */
function hash(text: string, seed: number): number {
	let value = 2_166_136_261 ^ seed;
	for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 16_777_619);
	return value >>> 0;
}

/** A word of the same length, script and capitals. */
function makeUp(word: string, seed: number, isOnlyAscii: boolean): string {
	let state = hash(word.toLowerCase(), seed) || 1;
	const next = (): number => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state >>> 8;
	};
	return Array.from(word, (character) => {
		if (!/^\p{L}$/u.test(character) || (isOnlyAscii && character > '\u007f')) return character;
		const letters = LETTERS.find(([script]) => script.test(character))?.[1];
		if (letters === undefined) return nextLetter(character, next());
		const others = [...letters].filter((letter) => letter !== character.toLowerCase());
		const letter = others[next() % others.length]!;
		const isCapital = character !== character.toLowerCase();
		const capital = letter.toUpperCase();
		return isCapital && capital.length === letter.length ? capital : letter;
	}).join('');
}

/** Another letter of a script without a row: one of the same block of sixteen. */
function nextLetter(character: string, random: number): string {
	const codePoint = character.codePointAt(0)!;
	for (let step = 0; step < 15; step++) {
		const other = String.fromCodePoint(codePoint ^ (1 + ((random + step) % 15)));
		if (/^\p{L}$/u.test(other) && Buffer.byteLength(other) === Buffer.byteLength(character))
			return other;
	}
	return character;
}
