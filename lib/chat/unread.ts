/** Whether a server read all of a conversation: some leave out what does not fit, without a word. */
import { failure } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { contextOf } from '../http/failures';
import type { Asking } from './ask';
import { contextSizeOf } from './ollama';
import { textOf } from './request/content';
import type { ChatMessage } from './types';

/** Shorter texts fit into the smallest context that anybody sets. */
const FITS_ANYWHERE = 6_000;
/** No text that people write has more characters in a token, without runs of blanks. */
const MOST_CHARACTERS_PER_TOKEN = 7;
/** Prose has four to five: a longer text does not fit. */
const CHARACTERS_PER_TOKEN = 5;
const ROOM_FOR_ANSWER = 512;

interface Reading {
	characters: number;
	/** Tokens that the server read. */
	tokens: number;
	/** Tokens that the model runs with. */
	context: number;
}

/** The note for a conversation of which the beginning was not read. */
export async function unreadConversation(
	asking: Asking,
	messages: readonly ChatMessage[],
	tokens: number | undefined,
): Promise<string | undefined> {
	const reading = await readingOf(asking, messages, tokens);
	if (reading === undefined) return undefined;
	const { characters, context } = reading;
	const { label, words } = asking.kind;
	return `The conversation of ${characters} characters is too long for the context of ${context} tokens that ${label} runs this model with. It read ${tokens} tokens and left out the oldest messages without an error. ${words.context(sizeFor(reading))} Or keep fewer messages in the memory.`;
}

/** The error for an empty answer to a single message that was cut (docs/protocols/ollama.md 4.1). */
export async function unreadQuestion(
	asking: Asking,
	messages: readonly ChatMessage[],
	tokens: number | undefined,
): Promise<ServerError | undefined> {
	const reading = await readingOf(asking, messages, tokens);
	if (reading === undefined) return undefined;
	const { context } = reading;
	const { kind, server, settings } = asking;
	return failure('contextOverflow', contextOf(server, server.url.api, settings.model), {
		message: `The question does not fit into the context of ${context} tokens that ${kind.label} runs this model with. ${kind.label} cut it off without an error, and the model answered nothing`,
		remedy: `${kind.words.context(sizeFor(reading))} Or shorten the input.`,
		facts: { contextTokens: context, promptTokens: tokens },
	});
}

/** Undefined where all was read, or nothing tells. */
async function readingOf(
	{ server, kind, settings, call }: Asking,
	messages: readonly ChatMessage[],
	tokens: number | undefined,
): Promise<Reading | undefined> {
	if (tokens === undefined || kind.cutsAt === undefined) return undefined;
	const characters = charactersOf(messages);
	const requested = contextSizeOf(settings.parameters);
	if (characters < FITS_ANYWHERE && tokens < (requested ?? Infinity)) return undefined;
	const context = (await kind.cutsAt(server, settings.model, call.signal)) ?? requested;
	if (context === undefined) return undefined;
	const isFull = tokens >= context || characters > context * CHARACTERS_PER_TOKEN;
	const isSparse = characters > tokens * MOST_CHARACTERS_PER_TOKEN;
	return isFull || isSparse ? { characters, tokens, context } : undefined;
}

/** Runs of blanks count as one sign: padded tables have many. */
function charactersOf(messages: readonly ChatMessage[]): number {
	const texts = messages.map(({ content }) => textOf(content).replace(/\s+/g, ' '));
	return texts.reduce((sum, text) => sum + text.length, 0);
}

/** A token has three characters or more, on average. */
function sizeFor({ characters, tokens }: Reading): number {
	const needed = Math.max(tokens, characters / 3) + ROOM_FOR_ANSWER;
	return Math.ceil(needed / 1024) * 1024;
}
