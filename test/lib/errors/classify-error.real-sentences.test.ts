/**
 * Sentences of servers as their sources write them, in every form of a body: what they mean, and what their suggestion must not
 * say. A cause that is only guessed, and an option or a server that is not there, are worse than the plain message.
 */
import { classifyErrorResponse, classifyStreamError } from '../../../lib/errors/classify-error';
import type { ErrorType } from '../../../lib/errors/error-types';

interface Sentence {
	/** Server and file, or the server whose wording is a sibling. */
	source: string;
	message: string;
	/** Default: 500 */
	status?: number;
	type: ErrorType;
	title?: RegExp;
	suggestion?: RegExp;
	/** What title and suggestion must not say. */
	not?: RegExp;
}

const json = JSON.stringify;

/** Each sentence is the same error in each of them. */
const FORMS: ReadonlyArray<[form: string, toBody: (message: string) => string]> = [
	['OpenAI', (message) => json({ error: { message, type: 'server_error', code: null } })],
	['a text in the field error', (message) => json({ error: message })],
	['FastAPI', (message) => json({ detail: message })],
	['SGLang', (message) => json({ object: 'error', message, type: 'Error', code: 500 })],
	['plain text', (message) => message],
	['behind a gateway', (message) => json({ error: { message: json({ error: { message } }) } })],
];

const classify = (status: number, body: string) =>
	classifyErrorResponse({ status, body }, { model: 'm' });

function expectSentence(
	{ type, title = /./, suggestion = /./, not }: Sentence,
	error: ReturnType<typeof classify>,
) {
	const shown = `${error.message}\n${error.suggestion}`;
	expect([error.type, error.message, error.suggestion]).toEqual([
		type,
		expect.stringMatching(title),
		expect.stringMatching(suggestion),
	]);
	if (not !== undefined) expect(shown).not.toMatch(not);
}

const MEMORY = /memory/i;

