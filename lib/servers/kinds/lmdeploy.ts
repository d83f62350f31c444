import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { withChatsOfVllm } from './vllm';

/** LMDeploy (InternLM/lmdeploy, lmdeploy/serve/openai; seen: 0.18.0), with vLLM's names of samplers. */
export const lmdeploy: ServerKind = {
	...withChatsOfVllm,
	label: 'LMDeploy',
	recognizes: (answers) => ownsModels(answers, 'lmdeploy'),
	version: undefined,
	chat: {
		...withChatsOfVllm.chat,
		grammar: undefined,
	},
	words: {
		...withChatsOfVllm.words,
		missingModel: () => 'start LMDeploy with --model-name.',
		embeddingsOff: 'LMDeploy has no embeddings. Start another server for an embedding model.',
		rerankOff: 'LMDeploy has no reranking. Start another server for a reranker model.',
		moreContext: (tokens) => `Start LMDeploy with --session-len ${tokens}.`,
		parseTools: () => 'Start LMDeploy with the --tool-call-parser of the model.',
	},
};
