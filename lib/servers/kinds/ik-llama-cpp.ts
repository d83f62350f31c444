import type { Connection } from '../../http/connection';
import { finiteNumber, recordOf } from '../../values';
import { cachedJson } from '../optional-json';
import { type FittedConversation, isSparse, MAX_CHARACTERS_PER_TOKEN } from './chat-abilities';
import { anyHeader } from './evidence';
import type { ServerKind } from './kind';
import { llamaServer } from './llama-server';

/** ik_llama.cpp's llama-server, which is older than llama.cpp's in its routes. It names itself in every answer. */
export const ikLlamaCpp: ServerKind = {
	...llamaServer,
	label: 'ik_llama.cpp',
	recognizes: (answers) => anyHeader(answers, 'server', /ik_llama/i),
	chat: { ...llamaServer.chat, remarkOnDroppedMessages: remarkOnDroppedPart },
	models: { ...llamaServer.models, repeatsName: true },
};

/** It leaves out a part of a prompt that does not fit, and answers. */
async function remarkOnDroppedPart(
	connection: Connection,
	conversation: FittedConversation,
): Promise<string | undefined> {
	if (!isSparse(conversation)) return undefined;
	const { characters } = conversation;
	const props = recordOf(await cachedJson(connection, `${connection.url.root}/props`));
	const context = finiteNumber(recordOf(props.default_generation_settings).n_ctx);
	if (context === undefined || characters <= context * MAX_CHARACTERS_PER_TOKEN) return undefined;
	return `The conversation of ${characters} characters is too long for the context of ${context} tokens of this server. It left out a part without an error. Start it with a larger --ctx-size, or keep fewer messages in the memory.`;
}
