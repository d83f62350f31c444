import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { PLAIN_REMEDIES } from './remedies';
import { vllm } from './vllm';

/** LMDeploy (InternLM/lmdeploy, lmdeploy/serve/openai; seen: 0.18.0), with vLLM's names of samplers. */
export const lmdeploy: ServerKind = {
	...vllm,
	label: 'LMDeploy',
	recognizes: (answers) => ownsModels(answers, 'lmdeploy'),
	version: undefined,
	chat: {
		...vllm.chat,
		grammar: undefined,
		thinking: { ...vllm.chat.thinking, fields: ['reasoning_content'] },
		priorities: undefined,
	},
	tokens: undefined,
	embeddings: {},
	rerank: {},
	media: {},
	words: {
		...vllm.words,
		remedies: PLAIN_REMEDIES,
		missingModel: () => 'start LMDeploy with --model-name.',
		embeddingsOff: 'LMDeploy has no embeddings. Start another server for an embedding model.',
		rerankOff: 'LMDeploy has no reranking. Start another server for a reranker model.',
		moreContext: (tokens) => `Start LMDeploy with --session-len ${tokens}.`,
		answerAtOnce: (count) => `Start LMDeploy with --max-batch-size ${count}.`,
		parseTools: () => 'Start LMDeploy with the --tool-call-parser of the model.',
	},
};
