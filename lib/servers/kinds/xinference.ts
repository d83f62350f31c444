import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/** Xinference (xorbitsai/inference): models are launched on it, each with its own engine (seen: 4.1.0). */
export const xinference: ServerKind = {
	...openAiCompatible,
	label: 'Xinference',
	signs: { passesOnOthers: true },
	recognizes: (answers) => ownsModels(answers, 'xinference'),
	chat: {
		...openAiCompatible.chat,
		// The name in vLLM, one of its engines. Its own engine silently ignores grammars.
		fields: { extra: 'all', names: { repeatPenalty: 'repetition_penalty' } },
		thinking: { ...openAiCompatible.chat.thinking, hasBudget: undefined },
	},
	key: { bearerOnly: true },
	models: { areAllLoaded: true },
	media: { needsModel: true },
	words: {
		...openAiCompatible.words,
		noModels: 'Launch one: xinference launch.',
		missingModel: (model) => `launch it: xinference launch --model-uid ${model}.`,
		embeddingsOff: 'Launch an embedding model: xinference launch --model-type embedding.',
		rerankOff: 'Launch a reranker model: xinference launch --model-type rerank.',
		parseTools: () =>
			'Xinference reads the tool calls of the model families that it knows: launch the model as one of them.',
		moreContext: (tokens) =>
			`Launch the model with a context of at least ${tokens} tokens (vLLM engine: --max_model_len ${tokens}).`,
	},
};
