/**
 * The words of servers that may add one changed request. A word counts as a whole, and not where the message repeats the request
 * word for word.
 *
 * What else of a server's message decides what is sent: names of fields that were sent (`named-fields.ts`), a limit to which a text
 * is shortened (`lib/tasks/shorten-text.ts`), and the words of two types, `modelLoading` and `outputParseFailed`
 * (`lib/errors/words.ts`). Otherwise a status, a code, and what the node sent and received do.
 */

/** What a word says. */
export type DecisionTopic =
	| 'loading'
	| 'unsupported'
	| 'schema'
	| 'thinking'
	| 'tools'
	| 'stream'
	| 'image'
	| 'audio';

export interface DecisionWord {
	topic: DecisionTopic;
	/** In lower case. */
	word: string;
	/** Counts only in quotation marks, in a path, or as `param`: elsewhere it is an ordinary word. */
	isOnlyInPlaces?: true;
	/** A recording in `test/fixtures`, or a public issue about one of the supported servers. */
	seen: string;
}

export const DECISION_WORDS: readonly DecisionWord[] = [
	{ topic: 'loading', word: 'loading', seen: 'llama-server-v0.5.0/loading-health.http' },
	// Of a field.
	{ topic: 'unsupported', word: 'unknown', seen: 'BerriAI/litellm issue 5888' },
	{ topic: 'unsupported', word: 'unsupported', seen: 'ggml-org/llama.cpp issue 12591' },
	{
		topic: 'unsupported',
		word: 'supported',
		seen: 'ollama-v0.17.4/api-chat/think-model-stream-low.http',
	},
	{
		topic: 'unsupported',
		word: 'support',
		seen: 'litellm-1.106.2/embeddings-refuses-encoding-format.http',
	},
	{ topic: 'unsupported', word: 'permitted', seen: 'gpustack/gpustack issue 429 (vLLM)' },
	{ topic: 'unsupported', word: 'unexpected', seen: 'BerriAI/litellm issue 25697' },
	{ topic: 'unsupported', word: 'unrecognized', seen: 'cline/cline issue 4761 (LiteLLM)' },
	{ topic: 'schema', word: 'schema', seen: 'llama-server-v0.5.0/error-schema-not-object.http' },
	{ topic: 'schema', word: 'json_schema', seen: 'lmstudio-ai/lmstudio-bug-tracker issue 169' },
	{ topic: 'schema', word: 'response_format', seen: 'lmstudio-ai/lmstudio-bug-tracker issue 169' },
	{
		topic: 'schema',
		word: 'grammar',
		seen: 'models/llama-server-xllamacpp-2026.10.11549/chat.json',
	},
	{
		topic: 'schema',
		word: 'format',
		isOnlyInPlaces: true,
		seen: 'models/llama-server-xllamacpp-2026.10.11549/peg-native.json (where it is no field)',
	},
	{ topic: 'thinking', word: 'thinking', seen: 'ollama-v0.17.4/api-chat/chat-think-true.http' },
	{
		topic: 'thinking',
		word: 'think',
		seen: 'ollama-v0.17.4/api-chat/think-model-stream-low.http',
	},
	{ topic: 'thinking', word: 'reasoning', seen: 'public-errors.jsonl (Ollama)' },
	{ topic: 'tools', word: 'tools', seen: 'ollama-v0.17.4/error-tools.http' },
	{
		topic: 'stream',
		word: 'stream',
		seen: 'models/llama-server-xllamacpp-2026.10.11549/chat.json',
	},
	{ topic: 'image', word: 'image', seen: 'llama-server-v0.5.0/error-image-no-mmproj.http' },
	{ topic: 'audio', word: 'audio', seen: 'llama-server-v0.5.0/error-audio-no-mmproj.http' },
];
