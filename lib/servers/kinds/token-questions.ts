/** Tokenizer routes that are one request each, with an answer of their own form. */
import type { Connection } from '../../http/connection';
import { finiteNumber, type JsonRecord, recordOf } from '../../values';
import { idempotentAnswer } from '../idempotent-answer';
import type { TokenAbilities, Tokenized, TokenizeOptions } from './model-abilities';
import type { RootRequest } from './task-abilities';
import type { ModelQuestion } from './work';

/** A request and how to read its answer; undefined for an answer that the route does not give. */
interface Question<T> extends RootRequest {
	read(json: unknown): T | undefined;
}

interface TokenQuestions {
	tokenize(text: string, ask: TokenizeOptions): Question<Tokenized>;
	detokenize(tokens: readonly number[], model: string): Question<string>;
	/** @param chat the fields of a chat request */
	countPrompt?(chat: JsonRecord, model: string): Question<number>;
}

export function tokensByQuestions({
	tokenize,
	detokenize,
	countPrompt,
}: TokenQuestions): TokenAbilities {
	return {
		async tokenize(connection, text, ask) {
			// Some refuse an empty text (Text Embeddings Inference, seen: 1.9.3).
			if (text === '' && !ask.addSpecial)
				return { tokens: [], ...(ask.withPieces ? { pieces: [] } : {}) };
			const { read, ...request } = tokenize(text, ask);
			const { json } = await send(connection, request, ask);
			return read(json) ?? { count: finiteNumber(recordOf(json).count) };
		},
		async detokenize(connection, tokens, ask) {
			const { read, ...request } = detokenize(tokens, ask.model);
			return read((await send(connection, request, ask)).json);
		},
		countPrompt:
			countPrompt &&
			(async (connection, chat, ask) => {
				const { read, ...request } = countPrompt(chat, ask.model);
				return read((await send(connection, request, ask)).json);
			}),
	};
}

async function send(connection: Connection, { path, json }: RootRequest, ask: ModelQuestion) {
	return await idempotentAnswer(connection, connection.url.root + path, { ...ask, json });
}
