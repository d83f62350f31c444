import { anyHeader, anyModel } from './evidence';
import type { ServerKind } from './kind';
import { openAiCompatible } from './openai-compatible';

/**
 * llama-cpp-python's server (abetlen/llama-cpp-python, llama_cpp/server). By default any other request, also one for
 * the list of models, ends the running answer; an error inside a stream leaves an empty 200 (seen: 0.3.36).
 */
export const llamaCppPython: ServerKind = {
	...openAiCompatible,
	label: 'llama-cpp-python',
	recognizes: (answers) =>
		anyModel(answers, (entry) => entry.owned_by === 'me' && Array.isArray(entry.permissions)) ||
		(anyHeader(answers, 'openai-processing-ms', /^\d/) &&
			anyHeader(answers, 'server', /^uvicorn$/)),
	chat: {
		...openAiCompatible.chat,
		// It refuses OpenAI's form with 500.
		schema: { fields: (schema) => ({ response_format: { type: 'json_object', schema } }) },
		thinking: { ...openAiCompatible.chat.thinking, hasBudget: undefined },
		toolChoice: 'named',
	},
	models: { areAllLoaded: true, ignoresName: true },
	health: { otherRequestsEndAnswers: true },
	words: {
		...openAiCompatible.words,
		cutStream:
			'By default, any other request ends an answer of llama-cpp-python that is under way, also one for its list of models. Start it with --interrupt_requests false, and set Max Concurrent Requests in the credential to 1. What had arrived is in the details.',
		parseTools: () => 'Start llama-cpp-python with --chat_format chatml-function-calling.',
		embeddingsOff: 'Start llama-cpp-python with --embedding true and an embedding model.',
		moreContext: (tokens) => `Start llama-cpp-python with --n_ctx ${tokens}.`,
	},
};
