/** What Ollama does in silence to chats (docs/protocols/ollama.md 4). */
import type { ServerError } from '../../../errors/server-error';
import type { Connection } from '../../../http/connection';
import { cachedJson, optionalJson } from '../../optional-json';
import { recordOf, recordsIn } from '../../../values';
import { MAX_CHARACTERS_PER_TOKEN, type FittedConversation } from '../chat-abilities';
import { isSameOllamaName } from './names';

const ASK_LIMIT_MS = 5_000;
/** Characters that fit into the smallest context that anybody sets. */
const FITS_ANYWHERE = 6_000;

export async function templateOnOllama(connection: Connection, model: string): Promise<unknown> {
	return await cachedJson(connection, `${connection.url.root}/api/show`, { model });
}

/**
 * Ollama accepts a picture for a model that cannot see (seen: 0.17.4), and the model makes something up.
 *
 * @throws {ServerError} of kind `modalityUnsupported`, before the picture is sent
 */
export async function refuseUnseenPictures(
	connection: Connection,
	model: string,
	signal?: AbortSignal,
): Promise<void> {
	const path = '/api/show';
	const shown = await optionalJson(connection, path, {
		json: { model },
		timeoutMs: ASK_LIMIT_MS,
		signal,
	});
	const { capabilities } = recordOf(shown);
	if (!Array.isArray(capabilities) || capabilities.includes('vision')) return;
	throw connection.failure('modalityUnsupported', {
		url: connection.url.root + path,
		model,
		message: `The model "${model}" cannot see pictures`,
		remedy:
			'Choose a model of Ollama that can ("ollama show NAME" lists "vision" under its capabilities), for example qwen2.5vl. Turn off passing binary images to the model if you do not need them.',
		facts: { capabilities },
	});
}

/**
 * A note if the conversation was longer than the context that the model runs with; undefined if it fits, or if that is
 * unknown.
 */
export async function remarkOnDroppedMessages(
	connection: Connection,
	conversation: FittedConversation,
	signal?: AbortSignal,
): Promise<string | undefined> {
	const { characters, promptTokens, contextSize = Infinity, leastTokens = 0 } = conversation;
	if (promptTokens === undefined) return undefined;
	const lacksTokens = promptTokens < leastTokens;
	if (!lacksTokens && characters < FITS_ANYWHERE && promptTokens < contextSize) return undefined;
	const context = await contextOf(connection, conversation, signal);
	if (context === undefined) return undefined;
	// A text has hardly more tokens than characters.
	const hasLost = lacksTokens && characters > context;
	if (!isTooLong(conversation, context) && !hasLost) return undefined;
	return `The conversation of ${characters} characters is too long for the context of ${context} tokens that Ollama runs this model with. It read ${promptTokens} tokens and left out the oldest messages without an error. ${MORE_CONTEXT}, or keep fewer messages in the memory.`;
}

/**
 * Ollama silently cuts a single message that is longer than the context: 200, no text, "stop", and prompt tokens that
 * equal the context size (docs/protocols/ollama.md 4.1); since 0.33 about half of it (seen: fb3076099).
 */
export async function explainEmptyAnswer(
	connection: Connection,
	conversation: FittedConversation,
	signal?: AbortSignal,
): Promise<ServerError | undefined> {
	const { model, promptTokens } = conversation;
	const context = await contextOf(connection, conversation, signal);
	if (context === undefined || !isTooLong(conversation, context)) return undefined;
	return connection.failure('contextOverflow', {
		url: connection.url.root,
		model,
		message: `The question does not fit into the context of ${context} tokens that Ollama runs this model with. Ollama cut it off without an error, and the model answered nothing`,
		remedy: `${MORE_CONTEXT}, or shorten the input.`,
		facts: { contextTokens: context, promptTokens },
	});
}

function isTooLong({ characters, promptTokens = 0 }: FittedConversation, context: number): boolean {
	return promptTokens >= context || characters > context * MAX_CHARACTERS_PER_TOKEN;
}

const MORE_CONTEXT =
	'Set a larger Context Size in the options of the node, start Ollama with a larger OLLAMA_CONTEXT_LENGTH, set num_ctx in the Modelfile';

/** Context size in tokens that the model runs with. Ollama caps the requested one to what the model was trained for. */
async function contextOf(
	connection: Connection,
	{ model, contextSize }: FittedConversation,
	signal: AbortSignal | undefined,
): Promise<number | undefined> {
	const limits = { timeoutMs: ASK_LIMIT_MS, signal };
	const running = await optionalJson(connection, '/api/ps', limits);
	const context = recordsIn(running?.models).find(
		({ name }) => typeof name === 'string' && isSameOllamaName(name, model),
	)?.context_length;
	return typeof context === 'number' && context > 0 ? context : contextSize;
}
