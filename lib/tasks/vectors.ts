/** Parses and validates vectors, since a vector store would keep an invalid one permanently. Pure. */
import type { VectorIssue } from '../errors/facts';
import type { Steps } from '../http/steps';
import type { JsonRecord } from '../values/records';
import { asArray, asNonEmptyString, findList, isRecord, asRecord } from '../values/records';
import { parseJson } from '../values/json';
import { parseNumber } from '../values/numbers';

/** What is wrong with the vectors of a response. */
export interface UnusableVectors {
	issue: VectorIssue;
	/** Position of the text in the request, if the issue is about one. */
	position?: number;
}

/**
 * Parses vectors: `{data: [{index, embedding}]}` of OpenAI's API, `{embeddings: [[…]]}` of Ollama, or another form. Each vector
 * is a step.
 *
 * @param count - Number of texts that were sent.
 * @returns the vectors in the order of the texts, all with the same dimensions, or what is wrong with them.
 */
export function* parseVectors(
	json: JsonRecord | unknown[],
	count: number,
): Steps<number[][] | UnusableVectors> {
	const found = findEntries(json);
	if (!found) return { issue: { kind: 'missing' } };
	const list = typeof found[0] === 'number' ? [found] : found;
	if (list.length !== count)
		return { issue: { kind: 'count', sent: count, received: list.length } };
	const ordered = sortByIndex(list);
	if (!ordered) return { issue: { kind: 'indexes' } };
	return yield* parseEntries(ordered);
}

/**
 * The entries of a response: the list under a known name, otherwise its only list of objects or lists
 * (some name it after the task).
 *
 * @returns undefined if there is none, or if one of several cannot be told from the others
 */
export function findEntries(json: unknown): unknown[] | undefined {
	const named = findList(json, LIST_NAMES);
	if (named) return named;
	const [only, ...others] = collectLists(json);
	return others.length === 0 ? only : undefined;
}

/** Lists of objects or of lists, which may be inside of objects. */
function collectLists(value: unknown, depth = 3): unknown[][] {
	if (Array.isArray(value)) {
		const hasEntries = value.every((entry) => isRecord(entry) || Array.isArray(entry));
		return value.length > 0 && hasEntries ? [value as unknown[]] : [];
	}
	if (!isRecord(value) || depth === 0) return [];
	return Object.values(value).flatMap((inner) => collectLists(inner, depth - 1));
}

/** Names of lists and of what contains them: OpenAI, Ollama, TEI, and servers behind gateways. */
const LIST_NAMES: string[] = [
	'data',
	'results',
	'embeddings',
	'embedding',
	'vectors',
	'vector',
	'rankings',
	'scores',
	'result',
	'output',
	'predictions',
	'values',
	'float',
	'dense',
];

function* parseEntries(entries: unknown[]): Steps<number[][] | UnusableVectors> {
	const vectors: number[][] = [];
	for (const [position, entry] of entries.entries()) {
		const value = isRecord(entry)
			? (asNonEmptyString(entry.embedding) ?? findList(entry, LIST_NAMES))
			: entry;
		const vector = parseVector(value);
		if (!Array.isArray(vector)) return { issue: vector, position };
		const issue = findVectorIssue(vector, vectors[0]?.length ?? vector.length);
		if (issue) return { issue, position };
		vectors.push(vector);
		yield;
	}
	return vectors;
}

/** Undefined if indexes are missing, duplicated or out of range. Without indexes, the position counts. */
function sortByIndex(list: unknown[]) {
	const indexes = matchTextIndexes(list, list.length);
	if (indexes.every((index) => index === undefined)) return list;
	const ordered = new Map(indexes.map((index, at) => [index, list[at]]));
	const isComplete = list.every((_entry, at) => ordered.has(at));
	return isComplete ? list.map((_entry, at) => ordered.get(at)) : undefined;
}

function parseVector(value: unknown): number[] | VectorIssue {
	if (typeof value === 'string' && value.startsWith('[')) return parseVector(parseJson(value));
	if (typeof value === 'string') return decodeVector(value) ?? { kind: 'notBase64' };
	const entries = asArray(value);
	const inner = entries.find((entry) => typeof entry === 'object' && entry !== null);
	if (inner !== undefined) return { kind: entries.some(Array.isArray) ? 'several' : 'sparse' };
	const numbers = entries.map((entry) => parseNumber(entry) ?? NaN);
	return numbers.length > 0 ? numbers : { kind: 'notNumbers' };
}

