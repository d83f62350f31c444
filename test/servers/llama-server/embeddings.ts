/**
 * Embeddings and reranking (docs/protocols/llama-server.md 2.8, 2.9): vectors and scores that depend on the text alone.
 */
import type { Json } from './chat';
import { invalidRequest, notSupported, serverError } from './errors';
import { Float, single } from './json';
import type { Settings } from './options';
import { countTokens } from './text';

/** A unit vector that says something about the text: each character pushes one dimension. */
export const embed = (text: string, dimensions: number): number[] => {
	const vector = Array.from({ length: dimensions }, () => 0);
	let state = 17;
	for (const char of text) {
		state = (Math.imul(state, 31) + char.codePointAt(0)!) >>> 0;
		vector[state % dimensions]! += (state & 1) === 0 ? 1 : -0.5;
	}
	const length = Math.hypot(...vector) || 1;
	return vector.map((value) => Math.fround(value / length));
};

interface Input {
	text: string;
	tokens: number;
}

const BAD_PROMPT =
	'"prompt" elements must be a string, a list of tokens, a JSON object containing a prompt string, ' +
	'or a list of mixed strings & tokens.';

const isTokens = (value: unknown): value is number[] =>
	Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'number');

const oneInput = (value: unknown): Input => {
	if (typeof value === 'string') return { text: value, tokens: countTokens(value) };
	if (isTokens(value)) return { text: String.fromCodePoint(...value), tokens: value.length };
	const wrapped = (value as Json | null)?.prompt_string;
	if (typeof wrapped === 'string') return { text: wrapped, tokens: countTokens(wrapped) };
	throw serverError(BAD_PROMPT);
};

const inputs = (value: unknown): Input[] => {
	if (Array.isArray(value) && !isTokens(value)) {
		if (value.length === 0) throw serverError('"prompt" must not be empty');
		return value.map(oneInput);
	}
	return [oneInput(value)];
};

const checkSizes = (list: readonly Input[], settings: Settings): void => {
	const { batch } = settings.embeddings!;
	for (const { tokens } of list) {
		if (tokens > batch) {
			throw serverError(
				`input (${tokens} tokens) is too large to process. increase the physical batch size (current batch size: ${batch})`,
			);
		}
	}
};

const base64 = (vector: readonly number[]): string => Buffer.from(Float32Array.from(vector).buffer).toString('base64');
const floats = (vector: readonly number[]): Float[] => vector.map(single);

/** Body of an embeddings route, given the parsed request. */
export const embeddings = (body: Json, native: boolean, settings: Settings): object => {
	if (!settings.embeddings) {
		throw notSupported('This server does not support embeddings. Start it with `--embeddings`');
	}
	const { dimensions, pooling } = settings.embeddings;
	if (!native && pooling === 'none') {
		throw invalidRequest("Pooling type 'none' is not OAI compatible. Please use a different pooling type");
	}
	const given = body.input === undefined ? body.content : body.input;
	if (given === undefined) throw invalidRequest('"input" or "content" must be provided');
	const plain = native || body.input === undefined;
	const format = body.encoding_format;
	if (format !== undefined && format !== 'float' && format !== 'base64') {
		throw invalidRequest('The format to return the embeddings in. Can be either float or base64');
	}
	const list = inputs(given);
	if (list.some(({ tokens }) => tokens === 0)) throw invalidRequest('Input content cannot be empty');
	checkSizes(list, settings);
	if (plain) {
		return list.map(({ text, tokens }, index) => {
			const perToken =
				pooling === 'none' ? [...text].map((char) => embed(char, dimensions)) : [embed(text, dimensions)];
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
				? { embedding: base64(embed(text, dimensions)), index, object: 'embedding', encoding_format: 'base64' }
				: { embedding: floats(embed(text, dimensions)), index, object: 'embedding' },
		),
	};
};

/** Raw scores: words in common count for, other words against; so they are negative more often than not. */
export const relevance = (query: string, document: string): number => {
	const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
	const asked = new Set(words(query));
	const found = words(document);
	const shared = found.filter((word) => asked.has(word)).length;
	return Math.fround(shared * 2.5 - found.length * 0.25 - 1);
};

/** Body of a rerank route, given the parsed request. */
export const rerank = (body: Json, settings: Settings): object => {
	if (!settings.rerank) throw notSupported('This server does not support reranking. Start it with `--reranking`');
	const { query, return_text: returnText, top_n: topN } = body;
	if (query === undefined) throw invalidRequest('"query" must be provided');
	if (typeof query !== 'string') throw invalidRequest('"query" must be a string');
	const tei = body.texts !== undefined;
	const strings = (value: unknown): string[] =>
		Array.isArray(value) && value.every((item) => typeof item === 'string') ? (value as string[]) : [];
	const documents = strings(body.documents ?? body.texts);
	if (documents.length === 0) throw invalidRequest('"documents" must be a non-empty string array');
	checkSizes(
		documents.map((text) => ({ text, tokens: countTokens(query) + countTokens(text) })),
		settings,
	);
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
	const tokens = documents.reduce((sum, text) => sum + countTokens(query) + countTokens(text), 0);
	return {
		model: typeof body.model === 'string' ? body.model : settings.alias,
		object: 'list',
		usage: { prompt_tokens: tokens, total_tokens: tokens },
		results: scored.map(({ index, score }) => ({ index, relevance_score: single(score) })),
	};
};
