import type { Connection } from '../../http/connection';
import { booleanOf, finiteNumber, type JsonRecord, optional, recordOf } from '../../values';
import type { ServerModel } from '../models';
import { cachedJson } from '../optional-json';
import { MAX_CHARACTERS_PER_TOKEN, type FittedConversation } from './chat-abilities';
import { anyHeader, ownsAnyModel } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * KoboldCpp (LostRuins/koboldcpp, koboldcpp.py, seen: 1.76): one model, llama.cpp's samplers, and an imitation of Ollama's
 * API. Pictures and sound that it has no model for it drops, and the beginning of long prompts.
 */
export const koboldcpp: ServerKind = {
	...openAiCompatible,
	label: 'KoboldCpp',
	recognizes: (answers) =>
		anyHeader(answers, 'server', /^(?:KoboldCpp|ConcedoLlama)/i) ||
		// Its names begin with it, too.
		ownsAnyModel(answers, 'koboldcpp'),
	chat: {
		...openAiCompatible.chat,
		grammar: { fields: (grammar) => ({ grammar }), isEnforced: true },
		refuseUnseenPictures,
		remarkOnDroppedMessages,
	},
	models: { areAllLoaded: true, ignoresName: true, withDetails },
	media: {
		lacks: async (connection, task) =>
			task === 'transcription' && (await abilitiesAt(connection)).transcribe === false,
	},
	// Its list needs no key, and an empty request to a generating route would generate.
	health: { guardedRoute: { path: '/api/extra/generate/check' } },
	words: {
		...openAiCompatible.words,
		moreContext: (tokens) => `Start KoboldCpp with --contextsize ${tokens} or more.`,
	},
};

/** What it was started for: `vision`, `transcribe`, `txt2img`. */
async function abilitiesAt(connection: Connection): Promise<JsonRecord> {
	return recordOf(await cachedJson(connection, `${connection.url.root}/api/extra/version`));
}

/** Tokens of context; undefined if it does not tell. */
async function contextAt(connection: Connection): Promise<number | undefined> {
	const path = '/api/extra/true_max_context_length';
	return finiteNumber(recordOf(await cachedJson(connection, connection.url.root + path)).value);
}

async function withDetails(
	connection: Connection,
	models: readonly ServerModel[],
): Promise<ServerModel[]> {
	const context = await contextAt(connection);
	const vision = booleanOf((await abilitiesAt(connection)).vision);
	return models.map((model) => ({ ...model, ...optional({ context, vision }) }));
}

/** @throws {ServerError} of kind `modalityUnsupported`, before the picture is sent */
async function refuseUnseenPictures(connection: Connection, model: string): Promise<void> {
	if ((await abilitiesAt(connection)).vision !== false) return;
	throw connection.failure('modalityUnsupported', {
		model,
		message: 'KoboldCpp runs its model without a projector, so it cannot see pictures',
		remedy: 'Start KoboldCpp with --mmproj FILE, the projector that belongs to the model.',
	});
}

/** It counts no tokens in streams, so only the length of the texts shows that they do not fit. */
async function remarkOnDroppedMessages(
	connection: Connection,
	{ characters }: FittedConversation,
): Promise<string | undefined> {
	const context = await contextAt(connection);
	if (context === undefined || characters <= context * MAX_CHARACTERS_PER_TOKEN) return undefined;
	return `The conversation of ${characters} characters is too long for the context of ${context} tokens that KoboldCpp was started with. It left out the beginning without an error. Start it with a larger --contextsize, or keep fewer messages in the memory.`;
}
