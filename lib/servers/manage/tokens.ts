/** Tokenizing, detokenizing and counting on servers that can. */
import { invalidInput } from '../../errors/failure';
import { asFailed } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { optional } from '../../values';
import { kindOf, labelsOf } from '../kinds';
import type { TokenAbilities, Tokenized, TokenizeOptions } from '../kinds/model-abilities';
import type { ModelQuestion } from '../kinds/work';
import { kindFor } from '../purpose';

export interface TokenCount {
	tokens: number;
	/** False: estimated from the length of the text. */
	exact: boolean;
}

/** @throws {ServerError} if the server is known to have no routes for tokens */
async function tokensAt(connection: Connection, ask: ModelQuestion): Promise<TokenAbilities> {
	const { tokens, label } = kindOf(await kindFor(connection, ask.model, ask.signal));
	if (tokens !== undefined) return tokens;
	throw connection.failure('notSupported', {
		url: connection.url.root,
		message: `${label} does not tell the tokens of a text`,
		remedy: `${labelsOf((kind) => kind.tokens)} do. The operation Count estimates elsewhere.`,
	});
}

/** @throws {ServerError} also if the server has no route for tokens */
export async function tokenize(
	connection: Connection,
	text: string,
	ask: TokenizeOptions,
): Promise<Tokenized> {
	const server = await tokensAt(connection, ask);
	const { tokens, pieces } = await server.tokenize(connection, text, ask);
	if (tokens === undefined) throw unreadable(connection);
	return { tokens, ...optional({ pieces }) };
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
		const server = await tokensAt(connection, ask);
		const { tokens, count } = await server.tokenize(connection, text, {
			...ask,
			withPieces: false,
		});
		const known = tokens?.length ?? count;
		if (known === undefined) throw unreadable(connection);
		return known;
	});
}

/** The server cannot count, or not so long a text. */
const NOT_COUNTED: ReadonlySet<string> = new Set(['notSupported', 'contextOverflow']);

/** @throws {ServerError} for other failures than those after which the length tells */
export async function exactOrEstimated(
	text: string,
	count: () => Promise<number>,
): Promise<TokenCount> {
	const outcome = await count().catch(asFailed);
	if (typeof outcome === 'number') return { tokens: outcome, exact: true };
	if (!NOT_COUNTED.has(outcome.failed.kind)) throw outcome.failed;
	return { tokens: estimateTokens(text), exact: false };
}

const IDEOGRAMS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const CHARACTERS_PER_TOKEN = 4;

/** Of a longer text, so many pieces of so many characters are looked at. */
const SAMPLES = 16;
const SAMPLE_LENGTH = 4_000;

/** Estimates tokens: about four characters of prose, or one character of Chinese, Japanese or Korean, are one token. */
export function estimateTokens(text: string): number {
	const ideograms = estimateIdeograms(text);
	return ideograms + Math.ceil((text.length - ideograms) / CHARACTERS_PER_TOKEN);
}

/** Counting those of 20 MB would keep n8n from everything else for seconds. */
function estimateIdeograms(text: string): number {
	if (text.length <= SAMPLES * SAMPLE_LENGTH) return countIdeograms(text);
	const distance = Math.floor(text.length / SAMPLES);
	let seen = 0;
	for (let start = 0; start < distance * SAMPLES; start += distance)
		seen += countIdeograms(text.slice(start, start + SAMPLE_LENGTH));
	return Math.round((seen / (SAMPLES * SAMPLE_LENGTH)) * text.length);
}

function countIdeograms(text: string): number {
	return text.match(IDEOGRAMS)?.length ?? 0;
}

/**
 * Turns tokens back into text.
 *
 * @throws {ServerError} also for a number that is no token of the model, for which llama-server returns 500
 */
export async function detokenize(
	connection: Connection,
	tokens: readonly number[],
	ask: ModelQuestion,
): Promise<string> {
	const wrong = tokens.findIndex((token) => !Number.isInteger(token) || token < 0);
	if (wrong >= 0)
		throw invalidInput(
			`Token ${wrong + 1} is ${JSON.stringify(tokens[wrong])}, which is not the number of a token`,
			'Tokens are whole numbers from 0 on, as Tokenize gives them.',
		);
	const server = await tokensAt(connection, ask);
	const text = await server.detokenize(connection, tokens, ask);
	if (text === undefined) throw unreadable(connection);
	return text;
}

function unreadable(connection: Connection) {
	return connection.failure('invalidAnswer', {
		url: connection.url.root,
		message: 'The answer of the server holds no tokens',
		remedy: `Check that the Base URL leads to a server with routes for tokens: ${labelsOf((kind) => kind.tokens)}.`,
	});
}
