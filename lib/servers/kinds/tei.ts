import { isRecord, optional, text } from '../../values';
import type { ServerModel } from '../models';
import { bodyOf, textIn } from './evidence';
import type { ServerAnswers } from './answers';
import type { ServerKind } from './kind';
import type { Tokenized } from './model-abilities';
import { openAiCompatible } from './openai-compatible';
import { numbers } from './token-lists';
import { tokensByQuestions } from './token-questions';

/**
 * Hugging Face's text-embeddings-inference: embeddings and reranking, no chat, no list of models
 * (docs/protocols/other-servers.md 1.6).
 */
export const tei: ServerKind = {
	...openAiCompatible,
	label: 'Text Embeddings Inference',
	recognizes: (answers) => {
		const info = bodyOf(answers.info);
		return 'model_type' in info && 'max_client_batch_size' in info;
	},
	version: (answers) => textIn(answers, 'info', 'version'),
	key: { bearerOnly: true },
	models: { areAllLoaded: true, ignoresName: true, fromAnswers: modelOfInfo },
	embeddings: {
		request: ({ input, truncate, dimensions }) => ({
			path: '/embed',
			json: { inputs: input, truncate, ...optional({ dimensions }) },
		}),
	},
	rerank: { request: (json) => ({ path: '/rerank', json }) },
	tokens: tokensByQuestions({
		tokenize: (text, { addSpecial, withPieces }) => ({
			path: '/tokenize',
			json: { inputs: text, add_special_tokens: addSpecial },
			read: (json) => readTokens(json, withPieces),
		}),
		detokenize: (tokens) => ({
			path: '/decode',
			json: { ids: tokens, skip_special_tokens: false },
			read: (json) => text(Array.isArray(json) ? json[0] : json),
		}),
	}),
	health: { guardedRoute: { path: '/tokenize', json: {} } },
};

function modelOfInfo({ info }: ServerAnswers): ServerModel[] | undefined {
	const { model_id: id, max_input_length: length, model_type: types } = bodyOf(info);
	if (typeof id !== 'string') return undefined;
	const context = typeof length === 'number' ? length : undefined;
	const embeddings = isRecord(types) && 'embedding' in types;
	return [{ id, aliases: [], tools: false, vision: false, embeddings, ...optional({ context }) }];
}

/** The answer has one list per text; one text was sent. */
function readTokens(json: unknown, withPieces: boolean): Tokenized | undefined {
	const [first] = Array.isArray(json) ? (json as unknown[]) : [];
	const list = Array.isArray(first) ? (first as unknown[]).filter(isRecord) : undefined;
	const tokens = numbers(list?.map(({ id }) => id));
	if (list === undefined || tokens === undefined) return undefined;
	const pieces = list.map((token, at) => ({ id: tokens[at]!, piece: text(token.text) ?? '' }));
	return { tokens, ...(withPieces ? { pieces } : {}) };
}
