/** Error messages that no signal can tell apart (`signals.ts`), by the error type that they mean. */
import type { ErrorType } from './error-types';

/** GPUStack (seen: 2.3.0): a model that is stopped, and one whose server is down (aiohttp's message). */
export const NO_INSTANCE_PATTERN =
	/^no running instances|^an unexpected error occurred: (?:cannot connect to host|server disconnected)/i;

/** Whatever the status is: llama-server responds to many invalid requests with 500. The first matching row counts. */
export const TYPE_BY_TEXT: ReadonlyArray<readonly [ErrorType, ...RegExp[]]> = [
	// llama-server, before the model's output, which may contain any words
	['outputParseFailed', /\bfailed to parse input at pos \d/i, /\binvalid diff: (?:now finding|')/i],
	// nginx, Go's server
	['tlsMismatch', /plain HTTP request was sent to HTTPS port/i, /HTTP request to an HTTPS server/i],
	// llama-server: a text to embed must fit into one physical batch (-ub)
	['promptTooLong', /\binput (?:\(\d{1,9} tokens\) )?is too large to process/i],
	['kvCacheFull', /context size has been exceeded|\bincreasing context size or reducing\b/i],
	// LM Studio, "Returning 200 anyway"
	['routeNotFound', /^unexpected endpoint or method/i],
	[
		'modelLoading',
		/(?<!\berror |\bfailed )\bloading model\b/i,
		/\bmodel (?:\S+ )?is (?:still |currently )?(?:being loaded|loading)\b/i,
	],
	[
		'modalityUnsupported',
		// FastAPI servers whose messages contain only text
		/\bmessages\.\d+\.content\S{0,20}: Input should be a valid string/i,
	],
	[
		'wrongModelType',
		// llama-server: a chat with an embedding model
		/context does not (?:support )?logits computation/i,
		// Ollama, vLLM
		/does not support (?:the )?[`'"]?(?:chat|generat(?:e|ion)|completions?|embed(?:dings?)?|rerank(?:ing)?)[`'"]?(?: requests?\b|$|\.)/i,
		/\bmodel (?:\S{1,200} )?does not support (?:the )?[\w/ -]{1,40}(?: \(\w{1,20}\))? (?:api|endpoint)\b/i,
		// LocalAI, TEI
		/^rpc error: .{0,80}(?:un|not )implemented|endpoint disabled for this model|not available for this model type/i,
		// LM Studio
		/model .{0,200}(?:is not|does not appear to be) (?:an? |for )?(?:chat|embeddings?|re-?rank(?:er|ing)?|llm)\b/i,
	],
	[
		'unauthorized',
		// LiteLLM (seen: 1.109.1), with 400, if it has no database: for every key but its own
		/^no connected db\b/i,
		// FastAPI, if the header of the key is missing or has another name
		/^header\.\S{0,40}(?:auth|key|token)/i,
	],
	['featureDisabled', /^litellm\.\w+: .{0,200}unsupported provider:/i],
	['busy', NO_INSTANCE_PATTERN],
	// llama-swap, GPUStack: the upstream server does not respond
	['badGateway', /^(?:server )?connection error\b|^all connection attempts failed\b/i],
	// Ollama: its runner died
	['connectionLost', /^an error was encountered while running the model: unexpected EOF$/i],
	// Invalid requests that llama-server responds to with 500
	[
		'badRequest',
		/^(?:\[json\.exception|failed to parse (?:messages|tools):|cannot use |unknown reasoning format)/i,
		/must not be empty|'messages' is required/i,
		// Ollama: an option or a format of the wrong type
		/^(?:option "[^"]+" must be of type|invalid format:)/i,
	],
	[
		'grammarRejected',
		// llama-server wraps schema errors in the sentence about templates.
		/json schema (?:error|conversion failed)|failed to (?:parse grammar|initialize samplers)/i,
	],
	[
		'templateRejected',
		/unable to generate parser for this template/i,
		/\bjinja exception\b|\bTemplateError\b/i,
		/conversation roles must alternate/i,
	],
	[
		'toolsUnsupported',
		/tools? param requires --jinja|does not support tools|cannot use tools with stream/i,
		/requires --(?:enable-auto-tool-choice|tool-call-parser)|with --tool-call-parser/i,
		// FastAPI servers that reject unknown fields, or whose messages support every role except that of a tool result
		/(?:\bbody\.|^)tools(?::|\r?\n) *extra (?:inputs are|fields) not permitted/im,
		/\bmessages\.\d+\.role\b(?=.{0,200}'user')(?=.{0,200}'assistant')(?=.{0,200}'system')(?!.{0,200}'tool')/i,
	],
	[
		'modelLoadFailed',
		/\bmodel\b.{0,200}\bfailed to load\b/i,
		// LM Studio, LocalAI, Ollama
		/(?:failed to|could not|error) load(?:ing)? model\b|model requires more system memory/i,
		// llama-swap
		/upstream command exited prematurely|failed to start command/i,
	],
	[
		'modelNotFound',
		/^model .*not found|model not found|no such model/i,
		/model .{0,200} does not exist/i,
		// speaches
		/^model '.*' is not installed locally/i,
		// llama-swap
		/no router for requested model|could not find (?:real modelID|suitable handler) for/i,
		// LiteLLM
		/invalid model(?: name| id)?(?: passed in model=|: | in request)|llm provider not provided/i,
		/^key not allowed to access model\b/i,
	],
];

/** Types by the type or code inside an error, if it is clearer than any text. */
export const TYPE_BY_CODE: Readonly<Record<string, ErrorType>> = {
	exceed_context_size_error: 'promptTooLong',
	// OpenAI's own codes, which vLLM, LM Studio and LiteLLM took over
	context_length_exceeded: 'promptTooLong',
	insufficient_quota: 'keyBudgetExceeded',
	// LiteLLM
	all_deployments_in_cooldown: 'busy',
	budget_exceeded: 'keyBudgetExceeded',
};

/** Types by codes that count after the text: LM Studio sends this one if embeddings are requested from a chat model. */
export const TYPE_BY_WEAK_CODE: Readonly<Record<string, ErrorType>> = {
	model_not_found: 'modelNotFound',
	ModelNotFoundError: 'modelNotFound',
};
