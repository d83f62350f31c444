/**
 * What servers write into their errors, and the kind of failure that each means. One table for all servers: a gateway
 * hands on the words of any server behind it.
 */
import type { FailureKind } from './kinds';

/** GPT-Load (seen: cc5383c), with 503: it has no key left for the server behind it. */
export const NO_KEYS = /^no active api keys available\b/i;

/** GPUStack (seen: 2.3.0): of a model that is stopped, and of one whose server is down, in the words of aiohttp. */
export const NO_INSTANCE =
	/^no running instances|^an unexpected error occurred: (?:cannot connect to host|server disconnected)/i;

/**
 * Kinds by the text of an error, whatever its status. New words go into the row of their kind. Where two rows match, the
 * first counts. A comment names the servers of the lines below it, up to the next comment.
 */
export const BY_TEXT: ReadonlyArray<readonly [FailureKind, ...RegExp[]]> = [
	// nginx, Go's server, Apache
	[
		'tlsMismatch',
		/plain HTTP request was sent to HTTPS port/i,
		/HTTP request to an HTTPS server/i,
		/speaking plain HTTP to an SSL-enabled server port/i,
	],
	[
		'contextOverflow',
		// llama-server, llama-box, TabbyAPI, Ollama with truncate: false, llama-cpp-python
		/\bexceeds? (?:the )?(?:\w{1,20} )?context\b/i,
		// llamafile
		/^out_of_context/,
		// SGLang, LMDeploy, vLLM with pictures, ms-swift
		/(?:larg|long|small)er than the m(?:ax|odel)(?:imum model|'s|_)? ?(?:context|length)/i,
		/maximum context length|context length exceeded/i,
		// LM Studio
		/tokens to keep from the initial prompt is greater than the context length/i,
		/keep the first \d+ tokens when|\bn_keep\W{1,3}\d+\)?\s*>=\s*n_ctx\b/i,
		// Text Generation Inference
		/`inputs` (?:tokens \+ `max_new_tokens` must be <=|must have less than) \d/i,
		// transformers in servers of one's own, and Anthropic's words, which many take over
		/\binput_ids is \d+, but `max_length`/i,
		/\b(?:prompt|input) is too long\b.{0,40}\btokens?\b/i,
		// mistral.rs
		/^prompt sequence length is greater than \d/i,
		// ms-swift
		/^input length \(\d+\) leaves no room for generation/i,
	],
	// llama-server, llama-box
	['contextExceeded', /context size has been exceeded|\bincreasing context size or reducing\b/i],
	// LM Studio, "Returning 200 anyway"
	['wrongPath', /^unexpected endpoint or method/i],
	[
		'loading',
		/(?<!\berror |\bfailed )\bloading model\b/i,
		/\bmodel (?:\S+ )?is (?:still |currently )?(?:being loaded|loading)\b/i,
		// NVIDIA Dynamo, while its workers start
		/\bmodel \S{1,200} is not ready to serve\b/i,
	],
	['outputUnreadable', /output that does not match the expected .{0,200} format/i],
	[
		'modalityUnsupported',
		/(?:image|audio|video) input is not supported|does not support (?:image|vision|multimodal)|is not a multimodal model/i,
		// shimmy, llamafile
		/^multimodal (?:content|input)s? (?:is|are) not supported|^no_vision_model/i,
		// FastAPI servers whose messages are texts only
		/\bmessages\.\d+\.content\S{0,20}: Input should be a valid string/i,
	],
	[
		'wrongModelType',
		// llama-cpp-python, infinity, vLLM, Xinference, Ollama
		/must be created with embedding=true/i,
		// llama-server: a chat with an embedding model
		/context does not (?:support )?logits computation/i,
		/does not support (?:the )?[`'"]?(?:chat|generat(?:e|ion)|completions?|embed(?:dings?)?|rerank(?:ing)?)[`'"]?(?: requests?\b| for modality|$|\.)/i,
		/\bmodel (?:\S{1,200} )?does not support (?:the )?[\w/ -]{1,40}(?: \(\w{1,20}\))? (?:api|endpoint)\b/i,
		// LocalAI, Text Embeddings Inference
		/^rpc error: .{0,80}(?:un|not )implemented|endpoint disabled for this model|not available for this model type/i,
		// Xinference, with a model of another kind
		/\bis not for creating \w|'\w{0,80}(?:rerank|embedding)model' object has no attribute/i,
		// Docker Model Runner, Helicone's gateway, Higress
		/unsupported backend mode|^unsupported (?:endpoint|api name)\b/i,
		// APISIX, llama-box
		/^provider \S{1,99} does not support|^you are not allowed to do [\w ]{1,40} from this model/i,
		// OGX
		/\bis of type '\w{1,20}' rather than the expected type\b/i,
		// SGLang, LM Studio
		/model .{0,200}(?:is not|does not appear to be) (?:an? |for )?(?:chat|embeddings?|re-?rank(?:er|ing)?|cross-encoder|generation|llm)\b/i,
	],
	// LM Studio, with 400; TabbyAPI, with 503
	['serverError', /^the model has crashed|^(?:chat )?completion \S{1,99} aborted\b/i],
	['brokenHistory', /failed to parse tool call arguments/i],
	[
		'unauthorized',
		// LiteLLM (seen: 1.109.1), with 400, where it has no database: to every key but its own
		/^no connected db\b/i,
		// FastAPI, where the header of the key is missing or has another name
		/^header\.\S{0,40}(?:auth|key|token)/i,
		// ms-swift, with 400
		/^api key error$/i,
	],
	[
		'notSupported',
		/^litellm\.\w+: .{0,200}unsupported provider:/i,
		// one-hub: for vectors, rankings, sound
		/^channel not implemented\b/i,
	],
	// TensorZero, agentgateway, inference-gateway
	[
		'gatewayKey',
		NO_KEYS,
		/^api key missing for provider|^backend authentication|^provider requires an api key\b/i,
	],
	[
		'busy',
		/^too many (?:concurrent )?requests\b/i,
		/^rate limit (?:reached|exceeded)\b/i,
		/\bqueue is full\b|^server (?:is )?(?:busy|overloaded)\b/i,
		NO_INSTANCE,
	],
	[
		'gateway',
		/^(?:server )?connection error\b/i,
		// Gateways in Go hand on the error of their client.
		/\bdial tcp\b.{0,300}: /i,
		/\btimeout awaiting response headers$|\bClient\.Timeout (?:exceeded|or context)\b/i,
		// GOModel, which asks a server again only some time after several failures
		/\bcircuit breaker is open\b/i,
		// aiohttp, the one of gateways in Python: MLflow
		/^cannot connect to host \S+ ssl:/i,
		// uni-api, one-hub
		/: unable to connect to service$/i,
		/^请求上游地址失败/,
		// reqwest, the HTTP client of gateways in Rust; libcurl
		/^error sending request for url \(|^could(?:n't| not) connect to server/i,
		// Envoy, agentgateway, Kong
		/^(?:upstream connect error|no (?:healthy|valid) (?:upstream|backend)|the upstream server is |failure to get a peer|name resolution failed)/i,
	],
	// Mistakes in the request that llama-server answers with 500
	[
		'badRequest',
		/^(?:\[json\.exception|failed to parse (?:messages|tools):|cannot use both|unknown reasoning format|invalid base64|failed to (?:download|load) image)/i,
		/is too large to process|must not be empty|'messages' is required/i,
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
		// LLaMA-Factory: a question and an answer in turn, with one result of a tool in between; ms-swift
		/^only supports u\/a\/u/i,
		/^query_role: /,
	],
	[
		'toolsUnsupported',
		// llama-server, llamafile
		/tools? param requires --jinja|\btool(?:s|_choice) field not supported/i,
		/does not support tools|tool choice requires|cannot use tools with stream/i,
		/requires --(?:enable-auto-tool-choice|tool-call-parser)|with --tool-call-parser/i,
		// FastAPI servers that forbid fields they do not know
		/(?:\bbody\.|^)tools(?::|\r?\n) *extra (?:inputs are|fields) not permitted/im,
		// ... or whose messages have every role but that of a result
		/\bmessages\.\d+\.role\b(?=.{0,200}'user')(?=.{0,200}'assistant')(?=.{0,200}'system')(?!.{0,200}'tool')/i,
	],
	[
		'modelFailedToLoad',
		/model (?:name=)?.{0,200} failed to load/i,
		// LM Studio, LocalAI, Ollama
		/(?:failed to|could not|error) load(?:ing)? model\b|model requires more system memory/i,
		// Docker Model Runner
		/^unable to load runner/i,
		// llama-swap (seen: 0bdb372)
		/upstream command exited prematurely|failed to start command/i,
	],
	[
		'modelNotFound',
		// With infinity and transformers serve, an engine for it
		/^(?:engine for )?model .*not found|model not found|no such model/i,
		/model .{0,200} does not exist/i,
		/(?:model|engine) (?:\S{1,200} )?(?:is|has) not (?:been )?loaded|^model (?:is )?unloaded/i,
		// LM Studio, TabbyAPI; mlx_lm.server, which then asks Hugging Face
		/(?:^|\. )no (?:\w{1,20} )?models? (?:is |are )?(?:currently )?loaded\b/i,
		/repository not found for url: \S{0,200}\/api\/models\//i,
		// transformers serve
		/^server is pinned to .*; requested/i,
		// speaches
		/^model '.*' is not installed locally/i,
		// llama-swap (seen: 0bdb372), and earlier versions
		/no router for requested model|could not find (?:real modelID|suitable handler) for/i,
		/invalid model(?: name| id)?(?: passed in model=|: | in request)|llm provider not provided|is not supported by any provider/i,
		// New API: no channel has the model; mlx-lm, which looks into the cache of Hugging Face
		/无可用渠道/,
		/cannot find an appropriate cached snapshot folder/i,
		// FastChat, ms-swift
		/^only .{0,200} allowed now, your model/i,
		/ is not in the model_list\b/i,
		// GPT-Load, Bifrost, agentgateway
		/^model (?:'.{0,200}' )?is not (?:configured in redirect rules|allowed for this )/i,
		// LiteLLM, one-hub: the key may use other models
		/^key not allowed to access model\b/i,
		/\bis not supported for current token\b/i,
		// aichat, TensorZero
		/^unknown (?:\w{1,20} )?model(?:: |:? ["'`])/i,
		// GOModel, inference-gateway
		/^unsupported model: |^unable to determine provider for model\b/i,
		// Kong; Helicone's gateway; Higress; Envoy AI Gateway; Letta, whose models are its agents
		/^(?:cannot use own model|no model mapping found|model becomes empty|no matching route found\. .{0,40} the model|agent not found)/i,
	],
	// What clients of gateways say of a server behind them: Go; Python (aiohttp, httpx, requests); Rust; Node. Last: a
	// server may say the same of a picture that it fetches.
	[
		'connectionLost',
		/\bunexpected EOF$/i,
		/\bconnection reset by peer\b/i,
		/^response payload is not completed\b|\bincomplete chunked read\b/i,
		/^error (?:decoding response body|reading a body from connection)\b/i,
		/^(?:socket hang up|other side closed|premature close)$/i,
	],
	[
		'gateway',
		/\bECONNREFUSED\b|\bENOTFOUND\b|^fetch failed$|(?:^|\()connection refused\b|\bmax retries exceeded with url\b/i,
		/^(?:all connection attempts failed|(?:request |read |upstream )timed out|timeout of \d{1,9} ?ms exceeded|timeout was reached)\b|\bcontext deadline exceeded\b/i,
	],
];

/** Kinds by the type or code inside the error, which are clearer than any text. */
export const BY_CODE: Readonly<Record<string, FailureKind>> = {
	exceed_context_size_error: 'contextOverflow',
	// OpenAI's own code, which vLLM, LM Studio, LiteLLM and others took over
	model_not_found: 'modelNotFound',
	ModelNotFoundError: 'modelNotFound',
	context_length_exceeded: 'contextOverflow',
	// Bifrost
	unsupported_operation: 'notSupported',
	// Helicone's gateway
	provider_key_not_found: 'gatewayKey',
	// LiteLLM
	all_deployments_in_cooldown: 'busy',
	budget_exceeded: 'budgetSpent',
	// OpenAI
	insufficient_quota: 'budgetSpent',
	// One API
	insufficient_user_quota: 'budgetSpent',
	pre_consume_token_quota_failed: 'budgetSpent',
};

/** One API says it with 401, Higress with 403, and without a code. */
export const SPENT = /额度(?:已用尽|不足)|\bno quota left\b/i;
