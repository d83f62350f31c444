/** Error messages of supported servers, by the error type that they mean. New messages go into the row of their type. */
import type { ErrorType } from './error-types';

/** GPUStack (seen: 2.3.0): a model that is stopped, and one whose server is down (aiohttp's message). */
export const NO_INSTANCE_PATTERN =
	/^no running instances|^an unexpected error occurred: (?:cannot connect to host|server disconnected)/i;

type ErrorPattern = readonly [ErrorType, ...RegExp[]];

/**
 * Types by the text of an error, whatever its status: llama-server responds to many invalid requests with 500. The
 * first matching row counts.
 */
export const TYPE_BY_TEXT: readonly ErrorPattern[] = [
	[
		'outputParseFailed',
		/output that does not match the expected .{0,200} format/i,
		// llama-server, before the rest of the model's output, which may match any row
		/\bfailed to parse input at pos \d/i,
		// llama-server: "now finding less tool calls!", or the text that was not found
		/\binvalid diff: (?:now finding|')/i,
	],
	// nginx, Go's server
	['tlsMismatch', /plain HTTP request was sent to HTTPS port/i, /HTTP request to an HTTPS server/i],
	[
		'promptTooLong',
		// llama-server, Ollama with truncate: false, LiteLLM
		/\bexceeds? (?:the )?(?:\w{1,20} )?context\b/i,
		// llama-server: a text to embed must fit into one physical batch (-ub)
		/\binput (?:\(\d{1,9} tokens\) )?is too large to process/i,
		// vLLM, also with images
		/(?:larg|long)er than the m(?:ax|odel)(?:imum model|'s|_)? ?(?:context|length)/i,
		/maximum context length|context length exceeded/i,
		// LM Studio
		/tokens to keep from the initial prompt is greater than the context length/i,
		/\bn_keep\W{1,3}\d+\)?\s*>=\s*n_ctx\b/i,
		// TEI
		/`inputs` must have less than \d/i,
		// FastAPI servers with transformers
		/\b(?:prompt|input) is too long\b.{0,40}\btokens?\b/i,
	],
	['kvCacheFull', /context size has been exceeded|\bincreasing context size or reducing\b/i],
	// LM Studio, "Returning 200 anyway"
	['routeNotFound', /^unexpected endpoint or method/i],
	[
		'modelLoading',
		/(?<!\berror |\bfailed )\bloading model\b/i,
		/\bmodel (?:\S+ )?is (?:still |currently )?(?:being loaded|loading)\b/i,
	],
	[
		'fileUnreadable',
		// llama-server
		/failed to (?:decode|load|open) (?:the )?(?:image|audio|video)\b/i,
		// Ollama (its issues 11320, 12951)
		/^invalid image input\b|image: unknown format/i,
	],
	[
		'modalityUnsupported',
		/(?:image|audio|video) input is not supported|does not support (?:image|vision|multimodal)|is not a multimodal model/i,
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
	// LM Studio, with 400
	['serverError', /^the model has crashed/i],
	['invalidToolCallInHistory', /failed to parse tool call arguments/i],
	[
		'unauthorized',
		// LiteLLM (seen: 1.109.1), with 400, if it has no database: for every key but its own
		/^no connected db\b/i,
		// FastAPI, if the header of the key is missing or has another name
		/^header\.\S{0,40}(?:auth|key|token)/i,
	],
	['featureDisabled', /^litellm\.\w+: .{0,200}unsupported provider:/i],
	[
		'busy',
		/^too many (?:concurrent )?requests\b/i,
		/^rate limit (?:reached|exceeded)\b/i,
		/\bqueue is full\b|^server (?:is )?(?:busy|overloaded)\b/i,
		NO_INSTANCE_PATTERN,
	],
	[
		'badGateway',
		/^(?:server )?connection error\b/i,
		// llama-swap, nginx and GPUStack: the upstream server does not respond
		/\bdial tcp\b.{0,300}: |\bECONNREFUSED\b|\bconnection refused\b|^all connection attempts failed\b/i,
	],
	// Ollama: its runner died
	['connectionLost', /^an error was encountered while running the model: unexpected EOF$/i],
	// Invalid requests that llama-server responds to with 500
	[
		'badRequest',
		/^(?:\[json\.exception|failed to parse (?:messages|tools):|cannot use both|unknown reasoning format|invalid base64|failed to (?:download|load) image)/i,
		/must not be empty|'messages' is required/i,
		// Ollama: an option or a format of the wrong type
		/^(?:option "[^"]+" must be of type|invalid format:|invalid JSON schema in format)/i,
	],
	[
		'grammarRejected',
		/failed to (?:parse grammar|initialize samplers)|json schema (?:error|conversion failed)|invalid grammar|unsupported.{0,200}(?:schema|pattern)/i,
	],
	// After the row for grammars: llama-server wraps schema errors in the same sentence.
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
		/model (?:name=)?.{0,200} failed to load/i,
		// LM Studio, LocalAI, Ollama
		/(?:failed to|could not|error) load(?:ing)? model\b|model requires more system memory/i,
		// llama-swap
		/upstream command exited prematurely|failed to start command/i,
	],
	[
		'modelNotFound',
		/^model .*not found|model not found|no such model/i,
		/model .{0,200} does not exist/i,
		/model (?:\S{1,200} )?(?:is|has) not (?:been )?loaded|^model (?:is )?unloaded/i,
		// LM Studio
		/(?:^|\. )no (?:\w{1,20} )?models? (?:is |are )?(?:currently )?loaded\b/i,
		// speaches
		/^model '.*' is not installed locally/i,
		// llama-swap
		/no router for requested model|could not find (?:real modelID|suitable handler) for/i,
		// LiteLLM
		/invalid model(?: name| id)?(?: passed in model=|: | in request)|llm provider not provided/i,
		/^key not allowed to access model\b/i,
	],
];

/** Types by the type or code inside an error, which are clearer than any text. */
export const TYPE_BY_CODE: Readonly<Record<string, ErrorType>> = {
	exceed_context_size_error: 'promptTooLong',
	// OpenAI's own codes, which vLLM, LM Studio and LiteLLM took over
	model_not_found: 'modelNotFound',
	ModelNotFoundError: 'modelNotFound',
	context_length_exceeded: 'promptTooLong',
	insufficient_quota: 'keyBudgetExceeded',
	// LiteLLM
	all_deployments_in_cooldown: 'busy',
	budget_exceeded: 'keyBudgetExceeded',
};
