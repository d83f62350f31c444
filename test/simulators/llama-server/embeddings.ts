/**
 * Embeddings and reranking (docs/protocols/llama-server.md 2.8, 2.9): vectors and scores that depend on the text alone.
 */
import type { Json } from './chat';
import {
	kvCacheFull,
	invalidRequest,
	largerThanContext,
	featureDisabled,
	serverError,
	wrongType,
} from './errors';
import { Float, single, typeName } from './json';
import type { Settings } from './options';
import { countOf } from './text';

/** A unit vector from the text: each character adds to one dimension. */
export const embed = (text: string, dimensions: number): number[] => {
	const vector = Array.from({ length: dimensions }, () => 0);
	let state = 17;
	for (const char of text) {
		state = (Math.imul(state, 31) + char.codePointAt(0)!) >>> 0;
		vector[state % dimensions]! += (state & 1) === 0 ? 1 : -0.5;
	}
	// An empty text has a vector too, from the special tokens.
	if (Math.hypot(...vector) === 0) vector[0] = 1;
	const length = Math.hypot(...vector);
	return vector.map((value) => Math.fround(value / length));
};

interface Input {
	text: string;
	tokens: number;
}

const BAD_PROMPT =
	'"prompt" elements must be a string, a list of tokens, a JSON object containing a prompt string, ' +
	'or a list of mixed strings & tokens.';

const oneInput = (value: unknown, settings: Settings): Input => {
	if (typeof value !== 'string') throw serverError(BAD_PROMPT);
	return { text: value, tokens: countOf(value, settings) };
};

const inputs = (value: unknown, settings: Settings): Input[] => {
	if (Array.isArray(value) && value.length === 0) throw serverError('"prompt" must not be empty');
	return [value].flat().map((item) => oneInput(item, settings));
};

const checkSizes = (list: readonly Input[], { embeddings, nCtx }: Settings): void => {
	const { batch, pooling, encoder } = embeddings!;
	for (const { tokens } of list) {
		// Causal models process a long text in several batches.
		if (pooling === 'last' && !encoder) {
			if (tokens > nCtx) throw kvCacheFull(tokens, nCtx);
			continue;
		}
		if (tokens > batch) {
			throw serverError(
				`input (${tokens} tokens) is too large to process. increase the physical batch size (current batch size: ${batch})`,
			);
		}
		if (tokens > nCtx) throw largerThanContext(tokens, nCtx);
	}
};

const base64 = (vector: readonly number[]): string =>
	Buffer.from(Float32Array.from(vector).buffer).toString('base64');
const floats = (vector: readonly number[]): Float[] => vector.map(single);

/** Vector of a text; those of a reranker are empty. */
const vectorOf = (text: string, { embeddings, rerank: ranks }: Settings): number[] => {
	const { dimensions, nan } = embeddings!;
	if (nan || ranks) return Array.from({ length: dimensions }, () => (nan ? NaN : 0));
	return embed(text, dimensions);
};

/** Body of an embeddings route, given the parsed request. */
export const embeddings = (body: Json, native: boolean, settings: Settings): object => {
	if (!settings.embeddings) {
		throw featureDisabled('This server does not support embeddings. Start it with `--embeddings`');
	}
	const { pooling } = settings.embeddings;
	if (!native && pooling === 'none') {
		throw invalidRequest(
			"Pooling type 'none' is not OAI compatible. Please use a different pooling type",
		);
	}
	const input = body.input === undefined ? body.content : body.input;
	if (input === undefined) throw invalidRequest('"input" or "content" must be provided');
	const plain = native || body.input === undefined;
	const format = body.encoding_format;
	if (format !== undefined && typeof format !== 'string')
		throw wrongType('string', typeName(format));
	if (format !== undefined && format !== 'float' && format !== 'base64') {
		throw invalidRequest('The format to return the embeddings in. Can be either float or base64');
	}
	const list = inputs(input, settings);
	if (list.some(({ tokens }) => tokens === 0))
		throw invalidRequest('Input content cannot be empty');
	checkSizes(list, settings);
	if (plain) {
		return list.map(({ text, tokens }, index) => {
			const perToken =
				pooling === 'none'
					? [...text].map((char) => vectorOf(char, settings))
					: [vectorOf(text, settings)];
			return { index, embedding: perToken.slice(0, Math.max(1, tokens)).map(floats) };
		});
	}
	const total = list.reduce((sum, { tokens }) => sum + tokens, 0);
	return {
		model: typeof body.model === 'string' ? body.model : settings.alias,
		object: 'list',
		usage: { prompt_tokens: total, total_tokens: total },
		data: list.map(({ text }, index) =>
			format === 'base64'
				? {
						embedding: base64(vectorOf(text, settings)),
						index,
						object: 'embedding',
						encoding_format: 'base64',
					}
				: { embedding: floats(vectorOf(text, settings)), index, object: 'embedding' },
		),
	};
};

/** A raw score: common words add, other words subtract, so it is mostly negative. */
export const relevance = (query: string, document: string): number => {
	const splitWords = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
	const queryWords = new Set(splitWords(query));
	const found = splitWords(document);
	const shared = found.filter((word) => queryWords.has(word)).length;
	return Math.fround(shared * 2.5 - found.length * 0.25 - 1);
};

/** Body of a rerank route, given the parsed request. */
export const rerank = (body: Json, settings: Settings): object => {
	if (!settings.rerank)
		throw featureDisabled('This server does not support reranking. Start it with `--reranking`');
	const { query, return_text: returnText, top_n: topN } = body;
	if (query === undefined) throw invalidRequest('"query" must be provided');
	if (typeof query !== 'string') throw invalidRequest('"query" must be a string');
	const tei = body.texts !== undefined;
	const strings = (value: unknown): string[] =>
		Array.isArray(value) && value.every((item) => typeof item === 'string')
			? (value as string[])
			: [];
	const documents = strings(body.documents ?? body.texts);
	if (documents.length === 0) throw invalidRequest('"documents" must be a non-empty string array');
	const pairs = documents.map((text) => ({
		text,
		tokens: countOf(query, settings) + countOf(text, settings),
	}));
	checkSizes(pairs, settings);
	if (typeof topN === 'number' && topN < 0) throw serverError('vector::_M_default_append');
	const scored = documents
		.map((text, index) => ({ index, score: relevance(query, text), text }))
		.sort((a, b) => b.score - a.score)
		.slice(0, typeof topN === 'number' ? topN : documents.length);
	if (tei) {
		return scored.map(({ index, score, text }) => ({
			index,
			score: single(score),
			...(returnText === true ? { text } : {}),
		}));
	}
	const tokens = pairs.reduce((sum, pair) => sum + pair.tokens, 0);
	return {
		model: typeof body.model === 'string' ? body.model : settings.alias,
		object: 'list',
		usage: { prompt_tokens: tokens, total_tokens: tokens },
		results: scored.map(({ index, score }) => ({ index, relevance_score: single(score) })),
	};
};
