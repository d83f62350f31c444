import { ownsModels, says, textIn } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';
import { PLAIN_REMEDIES } from './remedies';

/** -1: the model's maximum length (vLLM, embeddings API). */
const TRUNCATE_FIELDS = { truncate_prompt_tokens: -1 };

/** vLLM (docs/protocols/llama-server.md 8.4; vLLM's sampling parameters). */
export const vllm: ServerKind = {
	...openAiCompatible,
	label: 'vLLM',
	recognizes: (answers) =>
		ownsModels(answers, 'vllm') ||
		// A fork of it
		ownsModels(answers, 'aphrodite') ||
		says(answers.models, ({ error }) => error === 'Unauthorized') ||
		// Its `/health` has an empty body, and its `/version` only a version.
		(textIn(answers, 'version', 'version') !== undefined &&
			answers.health?.status === 200 &&
			answers.health.text.trim() === ''),
	version: (answers) => textIn(answers, 'version', 'version'),
	key: { bearerOnly: true },
	chat: {
		...openAiCompatible.chat,
		fields: {
			extra: ['topK', 'minP', 'repeatPenalty', 'parallelToolCalls'],
			names: { repeatPenalty: 'repetition_penalty' },
		},
		grammar: {
			fields: (grammar) => ({ structured_outputs: { grammar } }),
			isEnforced: true,
		},
		schema: { isEnforced: true },
		thinking: { ...openAiCompatible.chat.thinking, hasBudget: undefined },
		toolChoice: 'named',
	},
	models: { areAllLoaded: true },
	embeddings: { base64: true, truncateFields: TRUNCATE_FIELDS },
	rerank: { truncateFields: TRUNCATE_FIELDS },
	media: { knownFor: ['transcription'] },
	health: { benchmarkFields: { ignore_eos: true } },
	words: {
		...openAiCompatible.words,
		remedies: {
			...PLAIN_REMEDIES,
			toolsUnsupported:
				'Choose a model whose chat template supports tools, and start vLLM with --enable-auto-tool-choice and a --tool-call-parser.',
		},
		missingModel: () => 'start vLLM with --served-model-name.',
		embeddingsOff: 'Start vLLM with an embedding model (--runner pooling): it serves one model.',
		rerankOff: 'Start vLLM with a reranker model (--runner pooling): it serves one model.',
		moreContext: (tokens) => `Start vLLM with --max-model-len ${tokens}.`,
		parseTools: ({ vllm: parser = 'NAME' }) =>
			`Start vLLM with --enable-auto-tool-choice --tool-call-parser ${parser}.`,
	},
};
