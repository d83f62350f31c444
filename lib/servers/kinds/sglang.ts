import { ownsModels, textIn } from './evidence';
import type { ServerKind } from './kind';
import { decisionsBelowApi } from './openai-compatible';
import { PLAIN_REMEDIES } from './remedies';
import { vllm } from './vllm';

/**
 * SGLang (sgl-project/sglang, python/sglang/srt/entrypoints), with vLLM's fields. Its list of models still works when
 * its engine is dead; `/health` then returns 503.
 */
export const sglang: ServerKind = {
	...vllm,
	label: 'SGLang',
	recognizes: (answers) => ownsModels(answers, 'sglang'),
	version: (answers) => textIn(answers, 'version', 'version'),
	chat: {
		...vllm.chat,
		grammar: { fields: (grammar) => ({ ebnf: grammar }) },
		thinking: { ...vllm.chat.thinking, fields: ['reasoning_content'] },
	},
	tokens: undefined,
	embeddings: {},
	rerank: {},
	media: {},
	// 0.5.21 takes pictures without a word, and looks at the text alone.
	decisions: { ...decisionsBelowApi, ignoresMedia: true },
	words: {
		...vllm.words,
		remedies: PLAIN_REMEDIES,
		missingModel: () => 'start SGLang with --served-model-name.',
		moreContext: (tokens) => `Start SGLang with --context-length ${tokens}.`,
		parseTools: ({ sglang: parser = 'NAME' }) => `Start SGLang with --tool-call-parser ${parser}.`,
	},
};
