import { ownsModels } from './evidence';
import type { ServerKind } from './kind';
import { withChatsOfVllm } from './vllm';

/**
 * SGLang (sgl-project/sglang, python/sglang/srt/entrypoints), with vLLM's fields. Its list of models still works when
 * its engine is dead; `/health` then returns 503.
 */
export const sglang: ServerKind = {
	...withChatsOfVllm,
	label: 'SGLang',
	recognizes: (answers) => ownsModels(answers, 'sglang'),
	chat: {
		...withChatsOfVllm.chat,
		grammar: { fields: (grammar) => ({ ebnf: grammar }) },
	},
	// 0.5.21 takes pictures without a word, and looks at the text alone.
	words: {
		...withChatsOfVllm.words,
		missingModel: () => 'start SGLang with --served-model-name.',
		moreContext: (tokens) => `Start SGLang with --context-length ${tokens}.`,
		parseTools: ({ sglang: parser = 'NAME' }) => `Start SGLang with --tool-call-parser ${parser}.`,
	},
};