const SENTENCES: readonly Sentence[] = [
	// A server without grammars: no schema can be simple enough.
	...[
		['text-generation-inference', 'Input validation error: grammar is not supported'],
		['vLLM', 'Structured outputs are not supported by this backend'],
		['a gateway', 'This model does not support json_schema'],
		['another server', 'guided decoding is not enabled'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 422,
		type: 'grammarRejected',
		title: /cannot keep output to a schema or grammar$/,
		suggestion: /^Use a server or a model that supports it/,
		not: /[Ss]implify/,
	})),
	{
		source: 'llama-server',
		message: 'JSON schema conversion failed: the keyword "not" is not supported',
		status: 400,
		type: 'grammarRejected',
		title: /cannot convert the schema or grammar/,
	},
	{ source: 'Jan', message: 'Engine is not loaded yet', status: 400, type: 'modelNotLoaded' },
	// A template that the server cannot run: the conversation is not the cause.
	...[
		[
			'LM Studio 0.4.16',
			'Error rendering prompt with jinja template: "Cannot call something that is not a function: got UndefinedValue".',
		],
		['LM Studio 0.3', 'Error rendering prompt with jinja template: "Unknown test: sequence".'],
		[
			'LM Studio 0.3',
			'Error rendering prompt with jinja template: "Error: Parser Error: Expected closing statement token. OpenSquareBracket !== CloseStatement."',
		],
		['llama-server', 'Value is not callable: null at row 58, column 111: {% if x %}'],
		['vLLM', "No filter named 'tojson_pretty'."],
		['mlx-lm', "Encountered unknown tag 'generation'. Jinja was looking for: 'elif'."],
		[
			'Ollama',
			'template: :28:7: executing "" at <.ToolCalls>: can\'t evaluate field ToolCalls in type *api.Message',
		],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'templateRejected',
		title: /^The server cannot run the chat template of the model "m"$/,
		suggestion: /update the server/,
		not: /alternat|memory/i,
	})),
	{
		source: 'a template itself',
		message: 'Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/...',
		type: 'templateRejected',
		title: /rejected this conversation/,
		suggestion: /alternating/,
	},
	// No template
	...[
		['TabbyAPI', 'Chat completions are disabled because a prompt template is not set.'],
		['Xinference', 'chat_template is required for model m, but none was provided.'],
		['SGLang', 'tokenizer.chat_template is not set and no template argument was passed!'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'templateRejected',
		title: /has no chat template/,
	})),
	// What a model lacked to be loaded
	...[
		['Ollama', 'requested model (18.4 GiB) is too large for this system (6.8 GiB)'],
		['Ollama', 'model requires more system memory (8.2 GiB) than is available (4.1 GiB)'],
		[
			'Lemonade',
			"Model 'm' is not available on this system. This model requires approximately 42.5 GB of memory, but your system only has 16.0 GB of RAM.",
		],
		[
			'LM Studio',
			'Failed to load model: Model loading was stopped due to insufficient system resources.',
		],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'modelLoadFailed',
		title: /does not fit into the memory of the server$/,
		suggestion: /smaller model/,
		not: /version|disk|Send less/,
	})),
	...[
		['LocalAI', 'loading model m on node gpu-1: no node has enough free disk for the model'],
		['Ollama', 'unable to load model: write /models/blobs/x: no space left on device'],
		['a FastAPI server', 'Failed to load model: [Errno 28] No space left on device'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'modelLoadFailed',
		title: /^The server has no disk space for the model "m"$/,
		suggestion: /Memory is not the cause/,
		not: /quantization|--ctx-size/,
	})),
	...[
		[
			'Ollama',
			"'llama3.2-vision' is no longer compatible with your version of Ollama and has been replaced by a newer version. To re-download, run 'ollama pull llama3.2-vision'",
		],
		[
			'Ollama',
			'llama-server process has terminated: exit status 1: this model may be incompatible with your version of Ollama. If you previously pulled this model, try updating it by running `ollama pull m`',
		],
		['Ollama', 'The model you are attempting to use requires a newer version of Ollama.'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'modelLoadFailed',
		title: /the version of the server do not match$/,
		suggestion: /Update the server/,
		not: /quantization|--ctx-size/,
	})),
	{
		source: 'Ollama, which guesses',
		message:
			'model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details',
		type: 'modelLoadFailed',
		title: /^The server could not load the model "m"$/,
	},
	// Too slow, or not yet
	...[
		['llama-swap', 'unspecific error: health check timed out after 2m0s'],
		['Docker Model Runner', 'unable to load runner: inference backend took too long to initialize'],
		['Ollama', 'timed out waiting for llama-server to start: context deadline exceeded'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'modelLoadFailed',
		title: /took longer to load than its server waits$/,
		not: /insufficient memory/,
	})),
	{
		source: 'Docker Model Runner',
		message:
			'unable to load runner: error waiting for runner to be ready: llama.cpp terminated unexpectedly: llama.cpp exit status: exit status 0xc0000005',
		type: 'modelLoadFailed',
	},
	{
		source: 'LocalAI, after a failed load',
		status: 503,
		message: 'model "m" load is in cooldown after a recent failure; retry after 30s',
		type: 'modelLoadFailed',
		not: /gateway|slots/,
	},
	...[
		['llama-swap', '[m] process is not ready'],
		['a router', 'The engine is not yet ready'],
		['KServe', 'Model with name m is not ready.'],
		['llama-server', 'Loading model'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 503,
		type: 'modelLoading',
	})),
	// A host that the server does not reach: no process of its own is starting.
	...[
		[
			'Ollama, a model of ollama.com',
			'Post "https://ollama.com:443/api/chat": dial tcp: lookup ollama.com on 127.0.0.11:53: no such host',
			'ollama.com',
		],
		[
			'llama-swap, a peer',
			'peer proxy error: dial tcp 192.168.1.5:8080: connect: no route to host',
			'192.168.1.5',
		],
		['aiohttp', 'Cannot connect to host gpu.lan:8000 ssl:default [Connect call failed]', 'gpu.lan'],
		['Node.js', 'request failed, reason: getaddrinfo ENOTFOUND ollama', 'ollama'],
		[
			'urllib3',
			"HTTPConnectionPool(host='vllm', port=8000): Max retries exceeded with url: /v1 (Caused by NewConnectionError: [Errno 111] Connection refused)",
			'vllm',
		],
	].map(([source = '', message = '', host = '']): Sentence => ({
		source,
		message,
		type: 'modelUnreachable',
		title: new RegExp(`^The server does not reach the host "${host}"$`),
		suggestion: /DNS/,
		not: /may be starting/,
	})),
	...[
		['LocalAI', 'dial tcp 127.0.0.1:61992: connect: connection refused'],
		['Node.js', 'connect ECONNREFUSED 127.0.0.1:8080'],
		['aiohttp', 'Cannot connect to host localhost:8000 ssl:default [Connect call failed]'],
	].map(([source = '', message = '']): Sentence => ({
		source: `${source}, its own process`,
		message,
		type: 'modelUnreachable',
		title: /the process that runs the model "m"$/,
	})),
	// Memory for a prompt: a larger context needs more of it.
	...[
		[
			'oMLX',
			'oMLX prefill memory guard rejected this prompt:\n  Prefill context too large for available memory (preflight safety guard, kv_len=32257, min_chunk=32): predicted peak would require ~113.61 GB (current 112.75 GB + KV 630.04 MB + min-chunk transient 245.89 MB) but prefill safety cap is 107.55 GB (90% of effective ceiling 119.50 GB). Reduce context length, free system memory, or loosen memory_guard_tier.',
		],
		['oMLX', 'Memory limit exceeded during prefill'],
		[
			'oMLX',
			'Request aborted: process memory limit exceeded (usage 45.7 GB, abort threshold (hard watermark) 42.4 GB, ceiling 44.6 GB). Reduce context length, free system memory, or loosen memory_guard_tier.',
		],
		[
			'oMLX',
			'Prefill would require ~52.38 GB peak (current 44.85 GB + KV+SDPA 7.53 GB) but metal_cap ceiling is 50.00 GB. Raise kernel iogpu.wired_limit_mb, or reduce context length.',
		],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'promptTooLong',
		title: /^The prompt needs more memory than the server allows$/,
		suggestion: /A larger context does not help/,
		not: /--ctx-size|crashed|needs \d/,
	})),
	{
		source: 'mlx-lm, which ends',
		message: '[METAL] Command buffer execution failed: Insufficient Memory',
		type: 'modelCrashed',
		title: MEMORY,
	},
	// Busy, with any status
	...[
		['Ollama', 'no slots available after 10 retries'],
		['LocalAI', 'no healthy nodes available and eviction failed: all models busy, cannot evict'],
		['llama-swap', 'selector "fast" has no available spillover targets'],
		['a router', 'All workers are busy'],
		['LiteLLM', 'Too many tokens, please wait before trying again.'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		type: 'busy',
		not: MEMORY,
	})),
	// A missing model, by the router in front of the servers
	...[
		['llama-swap', 'no local server found for requested model'],
		['llama-swap', 'no peer found for requested model'],
		['a gateway', 'No provider configured for model m'],
		['Lemonade', 'Lemond is in offline mode, models not downloaded'],
		['LM Studio', 'Model "m" has not been downloaded yet'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 404,
		type: 'modelNotFound',
		not: /path/,
	})),
	// A model of another kind, in the plural too
	...[
		['Lemonade', 'Whisper models do not support chat completion. Use audio transcription instead.'],
		['Lemonade', 'Kokoro does not support text completion. Use audio speech endpoints instead.'],
		['Ollama', '"nomic-embed-text" does not support chat'],
		['vLLM', 'The model does not support Embeddings API'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 400,
		type: 'wrongModelType',
		not: /audio input|mmproj/,
	})),
	...[
		['mlx-lm', "Only 'text' content type is supported."],
		['a FastAPI server', 'Only text inputs are currently supported'],
		['a FastAPI server', 'Only "text" content parts are allowed'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 404,
		type: 'modalityUnsupported',
		not: /path/,
	})),
	{
		source: 'a FastAPI server',
		message: 'Only text responses are supported.',
		status: 400,
		type: 'badRequest',
	},
	...[
		['Xinference', "Only ['qwen2.5-instruct', 'qwen3'] support tool calls"],
		['Xinference', "Only ['qwen2.5-instruct', 'qwen3'] support tool messages"],
		['a FastAPI server', 'Only instruct models support function calling.'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 400,
		type: 'toolsUnsupported',
	})),
	{
		source: 'DeepSeek',
		message: 'Thinking mode does not support this tool_choice',
		status: 400,
		type: 'badRequest',
		not: /does not support tool calls/,
	},
	...[
		['Ollama', 'this model only supports one image while more than one image requested'],
		['a FastAPI server', 'At most one image is allowed per request'],
		['vLLM', 'At most 1 image(s) may be provided in one prompt.'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 400,
		type: 'tooManyFiles',
	})),
	{
		source: 'a FastAPI server',
		message: 'Only one audio format is possible here.',
		status: 400,
		type: 'badRequest',
	},
	{
		source: 'Ollama',
		message: 'system message cannot contain images',
		status: 400,
		type: 'badRequest',
		not: /does not support image/,
	},
	// One field and its limit
	...[
		['TGI', 'Input validation error: `max_new_tokens` must be <= 512. Given: 2048'],
		['TGI', '`truncate` must be < 4096. Given: 9000'],
		['a FastAPI server', 'max_tokens must be <= 4096, got 8192'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 422,
		type: 'badRequest',
		not: /prompt needs/,
	})),
	{
		source: 'TGI, about both together',
		message:
			'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 1024 `max_new_tokens`',
		status: 422,
		type: 'promptTooLong',
	},
	// Bans: a repetition prolongs them.
	...[
		['Xinference', 'Too many failed attempts. IP temporarily banned.'],
		['a proxy', 'Too many failed login attempts, try again in 10 minutes'],
		['a FastAPI server', 'Your IP address 10.0.0.5 is banned'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 429,
		type: 'unauthorized',
		title: /blocks n8n/,
		suggestion: /until the ban ends/,
		not: /Max Concurrent/,
	})),
	// A model that the key may not use
	...[
		['LocalAI', 'access denied to model: m'],
		['Xinference', 'API key does not have access to model: m'],
		['TabbyAPI', "Unable to switch model to m because an admin key isn't provided"],
		['a gateway', 'You have no access to this model'],
		['GPUStack', 'Model not found'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 403,
		type: 'modelNotFound',
		title: /^The API key has no access to the model "m"$/,
		not: /ollama pull/,
	})),
	// What a server does not allow: its reason, no guess
	...[
		['Ollama', 'ollama cloud is disabled: remote model is unavailable'],
		[
			'LocalAI',
			'model "m" is disabled and cannot be loaded. Enable it via the System page or API to use it.',
		],
		['Docker Model Runner', 'Origin not allowed'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 403,
		type: 'forbidden',
		suggestion: /^The server message has the reason/,
		not: /\bkey\b/i,
	})),
	...[
		['GPUStack', 'API key does not have permission to access inference features'],
		['LocalAI', 'feature not enabled for your account: chat'],
		['OpenRouter', 'OpenAI is requiring a key to access this model'],
	].map(([source = '', message = '']): Sentence => ({
		source,
		message,
		status: 403,
		type: 'forbidden',
		suggestion: /^The server message says what is missing/,
		not: /may be wrong/,
	})),
	{
		source: 'without a reason',
		message: 'Forbidden',
		status: 403,
		type: 'forbidden',
		suggestion: /^The key may be wrong/,
	},
	// Numbers of a context
	{
		source: 'TabbyAPI',
		message: 'Prompt length 9000 exceeds the available context size of 8192 tokens',
		status: 400,
		type: 'promptTooLong',
		title: /^The prompt needs 9000 tokens, but the context has 8192$/,
	},
	{
		source: 'llama-server',
		message: 'request (3000 tokens) exceeds the available context size (1024 tokens)',
		status: 400,
		type: 'promptTooLong',
		title: /but a server slot has 1024$/,
	},
	{
		source: 'TabbyAPI, prompt and response',
		message:
			'Initial job allocation requires 12544 cache tokens, which exceeds the available context size of 8192 tokens',
		status: 400,
		type: 'promptTooLong',
		not: /12544/,
	},
];

