import { finiteNumber, recordOf, text } from '../../values';
import { ownsModels, says, textIn } from './evidence';
import type { ServerKind } from './kind';
import { other } from './other';
import { tokensIn } from './token-lists';

/** vLLM (docs/protocols/llama-server.md 8.4; vLLM's sampling parameters). */
export const vllm: ServerKind = {
	...other,
	label: 'vLLM',
	matches: (answers) =>
		ownsModels(answers, 'vllm') ||
		says(answers.models, ({ error }) => error === 'Unauthorized') ||
		// Its `/health` has an empty body, and its `/version` only a version.
		(textIn(answers, 'version', 'version') !== undefined &&
			answers.health?.status === 200 &&
			answers.health.text.trim() === ''),
	version: (answers) => textIn(answers, 'version', 'version'),
	extraFields: ['topK', 'minP', 'repeatPenalty', 'parallelToolCalls', 'chatTemplateArguments'],
	fieldNames: { repeatPenalty: 'repetition_penalty' },
	grammar: (grammar) => ({ structured_outputs: { grammar } }),
	keepsToGrammar: true,
	thinkingBudget: false,
	toolChoice: 'named',
	bearerOnly: true,
	listsLoadedModelsOnly: true,
	toolParserAdvice: ({ vllm: parser = 'NAME' }) =>
		`Start vLLM with --enable-auto-tool-choice --tool-call-parser ${parser}.`,
	benchmarkFields: { ignore_eos: true },
	sendsBase64: true,
	// -1: the model's maximum length (vLLM, embeddings API).
	truncateFields: { truncate_prompt_tokens: -1 },
	tokenRoutes: {
		tokenize: (text, { model, addSpecial, withPieces }) => ({
			path: '/tokenize',
			json: {
				model,
				prompt: text,
				add_special_tokens: addSpecial,
				...(withPieces ? { return_token_strs: true } : {}),
			},
			read: (json) => tokensIn(json, withPieces),
		}),
		detokenize: (tokens, model) => ({
			path: '/detokenize',
			json: { model, tokens },
			read: (json) => text(recordOf(json).prompt),
		}),
		countPrompt: (chat, model) => ({
			path: '/tokenize',
			json: { model, ...chat, add_generation_prompt: true },
			read: (json) => finiteNumber(recordOf(json).count),
		}),
	},
	advice: {
		...other.advice,
		missingModel: () => 'start vLLM with --served-model-name.',
		embeddingsOff: 'Start vLLM with an embedding model (--runner pooling): it serves one model.',
		rerankOff: 'Start vLLM with a reranker model (--runner pooling): it serves one model.',
		moreContext: (tokens) => `Start vLLM with --max-model-len ${tokens}.`,
	},
};
