import { isRecord } from '../../values';
import { bodyOf, textIn } from './evidence';
import type { ServerTraits } from './kind';
import { other } from './other';

/**
 * Hugging Face's text-embeddings-inference: embeddings and reranking, no chat, no list of models
 * (docs/protocols/other-servers.md 1.6).
 */
export const tei: ServerTraits = {
	...other,
	label: 'Text Embeddings Inference',
	isIt: (answers) => {
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
};
