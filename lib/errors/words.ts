/**
 * What servers say in words of their own, for the few causes that neither a status nor a code tells. The words choose the type, and
 * with it the advice: never the title, which is the sentence itself. Two of the types also decide whether the same request is sent
 * again: after `modelLoading`, it waits until the model is loaded (`lib/http/retry-policy.ts`); after `outputParseFailed`, it is not
 * repeated with a fixed seed (`lib/exchange/rules.ts`).
 */
import type { ErrorType } from './error-types';

/** The words of one cause. */
export interface ErrorWords {
	type: ErrorType;
	words: RegExp;
	/** The only status with which they count. Default: any. */
	status?: number;
	/** Recordings in `test/fixtures`, and public issues, whose sentences `test/lib/errors/words.cases.ts` has. */
	seen: readonly string[];
}

/** The first row whose words a message has counts. */
export const ERROR_WORDS: readonly ErrorWords[] = [
	{
		// Before all others: what follows may be the output of the model.
		type: 'outputParseFailed',
		words:
			/\bfailed to parse input at pos \d|\bproduced output that does not match\b|\berror parsing tool call\b/i,
		seen: [
			'models/llama-server-xllamacpp-2026.10.11549/peg-native.json',
			'ggml-org/llama.cpp issue 23838',
			'ollama/ollama issue 17638',
		],
	},
	{
		type: 'modelLoading',
		words: /\bloading\b/i,
		status: 503,
		seen: ['llama-server-v0.5.0/loading-health.http'],
	},
	{
		type: 'kvCacheFull',
		words: /\bcontext size has been exceeded\b/i,
		seen: ['models/llama-server-xllamacpp-2026.10.11549/chat.json'],
	},
	{
		type: 'promptTooLong',
		words: /\bcontext (?:length|size|window)\b|\bis too large to process\b/i,
		seen: [
			'models/llama-server-xllamacpp-2026.10.11549/embeddings.json',
			'vllm-0.32.0-cpu/context-overflow.http',
			'ollama-v0.17.4/api-chat/chat-long-history-no-truncate.http',
			'lmstudio-ai/lmstudio-bug-tracker issue 546',
		],
	},
	{
		type: 'grammarRejected',
		words: /\bfailed to parse grammar\b|\bjson schema error\b|\binvalid json schema\b/i,
		seen: [
			'models/llama-server-xllamacpp-2026.10.11549/chat.json',
			'ollama-v0.17.4/api-chat/chat-format-bad-schema.http',
		],
	},
	{
		type: 'toolsUnsupported',
		words:
			/\bdoes not support tools\b|\brequires --(?:jinja|enable-auto-tool-choice|tool-call-parser)\b/i,
		seen: [
			'ollama-v0.17.4/error-tools.http',
			'vllm-project/vllm issue 9986',
			'containers/ramalama issue 988 (llama-server)',
		],
	},
	{
		type: 'modalityUnsupported',
		words:
			/\b(?:image|audio|video) input is not supported\b|\bdoes not support (?:image|audio|video)s?\b/i,
		seen: [
			'llama-server-v0.5.0/error-image-no-mmproj.http',
			'lmstudio-ai/lmstudio-bug-tracker issue 908',
			'ollama/ollama issue 17301',
		],
	},
	{
		type: 'wrongModelType',
		words:
			/\bdoes not support (?:chat|generate|completions?|embeddings?|rerank\w*)(?! options?\b)\b|\bdoes not support (?:the )?[\w /()-]{1,40} API\b|\bdoes not (?:support )?logits computation\b/i,
		seen: [
			'models/ollama-v0.17.4/chat.json',
			'models/llama-server-xllamacpp-2026.10.11549/chat.json',
			'vllm-project/vllm issue 16831',
		],
	},
	{
		type: 'modelCrashed',
		words:
			/\bhas (?:unexpectedly )?(?:stopped|terminated|crashed)\b|\bwhile running the model: unexpected EOF\b|\bEngineCore encountered an issue\b/i,
		seen: [
			'ollama-v0.17.4/api-chat/chat-runner-killed.http',
			'ollama/ollama issue 13171',
			'lmstudio-ai/lmstudio-bug-tracker issue 1755',
			'vllm/error-mid-stream.http',
		],
	},
	{
		type: 'modelLoadFailed',
		words:
			/\bmodel (?:\S{1,200} )?failed to load\b|\b(?:failed|unable) to load (?:the )?model\b|\bmodel requires more system memory\b/i,
		seen: [
			'models/llama-server-v0.5.0/chat.json',
			'ollama/ollama issue 11710',
			'continuedev/continue issue 10150 (LM Studio)',
		],
	},
	{
		type: 'modelNotLoaded',
		words: /\bmodel (?:is|was) (?:not loaded|unloaded)\b|\bno models? loaded\b/i,
		seen: [
			'llama-server-v0.5.0/error-router-not-loaded.http',
			'lmstudio-ai/lmstudio-bug-tracker issue 1492',
		],
	},
	{
		type: 'modelNotFound',
		words:
			/\bmodel (?:\S{1,200} )?(?:is )?not found\b|\bmodel \S{1,200} does not exist\b|\binvalid model name\b/i,
		seen: [
			'ollama-v0.17.4/error-model.http',
			'vllm/error-model.http',
			'gpustack/error-model.http',
			'BerriAI/litellm issue 8821',
		],
	},
];

/**
 * The error type that the words of a message mean; undefined if they mean none.
 *
 * @param status - Of the response
 */
export function findTypeByWords(
	message: string,
	status: number,
	rows: readonly ErrorWords[] = ERROR_WORDS,
): ErrorType | undefined {
	return rows.find(
		(row) => (row.status === undefined || row.status === status) && row.words.test(message),
	)?.type;
}
