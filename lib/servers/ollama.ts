/** What Ollama does not say by itself: that a model cannot see, and that it left out the beginning of a conversation (contract llama-server 8.2). */
import type { Connection } from '../http/connection';
import { failure } from '../errors/failure';
import { isNamed } from './model-names';
import { entries, optionalJson } from './optional-json';
import type { ChatMessage, ChatRequest } from '../chat/types';

const ASK_LIMIT_MS = 5_000;
/** Shorter conversations fit into the smallest context that anybody sets. */
const FITS_ANYWHERE = 6_000;
/** Prose has four to five characters in a token, code and other scripts fewer: what is longer than this does not fit. */
const MOST_CHARACTERS_A_TOKEN = 5;

/**
 * Ollama gives a picture to a model that cannot see without a word (seen: 0.17.4), and the model makes something up.
 *
 * @throws {ServerError} of kind `modalityUnsupported`, before anything is sent
 */
export async function refuseUnseenPictures(
	connection: Connection,
	{ model, messages }: ChatRequest,
	signal?: AbortSignal,
): Promise<void> {
	if (!messages.some(hasPicture)) return;
	const path = '/api/show';
	const shown = await optionalJson(connection, path, { json: { model }, timeoutMs: ASK_LIMIT_MS, signal });
	const capabilities = Array.isArray(shown?.capabilities) ? (shown.capabilities as unknown[]) : undefined;
	if (capabilities === undefined || capabilities.includes('vision')) return;
	throw failure('modalityUnsupported', connection.contextOf(connection.url.root + path, model), {
		message: `The model "${model}" cannot see pictures`,
		remedy:
			'Choose a model of Ollama that can ("ollama show NAME" lists "vision" under its capabilities), for example qwen2.5vl. Turn off passing binary images to the model if you do not need them.',
		facts: { capabilities },
	});
}

/** A remark where the conversation was longer than the context that the model runs with; undefined where it fits, or where nobody can tell. */
export async function remarkOnDroppedMessages(
	connection: Connection,
	{ model, messages }: ChatRequest,
	promptTokens: number,
	signal?: AbortSignal,
): Promise<string | undefined> {
	const characters = messages.reduce((sum, message) => sum + textLength(message), 0);
	if (characters < FITS_ANYWHERE) return undefined;
	const running = await optionalJson(connection, '/api/ps', { timeoutMs: ASK_LIMIT_MS, signal });
	const context = entries(running?.models).find(
		({ name }) => typeof name === 'string' && isNamed(name, model),
	)?.context_length;
	if (typeof context !== 'number' || context <= 0) return undefined;
	if (promptTokens < context && characters <= context * MOST_CHARACTERS_A_TOKEN) return undefined;
	return `The conversation of ${characters} characters is too long for the context of ${context} tokens that Ollama runs this model with. It read ${promptTokens} tokens and left out the oldest messages without an error. Start Ollama with a larger OLLAMA_CONTEXT_LENGTH, set num_ctx in the Modelfile, or keep fewer messages in the memory.`;
}

export function hasPicture({ content }: ChatMessage): boolean {
	return typeof content !== 'string' && content.some(({ type }) => type === 'image');
}

function textLength({ content }: ChatMessage): number {
	if (typeof content === 'string') return content.length;
	return content.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 0), 0);
}
