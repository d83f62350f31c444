import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * `swift deploy` of ms-swift (modelscope/ms-swift, swift/pipelines/infer/deploy.py; seen: 4.6.0). It shows its list to
 * everybody, answers 400 to a wrong key on every other route, and drops the fields that it does not know.
 */
export const msSwift: ServerKind = {
	...openAiCompatible,
	label: 'ms-swift',
	recognizes: (answers) => ownsModels(answers, 'swift'),
	chat: {
		...openAiCompatible.chat,
		fields: {
			extra: ['topK', 'minP', 'repeatPenalty', 'chatTemplateArguments'],
			names: { repeatPenalty: 'repetition_penalty' },
		},
		grammar: undefined,
		thinking: { ...openAiCompatible.chat.thinking, hasBudget: undefined },
	},
	key: { bearerOnly: true },
	models: { areAllLoaded: true },
	rerank: { isMissing: true },
	health: { guardedRoute: { path: '/v1/chat/completions' } },
	words: {
		...openAiCompatible.words,
		missingModel: (model) => `start swift deploy with --served_model_name ${model}.`,
		embeddingsOff: 'Start another one for an embedding model: swift deploy --task_type embedding.',
		rerankOff:
			'ms-swift has no route for reranking. Start another server for a reranker model, for example llama-server with --rerank.',
		moreContext: (tokens) =>
			`Choose a model that reads ${tokens} tokens, and leave out a lower --max_length.`,
		parseTools: () => 'Start swift deploy with the --agent_template of the model.',
	},
};
