/** Vectors and scores that depend on the text alone (docs/protocols/llama-server.md 2.8, 2.9). */
import { featureDisabled, invalidRequest, llamaError, serverError } from './errors';
import type { Json } from './generate';
import type { Settings } from './options';

/** A unit vector from the text: each character adds to one dimension. */
export function embed(text: string, dimensions: number): number[] {
	const vector = Array.from({ length: dimensions }, () => 0);
	let state = 17;
	for (const char of text) {
		state = (Math.imul(state, 31) + char.codePointAt(0)!) >>> 0;
		vector[state % dimensions]! += (state & 1) === 0 ? 1 : -0.5;
	}
	const length = Math.hypot(...vector);
	// An empty text has a vector too, from the special tokens.
	if (length === 0) return vector.map((_value, at) => (at === 0 ? 1 : 0));
	return vector.map((value) => Math.fround(value / length));
}

/** Common words add to the score, others subtract. */
function scoreDocument(query: string, document: string): number {
	const splitWords = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
	const words = splitWords(document);
	const queryWords = new Set(splitWords(query));
	const common = words.filter((word) => queryWords.has(word)).length;
	return common * 2.5 - words.length * 0.25 - 1;
}

const toTexts = (value: unknown): string[] => [value ?? []].flat().map(String);

const countTokens = (texts: readonly string[]): number =>
	texts.reduce((sum, text) => sum + text.length, 0);

function assertBatch(texts: readonly string[], settings: Settings): void {
	const { batch = Infinity } = settings.embeddings ?? {};
	const tooLong = texts.find((text) => text.length > batch);
	if (tooLong === undefined) return;
	throw serverError(
		`input (${tooLong.length} tokens) is too large to process. increase the physical batch size (current batch size: ${batch})`,
	);
}

export function embeddingsResponse(body: Json, settings: Settings): object {
	const { profile, embeddings, alias } = settings;
	if (profile === 'llama-server' && embeddings === undefined)
		throw featureDisabled('This server does not support embeddings. Start it with `--embeddings`');
	const texts = toTexts(body.input);
	if (texts.includes('')) throw invalidRequest('Input content cannot be empty');
	assertBatch(texts, settings);
	const vectors = texts.map((text) => embed(text, embeddings?.dimensions ?? 8));
	const inBase64 = (vector: number[]) =>
		Buffer.from(Float32Array.from(vector).buffer).toString('base64');
	const tokens = countTokens(texts);
	return {
		model: body.model ?? alias,
		object: 'list',
		usage: { prompt_tokens: tokens, total_tokens: tokens },
		data: vectors.map((vector, index) => ({
			object: 'embedding',
			index,
			embedding: body.encoding_format === 'base64' ? inBase64(vector) : vector,
		})),
	};
}

/** A question of System One: `noul` (yes or no), `choice` or `score`. */
interface WireQuestion {
	type?: string;
	instructions?: string;
	criteria?: Record<string, unknown> | unknown[];
}

/** The first option has the highest probability, and what the state names is certain. */
export function decideResponse({ state, questions, model }: Json, settings: Settings): object {
	const { decisions, alias } = settings;
	if (!decisions)
		throw llamaError(501, 'This model is not a decision model', 'not_supported_error');
	const text = typeof state === 'string' ? state : JSON.stringify(state);
	const answers = Object.entries(questions as Record<string, WireQuestion>).map(
		([name, question]) => [name, answer(question, text)] as const,
	);
	return {
		model: model ?? alias,
		answers: Object.fromEntries(answers),
		usage: { input_tokens: countTokens([text]), output_tokens: 0 },
	};
}

function answer({ type, instructions = '', criteria = {} }: WireQuestion, text: string): object {
	if (type === 'noul') return { type, noul: text.includes(instructions) ? 1 : 0.25 };
	const names = Object.keys(criteria);
	const named = names.findIndex((name) => text.includes(name));
	const values = names.map((_name, at) => {
		if (named >= 0) return Number(at === named);
		return at === 0 ? 1 - (names.length - 1) * 0.001 : 0.001;
	});
	const probabilities = Object.fromEntries(names.map((name, at) => [name, values[at]!]));
	const confidence = named >= 0 ? 1 : 0.5;
	if (type === 'choice')
		return { type, choice: names[Math.max(named, 0)], probabilities, confidence };
	const score = values.reduce((sum, value, at) => sum + value * at, 0);
	const legend = Object.fromEntries(Object.entries(criteria));
	return { type: 'score', score, legend, probabilities, confidence };
}

export function rerankResponse(body: Json, settings: Settings): object {
	const { profile, rerank, alias } = settings;
	if (profile === 'llama-server' && !rerank)
		throw featureDisabled('This server does not support reranking. Start it with `--reranking`');
	const query = String(body.query);
	const documents = toTexts(body.documents);
	assertBatch(
		documents.map((document) => query + document),
		settings,
	);
	const tokens = countTokens([query, ...documents]);
	const results = documents
		.map((document, index) => ({ index, relevance_score: scoreDocument(query, document) }))
		.sort((one, other) => other.relevance_score - one.relevance_score)
		.slice(0, typeof body.top_n === 'number' ? body.top_n : documents.length);
	return {
		model: body.model ?? alias,
		object: 'list',
		usage: { prompt_tokens: tokens, total_tokens: tokens },
		results,
	};
}
