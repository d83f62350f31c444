import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { chatWithOpenAiFieldsOnly, openAiCompatible } from './openai-compatible';
import { PLAIN_REMEDIES } from './remedies';

/** `--default-max-tokens` of the frontend, unless it is set. */
const HIDDEN_LIMIT = { byDefault: 16 };

/**
 * The OpenAI-compatible frontend of NVIDIA's Triton Inference Server (triton-inference-server/server, python/openai;
 * seen: e1db8a6). It refuses fields that OpenAI's API lacks, and always says that the model had finished.
 */
export const triton: ServerKind = {
	...openAiCompatible,
	label: 'Triton',
	recognizes: (answers) => ownsModels(answers, 'Triton Inference Server'),
	chat: {
		...chatWithOpenAiFieldsOnly,
		fields: { extra: [] },
		toolChoice: 'named',
		hiddenLimit: HIDDEN_LIMIT,
	},
	completion: { ...openAiCompatible.completion, hiddenLimit: HIDDEN_LIMIT },
	models: { areAllLoaded: true },
	rerank: { isMissing: true },
	words: {
		...openAiCompatible.words,
		remedies: {
			...PLAIN_REMEDIES,
			toolsUnsupported:
				'Start the frontend of Triton with --tool-call-parser llama3 or mistral, and a model whose chat template supports tools.',
		},
		missingModel: () => 'add it to the model repository of Triton.',
		embeddingsOff: 'Add an embedding model of the vLLM backend to the model repository of Triton.',
		rerankOff:
			'Triton has no route for reranking. Start another server for a reranker model, for example llama-server with --rerank.',
		moreContext: (tokens) =>
			`Set max_model_len in the model.json of the model to ${tokens} or more.`,
		parseTools: () => 'Start the frontend of Triton with --tool-call-parser llama3 or mistral.',
	},
};
