import { ownsModels, textIn } from './evidence';
import type { ServerKind } from './kind';
import { vllm } from './vllm';

/**
 * SGLang (sgl-project/sglang, python/sglang/srt/entrypoints). Its list of models still works when its engine is dead;
 * `/health` then returns 503.
 */
export const sglang: ServerKind = {
	...vllm,
	keepsToGrammar: undefined,
	tokenRoutes: undefined,
	truncateFields: undefined,
	sendsBase64: undefined,
	label: 'SGLang',
	matches: (answers) => ownsModels(answers, 'sglang'),
	version: (answers) => textIn(answers, 'version', 'version'),
	grammar: (grammar) => ({ ebnf: grammar }),
	reasoningFields: ['reasoning_content'],
	advice: {
		...vllm.advice,
		missingModel: () => 'start SGLang with --served-model-name.',
		moreContext: (tokens) => `Start SGLang with --context-length ${tokens}.`,
	},
	toolParserAdvice: ({ sglang: parser = 'NAME' }) =>
		`Start SGLang with --tool-call-parser ${parser}.`,
};
