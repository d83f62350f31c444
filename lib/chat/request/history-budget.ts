import { createHash } from 'node:crypto';

import { LruCache } from '../../lru-cache';
import { atAnyServer } from '../../servers/manage/any-server';
import { modelKey } from '../../servers/model-key';
import { countTokens, estimateTokens } from '../../servers/manage/tokens';
import type { ServerPool } from '../../servers/pool/server-pool';
import type { ChatMessage } from '../types';
import { mediaOf, textOf } from './content';

/**
 * History is dropped in steps of this share of the budget, so that the server's prompt cache stays valid in between.
 */
const STEP = 1 / 4;
/** Tokens of a picture or a recording; the real number depends on the model and the file. */
const MEDIA_TOKENS = 1_000;

/** For all texts of a conversation together: a hanging tokenizer must not delay the answer. */
const COUNT_LIMIT_MS = 10_000;

/** Token counts by server, model and text. */
const counted = LruCache.shared<number>({ maxEntries: 5_000 });

export interface FittedHistory {
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
 * @param count counts the tokens of a text
 */
export async function fitHistory(
	messages: readonly ChatMessage[],
	budget: number,
	count: (text: string) => Promise<number>,
): Promise<FittedHistory> {
	const turns = turnsOf(messages.filter(({ role }) => role !== 'system'));
	const earlier = turns.slice(0, -1);
	const sizes: number[] = [];
	for (const turn of earlier) sizes.push(await tokensOf(turn, count));
	const tooMuch = sizes.reduce((sum, size) => sum + size, 0) - budget;
	if (tooMuch <= 0) return { messages: [...messages], leftOut: 0 };
	const step = Math.max(1, budget * STEP);
	const target = Math.ceil(tooMuch / step) * step;
	let leftOut = 0;
	for (let gone = 0; gone < target && leftOut < earlier.length; leftOut++) gone += sizes[leftOut]!;
	const dropped = new Set(turns.slice(0, leftOut).flat());
	return { messages: messages.filter((message) => !dropped.has(message)), leftOut };
}

async function tokensOf(
	turn: readonly ChatMessage[],
	count: (text: string) => Promise<number>,
): Promise<number> {
	const media = turn.flatMap(({ content }) => mediaOf(content));
	const textTokens = await count(turn.map(wordsOf).join('\n'));
	return textTokens + media.length * MEDIA_TOKENS;
}

/** Returns a function that counts tokens with the tokenizer of the conversation's server, or estimates them. Cached. */
export function counterAt(
	servers: ServerPool,
	model: string,
	{ signal, conversation }: { signal?: AbortSignal; conversation?: string } = {},
): (text: string) => Promise<number> {
	const late = AbortSignal.timeout(COUNT_LIMIT_MS);
	const ended = signal === undefined ? late : AbortSignal.any([signal, late]);
	const count = async (text: string) =>
		await atAnyServer({ servers, signal: ended, conversation }, model, async (connection, ask) => {
			return await countTokens(connection, text, {
				...ask,
				addSpecial: false,
				parseSpecial: false,
			});
		}).catch(() => undefined);
	let hasFailed = false;
	return async (text) => {
		const key = createHash('sha1')
			.update(`${modelKey({ connection: servers.first, model })} ${text}`)
			.digest('base64');
		const cachedTokens = counted.get(key);
		if (cachedTokens !== undefined) return cachedTokens;
		// After a failure no more texts are sent: the chat request will fail too, and report it.
		const answer = hasFailed ? undefined : await count(text);
		hasFailed ||= answer === undefined;
		const { tokens } = answer ?? { tokens: 0 };
		// 0 means that the text was not counted.
		if (tokens <= 0) return estimateTokens(text);
		counted.set(key, tokens);
		return tokens;
	};
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

function wordsOf(message: ChatMessage): string {
	const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
	return textOf(message.content, '\n') + calls.map((call) => call.name + call.arguments).join('\n');
}
