/** Reads the answers of embedding routes by their content. Pure. */
import { textIndexes } from '../servers/answer-indexes';
import { isRecord, optional, plainNumber, recordOf } from '../values';

/** Vectors in the order of the texts. A value that is not a number becomes NaN. */
export interface Embedded {
	vectors: number[][];
	/** Tokens of all texts together, where the server counts them. */
	tokens?: number;
}

/** What is wrong with an answer; `index` of the text in the request. */
export interface Fault {
	fault: string;
	/** What to do, where that is known. */
	remedy?: string;
	index?: number;
	/** How many numbers a vector has, and how many it should have, where those differ. */
	sizes?: { length: number; expected: number };
}

const POOLING_REMEDY =
	'The server returns one vector for each token. Start the server with --pooling mean, cls or last, as the model wants.';

/**
 * The vectors of an answer, one for each of `count` texts. Known forms: `{data: [{index, embedding}]}` (OpenAI's),
 * `{embeddings: [[…]]}` (Ollama), `{embedding: […]}`, `[[…]]` (Text Embeddings Inference), `[{index, embedding:
 * [[…]]}]` (llama.cpp's own).
 */
export function readEmbeddings(json: unknown, count: number): Embedded | Fault {
	const list = listIn(json);
	if (list === undefined) return { fault: 'the answer holds no embeddings' };
	if (list.length !== count)
		return {
			fault: `${count} ${count === 1 ? 'text was' : 'texts were'} sent, but ${list.length} vectors came back`,
		};
	const ordered = inOrder(list);
	if (ordered === undefined)
		return {
			fault:
				'the indexes of the vectors are incomplete or repeated, so nobody can tell which text each belongs to',
		};
	const vectors: number[][] = [];
	for (const [index, entry] of ordered.entries()) {
		const vector = readVector(isRecord(entry) ? entry.embedding : entry);
		if (!Array.isArray(vector)) return { ...vector, index };
		vectors.push(vector);
	}
	const tokens = tokensIn(json);
	return { vectors, ...optional({ tokens }) };
}

function listIn(json: unknown): unknown[] | undefined {
	if (Array.isArray(json)) return json as unknown[];
	if (!isRecord(json)) return undefined;
	const list = [json.data, json.embeddings].find((one) => Array.isArray(one));
	if (list !== undefined) return list as unknown[];
	return 'embedding' in json ? [json] : undefined;
}

/** Undefined where some indexes are missing, repeated or out of range. Without any, the position counts. */
function inOrder(list: unknown[]): unknown[] | undefined {
	if (!list.some(hasIndex)) return list;
	const ordered = new Map<number, unknown>();
	for (const [position, index] of textIndexes(list, list.length).entries())
		if (index !== undefined) ordered.set(index, list[position]);
	const positions = [...list.keys()];
	const isComplete = positions.every((position) => ordered.has(position));
	return isComplete ? positions.map((position) => ordered.get(position)) : undefined;
}

function hasIndex(entry: unknown): boolean {
	const { index, text_index: textIndex } = recordOf(entry);
	return (index ?? textIndex ?? null) !== null;
}

function readVector(value: unknown): number[] | Fault {
	if (typeof value === 'string')
		return fromBase64(value) ?? { fault: 'a vector is neither a list of numbers nor base64' };
	if (!Array.isArray(value)) return { fault: 'a vector is not a list of numbers' };
	const [first] = value as unknown[];
	if (Array.isArray(first) && value.length === 1) return readVector(first);
	if (Array.isArray(first))
		return { fault: `${value.length} vectors came back for one text`, remedy: POOLING_REMEDY };
	if (value.length === 0) return { fault: 'a vector is empty' };
	return value.map(readNumber);
}

function readNumber(entry: unknown): number {
	return typeof entry === 'number' ? entry : (plainNumber(entry) ?? NaN);
}

const BYTES = 4;

/** Little-endian 32-bit floats, as all servers send them. */
function fromBase64(text: string): number[] | undefined {
	const bytes = Buffer.from(text, 'base64');
	if (bytes.length === 0 || bytes.length % BYTES !== 0) return undefined;
	return Array.from({ length: bytes.length / BYTES }, (_none, position) =>
		bytes.readFloatLE(position * BYTES),
	);
}

function tokensIn(json: unknown): number | undefined {
	const { usage, prompt_eval_count: evaluated } = recordOf(json);
	const { prompt_tokens: prompt, total_tokens: total } = recordOf(usage);
	return [prompt, total, evaluated].find((value) => typeof value === 'number');
}
