import type { ServerKind, Words } from './kind';

/** Sentences for a server whose options are not known here. */
export const PLAIN_WORDS: Words = {
	noModels: 'Start it with a model. If it has one, allow the key to use it.',
	context: (tokens) => `Start the server with a context of at least ${tokens} tokens.`,
	tools:
		'Choose a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), and switch on tool calling in the server.',
	embeddings: 'Start a server for an embedding model, for example llama-server with --embeddings.',
	rerank: 'Start a server for a reranker model, for example llama-server with --rerank.',
};

const SHORTEN =
	'keep fewer messages in the memory or set History Budget in Local Chat Model, use fewer tools, or shorten the input.';

/** What to do about failures on servers that are not llama-server, whose options the general advice names. */
export const PLAIN_REMEDIES: NonNullable<Words['remedies']> = {
	wrongPath:
		'Check the Base URL, unless other requests work with it: then the server lacks this route, and may be for something else. Else type just its address, the package adds /v1 itself.',
	contextOverflow: `Give the model a larger context on the server, ${SHORTEN} Many servers count Maximum Tokens, too: lower them.`,
	contextExceeded:
		'Give the server a larger context, or lower Max Concurrent Requests in the credential.',
	templateRejected:
		'Some templates want user and assistant to take turns, or allow no system message. Change the prompt or the memory, or give the model another chat template.',
	toolsUnsupported: PLAIN_WORDS.tools,
	modalityUnsupported:
		'Choose a model that can read it. If the model does not need the images, turn off passing binary images to it.',
	outputUnreadable:
		'Ask again, without a fixed Seed. If it happens often: update the server, take the chat template that was made for the model, or do not use a response format together with tools.',
	toolCallInvalid:
		'Lower the temperature, simplify the tool, or use a model with better tool support.',
	modelFailedToLoad:
		'Usually there is not enough memory: choose a smaller context or a smaller quantization. The log of the server says more.',
};

/** Any server with OpenAI's API: it gets everything that the user set, and what it refuses is left out. */
export const other: ServerKind = {
	label: 'An OpenAI-compatible server',
	recognizes: () => true,
	fields: 'all',
	thinking: 'template',
	words: PLAIN_WORDS,
};