describe.each(FORMS)('as %s', (form, toBody) => {
	test.each(SENTENCES)('$source: $message', (sentence) => {
		const { message, status = 500 } = sentence;
		if (form === 'plain text' && status === 429) return;
		expectSentence(sentence, classify(status, toBody(message)));
	});
});

const BY_STATUS = new Set<ErrorType>(['forbidden', 'badRequest']);

test.each(
	SENTENCES.filter(({ type, message }) => !BY_STATUS.has(type) && message !== 'Model not found'),
)('in an event after text: $source: $message', (sentence) => {
	const title = sentence.message.includes('access') ? /./ : sentence.title;
	expectSentence(
		{ ...sentence, title, not: undefined },
		classifyStreamError(json({ error: sentence.message }), { model: 'm' }),
	);
});

describe('Ollama that is not signed in to ollama.com', () => {
	const body = { error: 'unauthorized', signin_url: 'https://ollama.com/connect?name=pc' };

	test.each([
		['a response', classify(401, json(body))],
		['an event', classifyStreamError(json(body), { model: 'm' })],
		[
			'behind LiteLLM',
			classify(500, json({ error: { message: `litellm.APIConnectionError: ${json(body)}` } })),
		],
		[
			'a server of the type Ollama',
			classifyErrorResponse(
				{ status: 401, body: json(body) },
				{ model: 'm', getSuggestion: () => 'a proxy wants a key' },
			),
		],
	])('as %s: the key of the credential is not the cause', (_form, error) => {
		expect([error.type, error.message]).toEqual([
			'upstreamKeyRejected',
			'Ollama is not signed in to ollama.com',
		]);
		expect(error.suggestion).toContain('ollama signin');
	});

	test('a 401 without that page is about the key', () => {
		expect(classify(401, json({ error: 'unauthorized' })).type).toBe('unauthorized');
	});
});

