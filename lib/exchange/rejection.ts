/** A rejection as adaptations read it: names of fields in places, and decision words that the request did not contain. */
import type { ServerError } from '../errors/server-error';
import { removeEchoes } from '../errors/echoes';
import { getWrapperLength, isUnquoted } from '../errors/quotations';
import { decodeEntities } from '../values/html-entities';
import type { JsonRecord } from '../values/records';
import { normalizeLetters, collectTexts } from '../values/text';
import type { DecisionTopic } from './decision-words';
import { DECISION_WORDS } from './decision-words';
import type { NamedPlace } from './named-fields';
import { findPlaces, toPlainName } from './named-fields';

/** An error response as adaptations read it. */
export interface Rejection {
	status: number;
	/** Type and code of the error, by which the server names it. */
	codes: readonly string[];
	/** Whether the same request was sent twice in this exchange: then it was not rejected by chance. */
	isRepeated: boolean;
	/** Whether the response names a field, or a name inside of one, in a place. */
	names(field: string): boolean;
	/** Where a field is named; undefined if it is not. */
	findName(field: string): Evidence | undefined;
	/** The names in places of the response, in its order. */
	getNames(): readonly string[];
	/** Those of fields that were sent. */
	getSentNames(): readonly string[];
	/** Whether a sentence of the response contains a word of each topic. */
	says(...topics: readonly DecisionTopic[]): boolean;
	/** Whether a sentence contains a word of the topic and none of the others. */
	saysOnly(topic: DecisionTopic, others: readonly DecisionTopic[]): boolean;
	/** Where the response calls a field unknown or unsupported, and not its value; undefined if it does not. */
	findRefusal(field: string, value: unknown): Evidence | undefined;
}

/** A part of a response that says something. */
export interface Evidence {
	/** Nothing before it may be a quotation of what a visitor or a model wrote. */
	isOwn: boolean;
}

/** What is read. */
export interface RejectedBody {
	error: ServerError;
	/** The body that was sent. */
	body: JsonRecord;
	/** See `Rejection`. */
	isRepeated: boolean;
}

/** Between sentences, and between the issues that `error-body.ts` joins. */
const SENTENCE_END = /(?<=[.!?;])\s+/;

/** A rejection for adaptations. */
export function toRejection({ error, body, isRepeated }: RejectedBody): Rejection {
	const texts = collectTexts(Object.values(body));
	const serverText = removeEchoes(error.serverText ?? '', texts);
	const places = findPlaces({ serverText, facts: error.facts }, body);
	const isEcho = createEchoCheck(texts);
	const sentences = toSentences(serverText, places);
	const { codes = [] } = error.report ?? {};
	const has = (sentence: Sentence, topic: DecisionTopic) =>
		findWords(sentence, topic).some((at) => !isEcho(getContext(sentence.text, at)));
	return {
		status: error.report?.status ?? 0,
		codes,
		isRepeated,
		names: (field) =>
			places.some(({ name, innerName }) => [name, innerName].includes(toPlainName(field))),
		findName: (field) => {
			const place = places.find(({ name }) => name === toPlainName(field));
			return place && { isOwn: isOwn(serverText, place.index) };
		},
		getNames: () => [...new Set(places.map(({ name }) => name))],
		getSentNames: () => places.filter(({ isSent }) => isSent).map(({ name }) => name),
		says: (...topics) =>
			sentences.some((sentence) => topics.every((topic) => has(sentence, topic))),
		saysOnly: (topic, others) =>
			sentences.some(
				(sentence) => has(sentence, topic) && !others.some((other) => has(sentence, other)),
			),
		findRefusal: (fieldName, value) => {
			const field = toPlainName(fieldName);
			const isParam = places.some(({ name, index }) => index === undefined && name === field);
			// `unsupported_value` is about the value.
			const words = codes.flatMap((code) => code.split(/[^a-z]+/i));
			if (isParam && !words.includes('value') && words.some(isUnsupported)) return { isOwn: true };
			for (const sentence of sentences) {
				const clause = findClause(sentence, field);
				const [word] = clause ? findWords(clause, 'unsupported') : [];
				if (!clause || !word || isEcho(clause.text) || mentionsValue(clause.rest, value)) continue;
				const fieldAt = clause.text.length - clause.rest.length;
				return { isOwn: isOwn(serverText, clause.from + Math.min(word[0], fieldAt)) };
			}
			return undefined;
		},
	};
}

/** Between sentences and their parts: what follows may be the words of somebody else. */
const ANOTHER_VOICE = /[.!?]\s|\s[-–—]\s/;

