import { isRecord, optional, text } from '../../values';
import { bodyOf, textIn } from './evidence';
import type { ServerKind, Tokenized } from './kind';
import { other } from './other';
import { numbers } from './token-lists';

/**
 * Hugging Face's text-embeddings-inference: embeddings and reranking, no chat, no list of models
 * (docs/protocols/other-servers.md 1.6).
 */
export const tei: ServerKind = {
	...other,
	label: 'Text Embeddings Inference',
	matches: (answers) => {
		const info = bodyOf(answers.info);
		return 'model_type' in info && 'max_client_batch_size' in info;
	},
	version: (answers) => textIn(answers, 'info', 'version'),
	listsLoadedModelsOnly: true,
	modelsFrom: ({ info }) => {
		const { model_id: id, max_input_length: context, model_type: types } = bodyOf(info);
		if (typeof id !== 'string') return undefined;
		return [
			{
				id,
				aliases: [],
				tools: false,
				vision: false,
				embeddings: isRecord(types) && 'embedding' in types,
				...(typeof context === 'number' ? { context } : {}),
			},
		];
	},
	bearerOnly: true,
	guardedRoute: { path: '/tokenize', json: {} },
	ignoresModelName: true,
	embeddingRequest: ({ input, truncate, dimensions }) => ({
		path: '/embed',
		json: { inputs: input, truncate, ...optional({ dimensions }) },
	}),
	rerankRequest: (json) => ({ path: '/rerank', json }),
	tokenRoutes: {
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
	},
};

/** The answer has one list per text; one text was sent. */
function readTokens(json: unknown, withPieces: boolean): Tokenized | undefined {
	const [first] = Array.isArray(json) ? (json as unknown[]) : [];
	const list = Array.isArray(first) ? (first as unknown[]).filter(isRecord) : undefined;
	const tokens = numbers(list?.map(({ id }) => id));
	if (list === undefined || tokens === undefined) return undefined;
	const pieces = list.map((token, at) => ({ id: tokens[at]!, piece: text(token.text) ?? '' }));
	return { tokens, ...(withPieces ? { pieces } : {}) };
}
