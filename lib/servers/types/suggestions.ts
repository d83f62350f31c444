/** Suggestions for servers other than llama-server, whose options the general suggestions name. */
import type { ErrorType } from '../../errors/error-types';

type Suggestions = Readonly<Partial<Record<ErrorType, string>>>;

const SHORTEN =
	'keep fewer messages in memory or set History Budget in Local Chat Model, use fewer tools, or shorten the input.';

/** For a server with unknown options. */
export const DEFAULT_SUGGESTIONS: Suggestions = {
	routeNotFound:
		'If other requests to this Base URL work, the server does not have this endpoint and may serve other tasks. Otherwise enter only the server address: /v1 is added automatically.',
	promptTooLong: `Give the model a larger context on the server, ${SHORTEN} Many servers also count Maximum Tokens: lower it.`,
	kvCacheFull:
		'Give the server a larger context, or lower Max Concurrent Requests in the credential.',
	templateRejected:
		'Some templates require alternating user and assistant messages, or allow no system message. Change the prompt or the memory, or give the model another chat template.',
	toolsUnsupported:
		'Use a model whose chat template supports tools (Qwen, Llama 3.1 or newer, Mistral, gpt-oss), and enable tool calling in the server.',
	modalityUnsupported:
		'Use a model that supports it. If the model does not need the images, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
	outputParseFailed:
		'Try again without a fixed Seed. If this happens often: update the server, use the chat template made for the model, or do not combine a response format with tools.',
	invalidToolCall:
		'Lower the temperature, simplify the tool, or use a model with better tool support.',
	modelLoadFailed:
		'The usual cause is insufficient memory: use a smaller context or a smaller quantization. Check the server log for details.',
};

export const OLLAMA_SUGGESTIONS: Suggestions = {
	...DEFAULT_SUGGESTIONS,
	routeNotFound: `${DEFAULT_SUGGESTIONS.routeNotFound} A very old Ollama has no /v1 routes: update it.`,
	connectionRefused:
		'Ollama is down, still starting, on another port, or listens on 127.0.0.1 only. Start it with OLLAMA_HOST=0.0.0.0 (ollama serve), check the port (11434), and check its log.',
	promptTooLong: `Set a larger Context Size in the options of the node, start Ollama with a larger OLLAMA_CONTEXT_LENGTH, set num_ctx in the Modelfile, ${SHORTEN}`,
	modelNotFound: 'Select the model from the list, or download it first with "ollama pull".',
	toolsUnsupported:
		'Use a model that lists "tools" under its capabilities (ollama show NAME), such as Qwen, Llama 3.1 or newer, Mistral or gpt-oss.',
	modalityUnsupported:
		'Use a model that lists "vision" (for audio: "audio") under its capabilities (ollama show NAME). If the model does not need the images, do not pass them on (AI Agent: Automatically Passthrough Binary Images).',
	templateRejected:
		'Some templates require alternating user and assistant messages, or allow no system message. Change the prompt or the memory, or set another TEMPLATE in the Modelfile.',
};