/** The bracket of a dictionary or list that begins with a name: `Setting {'top_k': 40}`. */
const OPEN_BRACKET = /[[{(]$/;

/** @param index - Undefined: beside the message */
function isOwn(text: string, index = 0): boolean {
	const before = text.slice(0, index).replace(OPEN_BRACKET, '');
	const start = Math.min(getWrapperLength(text), before.length);
	return isUnquoted(text, before.length) && !ANOTHER_VOICE.test(before.slice(start));
}

/** A part of a message. */
interface Sentence {
	text: string;
	/** Where it begins in the message. */
	from: number;
	/** Places within it, with their indexes in it. */
	places: ReadonlyArray<Required<NamedPlace>>;
}

function toSentences(text: string, places: readonly NamedPlace[]): Sentence[] {
	let start = 0;
	return text.split(SENTENCE_END).map((sentence) => {
		const from = text.indexOf(sentence, start);
		start = from + sentence.length;
		const inside = places.flatMap(({ index = -1, ...place }) =>
			index >= from && index < start ? [{ ...place, index: index - from }] : [],
		);
		return { text: sentence, from, places: inside };
	});
}

/** What a sentence says of a field: from the field before it to the one after it. */
interface Clause extends Sentence {
	/** From the field on. */
	rest: string;
}

function findClause({ text, from, places }: Sentence, field: string): Clause | undefined {
	const sent = places.filter(({ name, isSent }) => isSent || name === field);
	const first = sent.findIndex(({ name }) => name === field);
	if (first < 0) return undefined;
	const { index } = sent[first]!;
	const next = sent.find((place) => place.index > index && place.name !== field);
	const end = next?.index ?? text.length;
	const start = first === 0 ? 0 : index;
	return {
		text: text.slice(start, end),
		rest: text.slice(index, end),
		from: from + start,
		places: [],
	};
}

/** Whether a value is mentioned, not as that of the name in a dictionary: `'top_k': 40`, `input_value=40`. */
function mentionsValue(text: string, value: unknown): boolean {
	if (typeof value !== 'string' && typeof value !== 'number') return false;
	const escaped = String(value).replace(/[^\w\s]/g, String.raw`\$&`);
	return new RegExp(String.raw`(?<![\w.]|[:=]\s?['"]?)${escaped}(?!\w|\.\d)`).test(text);
}

const WORDS_BY_TOPIC: ReadonlyMap<DecisionTopic, ReadonlySet<string>> = new Map(
	[...Map.groupBy(DECISION_WORDS, ({ topic }) => topic)].map(([topic, words]) => [
		topic,
		new Set(words.filter(({ isOnlyInPlaces }) => !isOnlyInPlaces).map(({ word }) => word)),
	]),
);

/** Words that count in places only. */
const WORDS_IN_PLACES: ReadonlyMap<string, DecisionTopic> = new Map(
	DECISION_WORDS.map(({ word, topic }) => [word, topic]),
);

function isUnsupported(word: string): boolean {
	return WORDS_BY_TOPIC.get('unsupported')!.has(word.toLowerCase());
}

const WORD = /[\p{L}\p{N}_]+/gu;

/** Where a part of a message has words of a topic: from, to. */
function findWords({ text, places }: Sentence, topic: DecisionTopic): Array<[number, number]> {
	const words = WORDS_BY_TOPIC.get(topic)!;
	const found = [...text.matchAll(WORD)]
		.filter(([word]) => words.has(word.toLowerCase()))
		.map(({ 0: word, index }): [number, number] => [index, index + word.length]);
	const named = places
		.filter(({ name }) => WORDS_IN_PLACES.get(name) === topic)
		.map(({ index }): [number, number] => [index, index]);
	return [...found, ...named];
}

/** A word with its neighbours: a request may contain the word, and the server mean it. */
function getContext(text: string, [from, to]: readonly [number, number]): string {
	const before = text
		.slice(Math.max(0, from - 40), from)
		.trimEnd()
		.split(/\s/)
		.at(-1)!;
	const after = /^\s*\S*\s*\S{0,40}/.exec(text.slice(to, to + 80))?.[0] ?? '';
	return before + text.slice(from, to) + after;
}

/** Whether a text of the request contains the letters of a part of the message. */
function createEchoCheck(texts: readonly string[]): (part: string) => boolean {
	const getLetters = memoizeOnce(() => texts.flatMap(toLetters));
	return (part) => {
		const found = toLetters(part);
		return getLetters().some((text) => found.some((letters) => text.includes(letters)));
	};
}

/** The letters of a text, also as a server may echo it: with entities of HTML, wide letters, accents. */
function toLetters(text: string): string[] {
	if (!/[&\u0080-\uffff]/.test(text)) return [normalizeLetters(text)].filter(Boolean);
	const decoded = decodeEntities(decodeEntities(text));
	return [...new Set([text, decoded, toBaseLetters(text), toBaseLetters(decoded)])]
		.map(normalizeLetters)
		.filter((letters) => letters !== '');
}

function toBaseLetters(text: string): string {
	return text.normalize('NFKD').replace(/\p{M}/gu, '');
}

function memoizeOnce<V>(derive: () => V): () => V {
	let value: V | undefined;
	return () => (value ??= derive());
}
