/** Tokenizing, detokenizing and counting on servers that can. */
import { failure, invalidInput } from '../../errors/failure';
import { asFailed, type ServerError, throwAs } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { plainNumber, recordOf, text } from '../../values';
import { type KindName, kindOf } from '../kinds';
import type { Question, Tokenized, TokenRoutes } from '../kinds/kind';
import { tokensIn } from '../kinds/token-lists';
import {
	LlamaServerRoutes,
	idempotentAnswer,
	type NativeRouteOptions,
} from './llama-server-routes';
import { kindFor } from '../purpose';

export interface TokenizeOptions extends NativeRouteOptions {
	/** Add the tokens that the model expects around every text. */
	addSpecial: boolean;
	/** Read `<|im_start|>` in the text as the special token, not as characters. */
	parseSpecial: boolean;
	withPieces: boolean;
}

export interface TokenCount {
	tokens: number;
	/** False: estimated from the length of the text. */
	exact: boolean;
}

/** @throws {ServerError} also if the server has no route for tokens */
export async function tokenize(
	connection: Connection,
	text: string,
	ask: TokenizeOptions,
): Promise<Tokenized> {
	return await askTokens(connection, text, ask, (_json, tokenized) => tokenized);
}

async function askTokens<T>(
	connection: Connection,
	text: string,
	ask: TokenizeOptions,
	pick: (json: unknown, tokenized: Tokenized | undefined) => T | undefined,
): Promise<T> {
	const { model, addSpecial, withPieces, parseSpecial } = ask;
	const routes = await routesFor(connection, ask);
	if (!(routes instanceof LlamaServerRoutes)) {
		const { read, ...question } = routes.tokenize(text, { model, addSpecial, withPieces });
		return await askAtRoot(
			connection,
			{ ...question, read: (json) => pick(json, read(json)) },
			ask,
		);
	}
	const body = {
		content: text,
		add_special: addSpecial,
		parse_special: parseSpecial,
		...(withPieces ? { with_pieces: true } : {}),
		// For vLLM behind an unknown gateway.
		...(routes.kind === 'other' ? { model, prompt: text, add_special_tokens: addSpecial } : {}),
	};
	const { json } = await routes.post('/tokenize', body);
	return pick(json, tokensIn(json, withPieces)) ?? unreadable(connection);
}

/** The tokenizer routes of a server. @throws {ServerError} if it is known to have none */
async function routesFor(
	connection: Connection,
	ask: NativeRouteOptions,
): Promise<TokenRoutes | LlamaServerRoutes> {
	const kind = await kindFor(connection, ask.model, ask.signal);
	const { tokenRoutes, llamaApi, modelRoot } = kindOf(kind);
	if (tokenRoutes !== undefined) return tokenRoutes;
	if (llamaApi === undefined && modelRoot === undefined && kind !== 'other')
		throw tellsNoTokens(connection, kind);
	return await LlamaServerRoutes.of(connection, ask, 'route for tokens');
}

/** @throws {ServerError} also if the answer cannot be read */
export async function askAtRoot<T>(
	connection: Connection,
	{ path, json, read }: Question<T>,
	ask: NativeRouteOptions,
): Promise<T> {
	const answer = await idempotentAnswer(connection, connection.url.root + path, { ...ask, json });
	return read(answer.json) ?? unreadable(connection);
}

/**
 * The number of tokens of a text; an estimate if the server has no route for tokens.
 *
 * @throws {ServerError}
 */
export async function countTokens(
	connection: Connection,
	text: string,
	ask: Omit<TokenizeOptions, 'withPieces'>,
): Promise<TokenCount> {
	return await exactOrEstimated(text, async () => {
		// A server may return a count without the tokens.
		const count = (json: unknown, tokenized?: Tokenized) =>
			tokenized?.tokens.length ?? plainNumber(recordOf(json).count);
		return await askTokens(connection, text, { ...ask, withPieces: false }, count);
	});
}

/** @throws {ServerError} for other failures than `notSupported` */
export async function exactOrEstimated(
	text: string,
	count: () => Promise<number>,
): Promise<TokenCount> {
	const outcome = await count().catch(asFailed);
	if (typeof outcome === 'number') return { tokens: outcome, exact: true };
	if (outcome.failed.kind !== 'notSupported') throw outcome.failed;
	return { tokens: estimateTokens(text), exact: false };
}

const IDEOGRAMS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const CHARACTERS_PER_TOKEN = 4;

/** Estimates tokens: about four characters of prose, or one character of Chinese, Japanese or Korean, are one token. */
export function estimateTokens(text: string): number {
	const ideograms = text.match(IDEOGRAMS)?.length ?? 0;
	return ideograms + Math.ceil((text.length - ideograms) / CHARACTERS_PER_TOKEN);
}

/**
 * Turns tokens back into text.
 *
 * @throws {ServerError} also for a number that is no token of the model, for which llama-server returns 500
 */
export async function detokenize(
	connection: Connection,
	tokens: readonly number[],
	ask: NativeRouteOptions,
): Promise<string> {
	const wrong = tokens.findIndex((token) => !Number.isInteger(token) || token < 0);
	if (wrong >= 0)
		throw invalidInput(
			`Token ${wrong + 1} is ${JSON.stringify(tokens[wrong])}, which is not the number of a token`,
			'Tokens are whole numbers from 0 on, as Tokenize gives them.',
		);
	const routes = await routesFor(connection, ask);
	if (!(routes instanceof LlamaServerRoutes))
		return await askAtRoot(connection, routes.detokenize(tokens, ask.model), ask);
	const asking = routes.post('/detokenize', { tokens });
	const { json } = await asking.catch(
		throwAs((error) => unknownToken(error, connection, tokens) ?? error),
	);
	const { content, prompt = content, text: whole = prompt } = recordOf(json);
	return text(whole) ?? unreadable(connection);
}

/**
 * The error if the server's text is that of the C++ library for a number outside the vocabulary: GNU's gives details,
 * LLVM's is one word.
 */
function unknownToken(
	{ status, serverText = '', url }: ServerError,
	connection: Connection,
	tokens: readonly number[],
): ServerError | undefined {
	if (!/_M_range_check|^vector$|out of range|invalid token/i.test(serverText)) return undefined;
	const [, named] = /which is (\d+)\) >=/.exec(serverText) ?? [];
	const [, size] = /size\(\) \(which is (\d+)\)/.exec(serverText) ?? [];
	const which = named === undefined ? 'One of the numbers' : `The number ${named}`;
	const most = size === undefined ? '' : `, whose last one is ${Number(size) - 1}`;
	const context = connection.contextOf(url ?? connection.url.root);
	return failure('badRequest', context, {
		status,
		serverText,
		message: `${which} is not a token of this model`,
		meaning: `${which} is not a token of this model${most}`,
		remedy:
			'Every model has tokens of its own: turn them into text with the model that they came from.',
		facts: { tokens: tokens.length },
	});
}

function tellsNoTokens(connection: Connection, kind: KindName): ServerError {
	return failure('notSupported', connection.contextOf(connection.url.root), {
		message: `${kindOf(kind).label} does not tell the tokens of a text`,
		remedy:
			'llama-server, vLLM and Text Embeddings Inference do. The operation Count estimates elsewhere.',
	});
}

/** @throws {ServerError} */
function unreadable(connection: Connection): never {
	throw failure('invalidAnswer', connection.contextOf(connection.url.root), {
		message: 'The answer of the server holds no tokens',
		remedy: 'Check that the Base URL leads to llama-server, vLLM or Text Embeddings Inference.',
	});
}
