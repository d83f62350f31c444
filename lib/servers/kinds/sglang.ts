import { ownsModels, textIn } from './evidence';
import type { ServerTraits } from './kind';
import { vllm } from './vllm';

/**
 * SGLang (sgl-project/sglang, python/sglang/srt/entrypoints). Its list of models stays up when its engine is dead;
 * `/health` then says 503.
 */
export const sglang: ServerTraits = {
	...vllm,
	keepsToGrammar: undefined,
	tokenRoutes: undefined,
	truncateFields: undefined,
	sendsBase64: undefined,
	label: 'SGLang',
	isIt: (answers) => ownsModels(answers, 'sglang'),
	version: (answers) => textIn(answers, 'version', 'version'),
	grammar: (grammar) => ({ ebnf: grammar }),
	reasoningFields: ['reasoning_content'],
	advice: {
		...vllm.advice,
		missingModel: () => 'start SGLang with --served-model-name.',
		moreContext: (tokens) => `Start SGLang with --context-length ${tokens}.`,
	},
	toolParserAdvice: ({ sglang: parser = 'NAME' }) => `Start SGLang with --tool-call-parser ${parser}.`,
};