describe('a path that a server behind LiteLLM lacks', () => {
	test.each([
		"litellm.NotFoundError: NotFoundError: Hosted_vllmException - Error code: 404 - {'detail': 'Not Found'}. Received Model Group=m",
		'litellm.NotFoundError: NotFoundError: OpenAIException - 404 page not found',
		'litellm.NotFoundError: OpenAIException - {"detail":"Not Found"}',
	])('the Base URL is right: %s', (message) => {
		const error = classify(404, json({ error: { message } }));
		expect([error.type, error.message]).toEqual([
			'routeNotFound',
			'The server behind the gateway has no such path',
		]);
		expect(error.suggestion).toContain('api_base');
	});

	test('the gateway itself lacks it', () => {
		expect(classify(404, json({ detail: 'Not Found' })).suggestion).toContain('Base URL');
	});
});

describe('codes that say more than the words', () => {
	test.each<[code: string, status: number, type: ErrorType]>([
		['model_loading', 503, 'modelLoading'],
		['model_not_loaded', 500, 'modelNotLoaded'],
		['model_not_found', 404, 'modelNotFound'],
	])('%s', (code, status, type) => {
		const message = 'model m is staging on node gpu-1';
		expect(classify(status, json({ error: { message, type: code } })).type).toBe(type);
		expect(classify(status, json({ error: { message, code } })).type).toBe(type);
		const event = classifyStreamError(json({ error: { message, code } }), { model: 'm' });
		expect(event.type).toBe(type);
	});
});

