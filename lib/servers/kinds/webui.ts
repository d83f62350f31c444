import type { Connection } from '../../http/connection';
import { anyHeader, entriesOf } from './evidence';
import { type FittedConversation, isSparse } from './chat-abilities';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';
import type { JsonRecord } from '../../values';

/**
 * text-generation-webui (oobabooga/text-generation-webui, seen: 4.7.3). It drops fields that it does not know and has
 * names of its own for some (modules/api/typing.py), and cuts prompts to its context without a word.
 */
export const webui: ServerKind = {
	...openAiCompatible,
	label: 'text-generation-webui',
	recognizes: (answers) => {
		const models = entriesOf(answers) ?? [];
		const isOwn = ({ created, owned_by: owner }: JsonRecord) => created === 0 && owner === 'user';
		return anyHeader(answers, 'server', /^uvicorn$/) && models.length > 0 && models.every(isOwn);
	},
	chat: {
		...openAiCompatible.chat,
		fields: {
			extra: [
				...['topK', 'minP', 'typicalP', 'topNSigma', 'repeatPenalty', 'repeatLastN'],
				...['dryMultiplier', 'dryBase', 'dryAllowedLength', 'xtcProbability', 'xtcThreshold'],
				...['mirostat', 'mirostatTau', 'mirostatEta'],
			],
			names: {
				repeatPenalty: 'repetition_penalty',
				repeatLastN: 'repetition_penalty_range',
				mirostat: 'mirostat_mode',
			},
		},
		grammar: { fields: (grammar) => ({ grammar_string: grammar }) },
		remarkOnDroppedMessages,
		thinking: { switch: 'field', fields: openAiCompatible.chat.thinking.fields },
	},
	models: { areAllLoaded: true, ignoresName: true },
	words: {
		...openAiCompatible.words,
		noModels: 'Load one in its tab Model, or start it with --model.',
		missingModel: () => 'load it in its tab Model, or start it with --model.',
		embeddingsOff:
			'text-generation-webui makes vectors with another program (sentence-transformers), which is not installed with it. Start another server for an embedding model, for example llama-server with --embeddings.',
		moreContext: (tokens) => `Load the model with a ctx-size of at least ${tokens} tokens.`,
		parseTools: () =>
			'text-generation-webui reads the tool calls of models whose format it knows: take such a model.',
	},
};

/** It does not tell the context of its model, so only the number of tokens shows that messages are missing. */
async function remarkOnDroppedMessages(
	_connection: Connection,
	conversation: FittedConversation,
): Promise<string | undefined> {
	const { characters, promptTokens, leastTokens = 0 } = conversation;
	if (promptTokens === undefined) return undefined;
	if (!isSparse(conversation) && promptTokens >= leastTokens)
		return await Promise.resolve(undefined);
	return `text-generation-webui read only ${promptTokens} tokens of this conversation of ${characters} characters. It seems to be too long for the context, and the beginning was left out without an error. Load the model with a larger ctx-size, or keep fewer messages in the memory.`;
}
