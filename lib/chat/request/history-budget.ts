import { createHash } from 'node:crypto';

import { LruCache } from '../../lru-cache';
import { asFailed } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { kindOf } from '../../servers/kinds';
import type { ModelQuestion } from '../../servers/kinds/work';
import { atAnyServer } from '../../servers/manage/any-server';
import { modelKey } from '../../servers/model-key';
import { countTokens, estimateTokens, type TokenCount } from '../../servers/manage/tokens';
import type { ServerPool } from '../../servers/pool/server-pool';
import { kindFor } from '../../servers/purpose';
import type { ChatMessage } from '../types';
import { openAiProtocol } from '../wire/openai';
import { mediaOf, textOf } from './content';

/**
 * History is dropped in steps of this share of the budget, so that the server's prompt cache stays valid in between.
 */
const STEP = 1 / 4;
/** Tokens of a picture or a recording; the real number depends on the model and the file. */
const MEDIA_TOKENS = 1_000;

/** For all texts of a conversation together: a hanging tokenizer must not delay the answer. */
const COUNT_LIMIT_MS = 10_000;

/** Token counts by server, model and turn. */
const counted = LruCache.shared<number>({ maxEntries: 5_000 });
/** Servers without a route for conversations: they are not asked again for each turn. */
const withoutRoute = LruCache.shared<true>({ maxEntries: 100, ttlMs: 10 * 60_000 });

/** Counts the tokens of a turn, without its pictures and recordings. */
type CountTurn = (turn: readonly ChatMessage[]) => Promise<number>;

interface FittedHistory {
	messages: ChatMessage[];
	/** Number of turns that were left out. */
	leftOut: number;
}

/**
 * Drops the oldest turns until the earlier turns fit into the budget. The system prompt and the current turn stay. The
 * result depends only on the conversation, so that every worker of n8n's queue mode drops the same turns, also in the
 * following turns.
 *
 * @param budget in tokens
 */
export async function fitHistory(
	messages: readonly ChatMessage[],
	budget: number,
	count: CountTurn,
): Promise<FittedHistory> {
	const turns = turnsOf(messages.filter(({ role }) => role !== 'system'));
	const earlier = turns.slice(0, -1);
	const sizes: number[] = [];
	for (const turn of earlier) sizes.push(await tokensOf(turn, count));
	const tooMuch = sizes.reduce((sum, size) => sum + size, 0) - budget;
	const step = Math.max(1, budget * STEP);
	const target = Math.ceil(tooMuch / step) * step;
	let leftOut = 0;
	let droppedTokens = 0;
	while (droppedTokens < target && leftOut < earlier.length) {
		droppedTokens += sizes[leftOut]!;
		leftOut += 1;
	}
	const dropped = new Set(turns.slice(0, leftOut).flat());
	return { messages: messages.filter((message) => !dropped.has(message)), leftOut };
}

async function tokensOf(turn: readonly ChatMessage[], count: CountTurn): Promise<number> {
	const media = turn.flatMap(({ content }) => mediaOf(content));
	return (await count(turn)) + media.length * MEDIA_TOKENS;
}

/**
 * Returns a function that counts the tokens of a turn at the conversation's server: with the chat template, else by its
 * tokenizer, else by an estimate. Cached.
 */
export function counterAt(
	servers: ServerPool,
	model: string,
	{ signal, conversation }: { signal?: AbortSignal; conversation?: string } = {},
): CountTurn {
	const late = AbortSignal.timeout(COUNT_LIMIT_MS);
	const ended = signal === undefined ? late : AbortSignal.any([signal, late]);
	const count = async (turn: readonly ChatMessage[]) =>
		await atAnyServer(
			{ servers, signal: ended, conversation },
			model,
			async (connection, ask) => await countTurn(connection, turn, ask),
		).catch(() => undefined);
	let hasFailed = false;
	return async (turn) => {
		const text = textOfTurn(turn);
		const key = createHash('sha1')
			.update(`${modelKey({ connection: servers.first, model })} ${text}`)
			.digest('base64');
		const cachedTokens = counted.get(key);
		if (cachedTokens !== undefined) return cachedTokens;
		// After a failure no more texts are sent: the chat request will fail too, and report it.
		const answer = hasFailed ? undefined : await count(turn);
		hasFailed ||= answer === undefined;
		const { tokens } = answer ?? { tokens: 0 };
		// 0 means that the text was not counted.
		if (tokens <= 0) return estimateTokens(text);
		counted.set(key, tokens);
		return tokens;
	};
}

/** @throws {ServerError} */
async function countTurn(
	connection: Connection,
	turn: readonly ChatMessage[],
	ask: ModelQuestion,
): Promise<TokenCount> {
	const tokens = await tokensInPrompt(connection, turn, ask);
	if (tokens !== undefined) return { tokens, exact: true };
	return await countTokens(connection, textOfTurn(turn), {
		...ask,
		addSpecial: false,
		parseSpecial: false,
	});
}

/**
 * The tokens of a turn after the chat template; undefined if the server has no route for it, or its template refuses
 * the turn.
 *
 * @throws {ServerError} if the server cannot be reached
 */
async function tokensInPrompt(
	connection: Connection,
	turn: readonly ChatMessage[],
	ask: ModelQuestion,
): Promise<number | undefined> {
	const { api } = connection.url;
	const serverKind = await kindFor(connection, ask.model, ask.signal);
	const countPrompt = kindOf(serverKind).tokens?.countPrompt;
	if (countPrompt === undefined || withoutRoute.get(api) === true) return undefined;
	const { messages } = openAiProtocol.body({
		model: ask.model,
		messages: turn.map(withoutMedia),
		parameters: {},
		serverKind,
	});
	const outcome = await countPrompt(connection, { messages }, ask).catch(asFailed);
	if (typeof outcome !== 'object') return outcome;
	const { failed } = outcome;
	if (failed.status === undefined) throw failed;
	if (failed.kind === 'notSupported') withoutRoute.set(api, true);
	return undefined;
}

function withoutMedia(message: ChatMessage): ChatMessage {
	return { ...message, content: textOf(message.content, '\n') } as ChatMessage;
}

/** Splits messages into turns: the user's messages, and everything up to the next ones. */
function turnsOf(messages: readonly ChatMessage[]): ChatMessage[][] {
	const turns: ChatMessage[][] = [];
	for (const [at, message] of messages.entries()) {
		if (at === 0 || (message.role === 'user' && messages[at - 1]!.role !== 'user'))
			turns.push([message]);
		else turns.at(-1)!.push(message);
	}
	return turns;
}

function textOfTurn(turn: readonly ChatMessage[]): string {
	return turn.map(wordsOf).join('\n');
}

function wordsOf(message: ChatMessage): string {
	const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
	return textOf(message.content, '\n') + calls.map((call) => call.name + call.arguments).join('\n');
}