describe('a route that LM Studio does not have, with status 200', () => {
	test.each([
		'Unexpected endpoint or method. (POST /chat/completions)',
		'Unexpected endpoint or method. (GET /v1/rerank)',
		'Unexpected endpoint or method. (POST /v1/audio/speech). Returning 200 anyway',
	])('the path is the cause: %s', (error) => {
		expect(classifyStreamError(json({ error }), { model: 'm' }).type).toBe('routeNotFound');
		expect(classify(200, json({ error })).type).toBe('routeNotFound');
	});

	test.each(['Not Found', 'Method Not Allowed', 'no such route'])(
		'the status of an error in the middle of a response is not that of its route: %s',
		(message) => {
			const error = classifyStreamError(json({ error: { message, code: 404 } }), { model: 'm' });
			expect([error.type, error.message]).toEqual(['streamError', message]);
		},
	);
});

describe('the status of a gateway in the words of another one', () => {
	test.each<[source: string, status: number, body: string, type: ErrorType]>([
		['Traefik, middleware Errors', 404, 'Bad Gateway', 'badGateway'],
		['Traefik, middleware Errors', 403, 'Bad Gateway\n', 'badGateway'],
		['a program behind it', 500, json({ detail: 'Gateway Timeout' }), 'gatewayTimeout'],
		[
			'httpx in LiteLLM',
			500,
			json({
				error: {
					message:
						"litellm.APIConnectionError: OllamaException - Server error '502 Bad Gateway' for url 'http://localhost:11434/api/generate'",
				},
			}),
			'badGateway',
		],
		[
			'requests',
			500,
			json({ detail: '504 Server Error: Gateway Time-out for url: http://gpu/v1' }),
			'gatewayTimeout',
		],
		['its own status counts more', 404, '404 page not found', 'routeNotFound'],
		['a message about something else', 400, json({ detail: 'The field 502 is bad' }), 'badRequest'],
	])('%s (%d)', (_source, status, body, type) => {
		expect(classify(status, body).type).toBe(type);
	});
});

describe('a fault in the program of the server', () => {
	test.each([
		"Cannot read properties of null (reading 'type')",
		'messages is not iterable',
		"'NoneType' object has no attribute 'strip'",
		'list index out of range',
	])('no option is its cause: %s', (message) => {
		const error = classify(400, json({ error: message }));
		expect([error.type, error.message]).toEqual(['badRequest', message]);
		expect(error.suggestion).toMatch(/^This is a fault in the program/);
	});

	test('a field is named by its value', () => {
		expect(classify(422, json({ detail: 'top_k is not an integer' })).suggestion).toContain(
			'field',
		);
	});
});

test.each<[status: number, body: string, not: RegExp]>([
	[
		503,
		'<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>',
		/nginx/,
	],
	[
		429,
		json({ detail: 'Rate limit reached for the model. Request limit 1 for the model: m' }),
		/proxy|gateway/,
	],
])('a suggestion for status %d names no program that is not there', (status, body, not) => {
	expect(classify(status, body).suggestion).not.toMatch(not);
});

test('the numbers of SGLang are the title', () => {
	const message = 'Input length 131393 exceeds the maximum allowed input length of 131040 tokens.';
	expect(classify(400, json({ object: 'error', message })).message).toBe(
		'The prompt needs 131393 tokens, but the context has 131040',
	);
});
