import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';

/** Xinference (xorbitsai/inference): models are launched on it, each with its own engine (seen: 4.1.0). */
export const xinference: ServerKind = {
	...other,
	label: 'Xinference',
	matches: (answers) => ownsModels(answers, 'xinference'),
	// The name in vLLM, one of its engines. Its own engine silently ignores grammars.
	fieldNames: { repeatPenalty: 'repetition_penalty' },
	thinkingBudget: false,
	listsLoadedModelsOnly: true,
	bearerOnly: true,
	mediaNeedsModel: true,
	toolParserAdvice: () =>
		'Xinference reads the tool calls of the model families that it knows: launch the model as one of them.',
	advice: {
		...other.advice,
		noModels: 'Launch one: xinference launch.',
		missingModel: (model) => `launch it: xinference launch --model-uid ${model}.`,
		embeddingsOff: 'Launch an embedding model: xinference launch --model-type embedding.',
		rerankOff: 'Launch a reranker model: xinference launch --model-type rerank.',
		moreContext: (tokens) =>
			`Launch the model with a context of at least ${tokens} tokens (vLLM engine: --max_model_len ${tokens}).`,
	},
};
