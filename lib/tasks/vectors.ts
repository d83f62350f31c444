/** Vectors of an answer, checked before a vector store gets them: it would keep a bad one for ever. Pure. */
import {
	asArray,
	isRecord,
	type JsonRecord,
	omitUndefined,
	parseNumber,
	asRecord,
} from '../values';

/** Vectors in the order of the texts. */
interface Vectors {
	vectors: number[][];
	/** Tokens of all texts together, where the server counts them. */
	tokens?: number;
}

/** What is wrong with an answer; `index` of the text in the request. */
export interface VectorIssue {
	message: string;
	/** What to do, where that is known. */
	suggestion?: string;
	index?: number;
}

/**
 * The vectors of an answer, one for each of `count` texts: `{data: [{index, embedding}]}` of OpenAI's API, or
 * `{embeddings: [[…]]}` of Ollama.
 *
 * @param length how many numbers the vectors of this model have, once one was seen
 */
export function parseVectors(
	json: JsonRecord | unknown[],
	count: number,
	length: number | undefined,
): Vectors | VectorIssue {
	const { data, embeddings } = asRecord(json);
	const list = data ?? embeddings;
	if (!Array.isArray(list)) return { message: 'the response contains no embeddings' };
	if (list.length !== count)
		return {
			message: `${count} ${count === 1 ? 'text was' : 'texts were'} sent, but ${list.length} vectors were returned`,
		};
	const ordered = inOrder(list);
	if (ordered === undefined)
		return {
			message:
				'the vector indexes are incomplete or duplicated, so vectors cannot be matched to texts',
		};
	const read = readAll(ordered, length);
	if ('message' in read) return read;
	return { vectors: read, ...omitUndefined({ tokens: parseTokenCount(asRecord(json)) }) };
}

/** @param length how many numbers each has; undefined: as many as the first */
function readAll(
	entries: readonly unknown[],
	length: number | undefined,
): number[][] | VectorIssue {
	const vectors: number[][] = [];
	for (const [index, entry] of entries.entries()) {
		const vector = readVector(isRecord(entry) ? entry.embedding : entry);
		if (!Array.isArray(vector)) return { ...vector, index };
		const fault = findVectorIssue(vector, length ?? vectors[0]?.length ?? vector.length);
		if (fault !== undefined) return { ...fault, index };
		vectors.push(vector);
	}
	return vectors;
}

/** Undefined where some indexes are missing, repeated or out of range. Without any, the position counts. */
function inOrder(list: unknown[]): unknown[] | undefined {
	const indexes = matchTextIndexes(list, list.length);
	if (indexes.every((index) => index === undefined)) return list;
	const ordered = new Map(indexes.map((index, at) => [index, list[at]]));
	const isComplete = list.every((_entry, at) => ordered.has(at));
	return isComplete ? list.map((_entry, at) => ordered.get(at)) : undefined;
}

function readVector(value: unknown): number[] | VectorIssue {
	if (typeof value === 'string')
		return decodeVector(value) ?? { message: 'a vector is neither an array of numbers nor base64' };
	const numbers = asArray(value).map((entry) => parseNumber(entry) ?? NaN);
	return numbers.length > 0
		? numbers
		: { message: 'a vector is not an array of numbers, or is empty' };
}

const BYTES = 4;

/** Little-endian 32-bit floats, as all servers send them. */
function decodeVector(text: string): number[] | undefined {
	const bytes = Buffer.from(text, 'base64');
	if (bytes.length === 0 || bytes.length % BYTES !== 0) return undefined;
	return Array.from({ length: bytes.length / BYTES }, (_none, at) => bytes.readFloatLE(at * BYTES));
}

function findVectorIssue(vector: readonly number[], expected: number): VectorIssue | undefined {
	if (vector.length !== expected)
		return {
			message: `a vector has ${vector.length} dimensions while the others have ${expected}`,
			suggestion:
				'The server seems to use another model than before. Select the model by name, and insert all documents again.',
		};
	let others = 0;
	for (const value of vector) {
		// As vector stores keep them: in 32 bits.
		const stored = Math.fround(value);
		if (!Number.isFinite(stored))
			return {
				message: 'a vector contains values that are not 32-bit numbers',
				suggestion:
					'The model failed on this text (NaN). Use another quantization (F16 instead of Q4), turn flash attention off, or run the model on the CPU (-ngl 0 or num_gpu 0).',
			};
		if (stored !== 0) others++;
	}
	// Between the zeros of a reranker, llama-server leaves a few numbers of whatever was in its memory.
	if (others * 10 >= vector.length) return undefined;
	return {
		message: 'a vector contains only zeros',
		suggestion:
			'The server is probably running a reranker, or a proxy decoded the response incorrectly. Choose an embedding model.',
	};
}

/** Tokens that a server counted of what it was sent. */
export function parseTokenCount({
	usage,
	prompt_eval_count: evaluated,
}: JsonRecord): number | undefined {
	const { prompt_tokens: prompt, total_tokens: total } = asRecord(usage);
	return [prompt, total, evaluated].find((value) => typeof value === 'number');
}

/**
 * The first `dimensions` numbers of a vector, brought to length 1, as models allow that were trained for it
 * (Matryoshka). A shorter vector is returned as it is.
 */
export function truncateVector(vector: number[], dimensions: number | undefined): number[] {
	if (dimensions === undefined || vector.length <= dimensions) return vector;
	const cut = vector.slice(0, dimensions);
	const length = Math.hypot(...cut);
	return length === 0 ? cut : cut.map((value) => value / length);
}

/**
 * For each entry of an answer, the index (from 0) of the text it belongs to, out of `count` texts; undefined where none
 * can be read. Servers write it as a number or as text, from 0 or from 1, and call it `index` or `text_index`.
 */
export function matchTextIndexes(
	entries: readonly unknown[],
	count: number,
): Array<number | undefined> {
	const indexes = entries.map((entry) => {
		const { index, text_index: named = index } = asRecord(entry);
		return parseNumber(index ?? named);
	});
	// Counting from 1 is assumed only if the answer is complete: otherwise an index too large is an error.
	const isFromOne = indexes.length === count && indexes.includes(count) && !indexes.includes(0);
	return indexes.map((index) => (isFromOne && index !== undefined ? index - 1 : index));
}