const BYTES = 4;

/** Decodes little-endian 32-bit floats, as all servers send them. */
function decodeVector(text: string) {
	const bytes = Buffer.from(text, 'base64');
	if (bytes.length === 0 || bytes.length % BYTES !== 0) return undefined;
	return Array.from({ length: bytes.length / BYTES }, (_none, at) => bytes.readFloatLE(at * BYTES));
}

function findVectorIssue(vector: number[], expected: number): VectorIssue | undefined {
	const dimensions = vector.length;
	if (dimensions !== expected) return { kind: 'dimensions', dimensions, expected };
	let isZero = true;
	for (const value of vector) {
		// Vector stores keep 32-bit numbers.
		const float32 = Math.fround(value);
		if (!Number.isFinite(float32)) return { kind: 'notFinite' };
		isZero &&= float32 === 0;
	}
	return isZero ? { kind: 'zeros' } : undefined;
}

/** Vectors of an embedding model have more numbers than zeros. */
const MIN_NON_ZERO_SHARE = 0.1;

/** Warns about vectors that are nearly empty: llama-server sends a few numbers of its memory between the zeros of a reranker. */
export function getZeroWarnings(vectors: readonly number[][]): string[] {
	return vectors.some(isNearlyEmpty)
		? [
				'Nearly all numbers of some vectors are zero. If searches find the wrong texts, the model may be a reranker: choose an embedding model.',
			]
		: [];
}

/** It reads no further than to the number that shows that it is not. */
function isNearlyEmpty(vector: readonly number[]): boolean {
	const enough = vector.length * MIN_NON_ZERO_SHARE;
	let nonZeros = 0;
	for (const value of vector) {
		if (Math.fround(value) !== 0) nonZeros++;
		if (nonZeros >= enough) return false;
	}
	return vector.length > 0;
}

/** Tokens of the request; undefined if the server does not count them. */
export function parseTokenCount(json: unknown): number | undefined {
	const { usage, prompt_eval_count: evaluated } = asRecord(json);
	const { prompt_tokens: prompt, total_tokens: total } = asRecord(usage);
	return [prompt, total, evaluated].find((value) => typeof value === 'number');
}

/**
 * Keeps the first numbers of a vector and normalizes them, for models trained for it (Matryoshka). A shorter vector is
 * returned unchanged.
 *
 * @param dimensions - How many numbers to keep. Undefined: all.
 */
export function truncateVector(vector: number[], dimensions: number | undefined): number[] {
	if (dimensions === undefined || vector.length <= dimensions) return vector;
	const shortVector = vector.slice(0, dimensions);
	// All at once would be more arguments than a function takes.
	const length = shortVector.reduce((sum, value) => Math.hypot(sum, value), 0);
	return length === 0 ? shortVector : shortVector.map((value) => value / length);
}

/**
 * Matches the entries of a response to the texts. Servers send the index as a number or as text, from 0 or from 1, under
 * several names.
 *
 * @param count - Number of texts that were sent.
 * @returns the index (from 0) of the text of each entry; undefined if it cannot be read.
 */
export function matchTextIndexes(
	entries: readonly unknown[],
	count: number,
): (number | undefined)[] {
	const indexes = entries.map((entry) => parseNumber(getValueByName(asRecord(entry), INDEX_NAMES)));
	// Counting from 1 is assumed only if the response is complete: otherwise a too large index is an error.
	const isFromOne = indexes.length === count && indexes.includes(count) && !indexes.includes(0);
	return indexes.map((index) => (isFromOne && index !== undefined ? index - 1 : index));
}

const INDEX_NAMES = ['index', 'textindex', 'documentindex', 'corpusid'];

/**
 * The value under the first of several names, in snake case, camel case (servers in Java) or capitals (in C#).
 *
 * @param names - In lower case, without underscores.
 * @returns undefined if the record has none of them, or null there
 */
export function getValueByName(record: JsonRecord, names: readonly string[]): unknown {
	const values = new Map(
		Object.entries(record).map(([name, value]) => [name.replaceAll('_', '').toLowerCase(), value]),
	);
	return names.map((name) => values.get(name) ?? undefined).find((value) => value !== undefined);
}
