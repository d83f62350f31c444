/** A rejection as adaptations read it: names of fields in places, and the words of a topic in its sentences. */
import type { ServerError } from '../errors/server-error';
import { removeEchoes } from '../errors/echoes';
import type { DecisionTopic } from './decision-words';
import { DECISION_WORDS } from './decision-words';
import type { NamedPlace, SentRequest } from './named-fields';
import { findPlaces, toPlainName } from './named-fields';

/** An error response as adaptations read it. */
export interface Rejection {
	status: number;
	/** Type and code of the error, by which the server names it. */
	codes: readonly string[];
	/** Whether its codes or fields say that the prompt does not fit into the context. */
	isOfContext: boolean;
	/** Whether the same request was sent twice in this exchange: then it was not rejected by chance. */
	isRepeated: boolean;
	/** Whether the response names a field, or a name inside of one, in a place. */
	names(field: string): boolean;
	/** The names in places of the response, in its order. */
	getNames(): readonly string[];
	/** Those of fields that were sent. */
	getSentNames(): readonly string[];
	/** Whether a sentence of the response contains a word of each topic. */
	says(...topics: readonly DecisionTopic[]): boolean;
	/** Whether a sentence contains a word of the topic and none of the others. */
	saysOnly(topic: DecisionTopic, others: readonly DecisionTopic[]): boolean;
	/** Whether the response calls a field unknown or unsupported: in the sentence that names it, or beside the message. */
	refuses(field: string): boolean;
	/**
	 * The names that are rejected together with one: in the same list, as LiteLLM writes them, or as issues of their own, each with
	 * its place before its message, as pydantic does. Others in the sentence may be those that the server supports.
	 */
	getNamesBeside(name: string): readonly string[];
}

/** What is read. */
export interface RejectedBody extends SentRequest {
	error: ServerError;
	/** See `Rejection`. */
	isRepeated: boolean;
}

/** A rejection for adaptations. What the message repeats word for word of what others wrote in the request is not of the server. */
export function toRejection({ error, body, textsOfOthers, isRepeated }: RejectedBody): Rejection {
	const serverText = removeEchoes(error.serverText ?? '', textsOfOthers);
	const places = findPlaces({ serverText, facts: error.facts }, body);
	const sentences = toSentences(serverText, places);
	const { codes = [] } = error.report ?? {};
	const isRefusal = ({ topics }: Pick<Sentence, 'topics'>) => topics.has('unsupported');
	return {
		status: error.report?.status ?? 0,
		codes,
		isOfContext: error.report?.isOfContext === true,
		isRepeated,
		names: (field) =>
			places.some(({ name, innerName }) => [name, innerName].includes(toPlainName(field))),
		getNames: () => [...new Set(places.map(({ name }) => name))],
		getSentNames: () => places.filter(({ isSent }) => isSent).map(({ name }) => name),
		says: (...topics) =>
			sentences.some((sentence) => topics.every((topic) => sentence.topics.has(topic))),
		saysOnly: (topic, others) =>
			sentences.some(
				({ topics }) => topics.has(topic) && !others.some((other) => topics.has(other)),
			),
		refuses: (field) => {
			const isField = ({ name }: NamedPlace) => name === toPlainName(field);
			const isBeside = places.some((place) => place.index === undefined && isField(place));
			const others = codes.map((code) => ({ topics: findTopics(code.split(/[^a-z]+/i)) }));
			return isBeside
				? [...sentences, ...others].some(isRefusal)
				: sentences.some((sentence) => isRefusal(sentence) && sentence.places.some(isField));
		},
		getNamesBeside: (name) => {
			const place = places.find((candidate) => candidate.name === name);
			const inList = places.filter(
				({ listIndex }) => listIndex !== undefined && listIndex === place?.listIndex,
			);
			const issues = sentences.filter(isRefusal).flatMap(({ issue = [] }) => issue);
			const isIssue = issues.some((issue) => issue.name === name);
			const names = [...inList, ...(isIssue ? issues : [])].map((other) => other.name);
			return [...new Set(names)].filter((other) => other !== name);
		},
	};
}

/** A part of a message. */
interface Sentence {
	/** Of which it contains a word. */
	topics: ReadonlySet<DecisionTopic>;
	places: readonly NamedPlace[];
	/** The place with which it begins. */
	issue: NamedPlace | undefined;
}

/** Between sentences, and between the issues that `error-body.ts` joins. */
const SENTENCE_END = /(?<=[.!?;])\s+/;

const WORD = /[\p{L}\p{N}_]+/gu;

function toSentences(text: string, places: readonly NamedPlace[]): Sentence[] {
	const inText = places.flatMap(({ index, ...place }) =>
		index === undefined ? [] : [{ ...place, index }],
	);
	let end = 0;
	let next = 0;
	return text.split(SENTENCE_END).map((sentence) => {
		const begin = text.indexOf(sentence, end);
		end = begin + sentence.length;
		const first = next;
		while (next < inText.length && inText[next]!.index < end) next += 1;
		const inside = inText.slice(first, next);
		const words = [...sentence.matchAll(WORD)].map(([word]) => word);
		return {
			topics: findTopics(words, inside),
			places: inside,
			issue: inside.find(({ index }) => index === begin),
		};
	});
}

const TOPIC_BY_WORD: ReadonlyMap<string, DecisionTopic> = new Map(
	DECISION_WORDS.filter(({ isOnlyInPlaces }) => !isOnlyInPlaces).map(({ word, topic }) => [
		word,
		topic,
	]),
);

/** All words, which count in places. */
const TOPIC_BY_NAME: ReadonlyMap<string, DecisionTopic> = new Map(
	DECISION_WORDS.map(({ word, topic }) => [word, topic]),
);

function findTopics(
	words: readonly string[],
	places: readonly NamedPlace[] = [],
): ReadonlySet<DecisionTopic> {
	return new Set([
		...words.flatMap((word) => TOPIC_BY_WORD.get(word.toLowerCase()) ?? []),
		...places.flatMap(({ name }) => TOPIC_BY_NAME.get(name) ?? []),
	]);
}
