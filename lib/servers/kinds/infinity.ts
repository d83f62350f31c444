import { bodyOf, ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * infinity (michaelfeil/infinity): embeddings and reranking, no chat. Its routes are at the root if it is started
 * without `--url-prefix` (seen: 0.0.78).
 */
export const infinity: ServerKind = {
	...openAiCompatible,
	label: 'infinity',
	recognizes: (answers) =>
		ownsModels(answers, 'infinity') || typeof bodyOf(answers.health).unix === 'number',
	key: { bearerOnly: true },
	models: { areAllLoaded: true },
	words: {
		...openAiCompatible.words,
		missingModel: (model) => `start infinity with it: infinity_emb v2 --model-id ${model}.`,
		embeddingsOff: 'Start infinity with an embedding model: infinity_emb v2 --model-id MODEL.',
		rerankOff: 'Start infinity with a reranker model: infinity_emb v2 --model-id MODEL.',
		moreContext: (tokens) => `Choose a model that reads ${tokens} tokens.`,
	},
};
