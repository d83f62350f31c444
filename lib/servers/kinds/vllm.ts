import { ownsModels, says, textIn } from './evidence';
import type { ServerTraits } from './kind';
import { other } from './other';

/** vLLM (docs/protocols/llama-server.md 8.4; vLLM's sampling parameters). */
export const vllm: ServerTraits = {
	...other,
	label: 'vLLM',
	isIt: (answers) =>
		ownsModels(answers, 'vllm') ||
		says(answers.models, ({ error }) => error === 'Unauthorized') ||
		// Its `/health` is an empty answer, its `/version` names nothing else.
		(textIn(answers, 'version', 'version') !== undefined &&
			answers.health?.status === 200 &&
			answers.health.text.trim() === ''),
	version: (answers) => textIn(answers, 'version', 'version'),
	extraFields: ['topK', 'minP', 'repeatPenalty', 'parallelToolCalls', 'chatTemplateArguments'],
	fieldNames: { repeatPenalty: 'repetition_penalty' },
	grammar: (grammar) => ({ structured_outputs: { grammar } }),
	thinkingBudget: false,
	toolChoice: 'named',
	bearerOnly: true,
	listsLoadedModelsOnly: true,
	toolParserAdvice: (markup) => {
		const parser = {
			toolCallTag: 'hermes',
			functionTag: 'qwen3_coder',
			mistral: 'mistral',
			pythonTag: 'llama3_json',
		}[markup];
		return `Start vLLM with --enable-auto-tool-choice --tool-call-parser ${parser}.`;
	},
	benchmarkFields: { ignore_eos: true },
	advice: {
		...other.advice,
		missingModel: () => 'start vLLM with --served-model-name.',
		moreContext: (tokens) => `Start vLLM with --max-model-len ${tokens}.`,
	},
};
