/** Written by reword.test.ts: what still depends on the words of a server. */
import type { KnownCounts, KnownRow } from './support/reword/known-rows';

export const KNOWN: readonly KnownRow[] = [
	{
		response: 'a batch that is too large',
		differs: 'advice',
		operations: ['Local Llama audio transcribe', 'Local Llama audio transcribe (once)'],
		reason: 'its words make it requestTooLarge, other words badRequest',
		mendedBy: 'advice that needs facts',
	},
	{
		response: 'a failure behind the server (424)',
		differs: 'advice',
		operations: ['Local Llama audio transcribe', 'Local Llama audio transcribe (once)'],
		reason: 'a pattern reads the sentence',
		mendedBy: 'advice that needs facts',
	},
	{
		response: 'after a part of the text: Ollama',
		differs: 'sentence',
		operations: ['Local Llama model pull'],
		reason: 'serverError has a title of its own',
		mendedBy: "the server's first sentence is the title",
	},
	{
		response: 'gpustack error-model',
		differs: 'request',
		operations: [
			'Local Llama text chat',
			'Local Llama text chat (once)',
			'Local Llama text extract',
			'Local Llama text extract (once)',
			'LocalChatModel streamed',
			'LocalChatModel streamed (once)',
		],
		reason: 'its words make it modelNotFound, other words badRequest',
		mendedBy: 'sent again by facts',
	},
	{
		response: 'litellm-1.106.2 chat-with-embedding-model',
		differs: 'advice',
		operations: [
			'Local Llama audio transcribe',
			'Local Llama audio transcribe (once)',
			'Local Llama image generate',
			'Local Llama image generate (once)',
			'Local Llama text complete',
			'Local Llama text complete (once)',
			'Local Llama vector rerank',
			'Local Llama vector rerank (once)',
		],
		reason: 'its words make it featureDisabled, other words serverError',
		mendedBy: 'advice that needs facts',
	},
	{
		response: 'litellm-1.106.2 embeddings-refuses-encoding-format',
		differs: 'learned state',
		operations: ['Local Llama vector embed (once)', 'LocalEmbeddings documents (once)'],
		reason: 'a pattern reads the sentence',
		mendedBy: 'lessons only from changed requests that succeed',
	},
	{
		response: 'models.llama-swap-0bdb372.chat broken-nostream',
		differs: 'advice',
		operations: ['Local Llama audio transcribe', 'Local Llama audio transcribe (once)'],
		reason: 'a pattern reads the sentence',
		mendedBy: 'advice that needs facts',
	},
];

/** How many of the public error responses fail. */
export const KNOWN_PUBLIC: KnownCounts = {
	'advice: a pattern reads the sentence': 2,
	'advice: its words make it badRequest, other words serverError': 1,
	'advice: its words make it featureDisabled, other words badRequest': 2,
	'request: its words make it modelNotFound, other words badRequest': 1,
	'request: its words make it modelNotFound, other words serverError': 1,
	'sentence: badRequest has a title of its own': 2,
	'sentence: keyBudgetExceeded has a title of its own': 1,
	'sentence: modelLoadFailed has a title of its own': 1,
	'sentence: promptTooLong has a title of its own': 1,
	'sentence: serverError has a title of its own': 2,
};
