/**
 * Recognizes what an error message is about by the words that it combines, so that an unrecorded sentence is
 * understood as well. `test/lib/errors/messages.tsv` has messages for each signal, and its counter-examples.
 */
import type { ErrorType } from './error-types';
import { LOAD_CAUSE_PATTERNS } from './load-cause';
import { LOAD_FAILURE_PATTERNS } from './load-failure';
import { END_OF_SENTENCE } from './message-title';

/**
 * GPUStack (seen: 2.3.0; routes/openai.py, routes/benchmarks.py): a model that is stopped, or whose worker is gone, and one
 * whose server is down (aiohttp's message). LiteLLM: deployments that failed several times pause. Routers of SGLang, vLLM,
 * Dynamo and Ray Serve name workers, engines or replicas.
 */
export const NO_INSTANCE_PATTERN =
	/\bno (?:running|available|ready|healthy|active|online|live) (?:model )?(?:instances?|replicas?|workers?|deployments?|pods?|engines?|nodes?|(?:\w{1,20} )?targets?)\b|\bno (?:model )?(?:instances?|replicas?|workers?|pods?|engines?) (?:is |are |was |were )?(?:currently |yet )?(?:available|running|ready|healthy|active|online|registered)\b|\b(?:all|the) (?:model )?(?:instances|replicas|workers|pods|engines) are (?:unavailable|unhealthy|down|stopped|offline)\b|\b(?:endpoint|deployment|model|instance) (?:\S{1,200} )?(?:is |has been )?(?:currently )?(?:paused|stopped|suspended|scaled (?:down )?to zero)\b|^no deployments available for selected model\b|\b(?:model )?instances? (?:\S{1,200} )?(?:is |are |was )?not (?:in (?:an? |the )?(?:running|ready|active) state|running|ready|assigned to a worker)\b|\bmodel instance (?:\S{1,200} )?(?:(?:is |has )?(?:now |currently )?(?:in (?:an? |the )?)?(?:state:? )?(?:error|failed|unreachable|stopped|offline|down)\b|not found\b)|^(?:model instance's worker|worker with ID \d{1,9}) not found\b|^service unavailable\. please retry your requests after a brief wait\b|^an unexpected error occurred: (?:cannot connect to host|server disconnected|all connection attempts failed)/i;

/** An instance that will run: the states of GPUStack before it does (ModelInstanceStateEnum in schemas/models.py). */
export const STARTING_INSTANCE_PATTERN =
	/\b(?:model )?(?:instances?|replicas?|deployments?|endpoints?)\b.{0,200}?\b(?:is|are|status|state|currently|still|in)\b\W{1,4}(?:(?:is|in|now|still|currently|being|state|status)\W{1,3}){0,3}(?:pending|analyzing|scheduled(?! (?:for|to|at)\b)|initiali[sz]ing|downloading|starting)(?: state\b| up\b)?(?![\w-])/i;

/** oMLX (scheduler, process_memory_enforcer): it refuses or stops a prompt, and continues to run. */
export const MEMORY_LIMIT_PATTERN =
	/\bprefill\b.{0,300}\b(?:memory|ceiling)\b|\bmemory (?:limit|guard)\b.{0,300}\b(?:prefill|prompt|reduce context)\b/is;

/** A base model: vLLM, and Hugging Face's tokenizers in SGLang, mlx-lm and FastAPI servers; text-generation-inference; TabbyAPI; Xinference. */
export const NO_TEMPLATE_PATTERN =
	/\bdefault chat template is no longer allowed\b|\b(?:chat|prompt)[_ ]template(?:['"`])? is (?:not (?:set|defined)|required for model)\b|\b(?:has no|without a|does not have a) chat[_ ]template\b|^template error: template not found\b/i;

/** The server has the model, but not for this key: LiteLLM, One API, OpenAI's API, LocalAI; TabbyAPI, which would have to load it. */
export const NO_ACCESS_PATTERN =
	/\b(?:key|user|team|project|organization)\b.{0,200}(?:\bnot allowed to access model\b|\bdoes not have access to model\b)|\baccess denied to model\b|\bno access to (?:the |this )?model\b|\bunable to switch model\b.{0,200}\bkey isn't provided\b|无权访问模型/i;

/**
 * A file that is sent as a URL: not fetched (llama-server, also with its client's words; vLLM with aiohttp's; SGLang with those of
 * requests; OpenAI's API; LiteLLM), not allowed (llama-server, vLLM), or no URLs at all (Ollama, LM Studio).
 */
export const NOT_FETCHED_PATTERN =
	/\b(?:failed|unable|cannot|could not|couldn't) (?:to )?(?:download|fetch|retrieve)(?: (?:the|an?|remote|input|media|\d{1,4})){0,3} (?:images?|audios?|videos?|media|files?)\b|\b(?:error|timeout) while (?:downloading|fetching)\b|\bcannot make GET request\b|\b\d{3}, message='.{0,200}\burl=|\b\d{3} (?:client|server) error: .{0,200} for url\b|\bfile:\/\/ urls are not allowed\b|\bcannot load local files without\b|\burl must be (?:either a http|from one of the allowed)|\bimage urls? (?:is|are) not (?:currently )?supported\b|\b(?:url|image)['"`]? (?:field )?must be a base64[ -]encoded image\b/i;

/** Xinference (api/oauth2), with 429: a repetition prolongs the ban. */
export const ADDRESS_BANNED_PATTERN =
	/\btoo many (?:failed|invalid|wrong|unsuccessful) (?:\w{1,20} ){0,2}(?:attempts|logins|keys)\b|\b(?:IP|address)(?: address)?(?: \S{1,100})? (?:is |was |has been )?(?:temporarily )?banned\b/i;

/** Text-generation-inference ("grammar is not supported"), vLLM, gateways: the whole, not a keyword of a schema. */
export const GRAMMAR_UNSUPPORTED_PATTERN =
	/\b(?:grammars?|json[_ ]?schemas?|structured[_ ]outputs?|guided[_ ](?:decoding|generation)|constrained decoding)['"`]? (?:is|are) (?:currently )?(?:not (?:yet )?|un)(?:supported|enabled|available|implemented)\b|\b(?:does not|doesn't|do not) support (?:grammars?|json[_ ]?schemas?|structured[_ ]outputs?|guided[_ ](?:decoding|generation)|constrained decoding)\b/i;

/** The same words about a model that the server downloads. */
const MODEL_DOWNLOAD = /\b(?:models?|manifest|registry|repositor(?:y|ies)|tokenizer|gguf)\b/i;

/** Sentences of one error type. */
interface TextRow {
	type: ErrorType;
	/** One must match. */
	patterns: readonly RegExp[];
}

/**
 * Messages that no signal can tell apart, whatever the status is: llama-server responds to many invalid requests with
 * 500. The first matching row counts.
 */
export const TYPE_BY_TEXT: readonly TextRow[] = [
	// llama-server, before the model's output, which may contain any words
	{
		type: 'outputParseFailed',
		patterns: [
			/\bfailed to parse input at pos \d/i,
			/\binvalid diff:/i,
			// The parser of gpt-oss in vLLM, SGLang and lmdeploy, also with 400
			/\bunexpected tokens? (?:remaining in message header|\d{1,9} while expecting start token)\b|\bwhile waiting for message header\b|^could not parse header: too many tokens\b/i,
		],
	},
	// nginx, Go's server
	{
		type: 'tlsMismatch',
		patterns: [/plain HTTP request was sent to HTTPS port/i, /HTTP request to an HTTPS server/i],
	},
	// llama-server: a text to embed must fit into one physical batch (-ub)
	{ type: 'promptTooLong', patterns: [/\binput (?:\(\d{1,9} tokens\) )?is too large to process/i] },
	{
		type: 'kvCacheFull',
		patterns: [/context size has been exceeded|\bincreasing context size or reducing\b/i],
	},
	// LM Studio, "Returning 200 anyway"
	{ type: 'routeNotFound', patterns: [/^unexpected endpoint or method/i] },
	{
		type: 'modelLoading',
		patterns: [
			// LocalAI writes a failure as "loading model NAME on node NODE: REASON".
			/(?<!\berror |\bfailed )\bloading model\b(?! \S{1,200} on node \S{1,200}: )/i,
			/\bmodel (?:\S+ )?is (?:still |currently )?(?:being loaded|loading)\b/i,
			STARTING_INSTANCE_PATTERN,
			// KServe, Triton, Kokoro-FastAPI; llama-swap
			/\bmodel\b(?: \S{1,200}){0,3} (?:is )?not (?:yet )?(?:ready|initiali[sz]ed)\b|\b(?:process|runner|engine|backend) is not (?:yet )?ready\b/i,
		],
	},
	{
		type: 'modalityUnsupported',
		patterns: [
			// mlx-lm (server.py): content parts
			/\bonly \W?text\W? (?:content|inputs?|messages?|prompts?)(?: types?| parts?)? (?:is|are) (?:currently )?(?:supported|allowed)\b/i,
			// FastAPI servers whose messages contain only text
			/\bmessages\b\W{0,2}\d+\W{0,2}content\S{0,20}: (?:Input should be a valid string|invalid type: \w+, expected a string)/i,
		],
	},
	{
		type: 'modalityUnsupported',
		patterns: [
			// OpenRouter; gateways in Chinese
			/^no endpoints found that support (?:image|audio|video|file|input (?:image|audio|video))s?\b|不支持.{0,10}(?:图片|图像|音频|视频)/i,
		],
	},
	{
		type: 'wrongModelType',
		patterns: [
			// llama-server: a chat with an embedding model
			/context does not (?:support )?logits computation/i,
			// Ollama, vLLM
			// Lemonade: "Whisper models do not support chat completion."
			/\bdo(?:es)? not support (?:the )?[`'"]?(?:(?:chat|text|audio|image) )?(?:chat|generat(?:e|ion)|completions?|embed(?:dings?)?|rerank(?:ing)?)[`'"]?(?: requests?\b|$|\.)/i,
			/\bmodel (?:\S{1,200} )?does not support (?:the )?[\w/ -]{1,40}(?: \(\w{1,20}\))? (?:api|endpoint)\b/i,
			// LocalAI, TEI
			/^rpc error: .{0,80}(?:un|not )implemented|endpoint disabled for this model|not available for this model type/i,
			// LM Studio
			/model .{0,200}(?:is not|does not appear to be) (?:an? |for )?(?:chat|embeddings?|re-?rank(?:er|ing)?|llm)\b/i,
		],
	},
	{
		type: 'upstreamKeyRejected',
		patterns: [
			// OpenAI's client in LiteLLM (seen: 1.108.7) and in FastAPI servers; LiteLLM's own sentence
			/\bapi_key client option must be set\b|\bmissing credentials\. please pass\b/i,
			/\bmissing \w{1,40} api key - a call is being made\b/i,
		],
	},
	{
		type: 'unauthorized',
		patterns: [
			// LiteLLM (seen: 1.109.1), with 400, if it has no database: for every key but its own
			/^no connected db\b/i,
			// FastAPI, if the header of the key is missing or has another name; Google
			/^header\.\S{0,40}(?:auth|key|token)|^(?:incorrect|invalid) api.?key\b|^api key not valid\b/i,
		],
	},
	{ type: 'unauthorized', patterns: [ADDRESS_BANNED_PATTERN] },
	{ type: 'featureDisabled', patterns: [/^litellm\.\w+: .{0,200}unsupported provider:/i] },
	// Ollama (llm/llama_server.go), LocalAI (core/services/nodes)
	{
		type: 'busy',
		patterns: [
			NO_INSTANCE_PATTERN,
			/^no slots available\b|\ball (?:models|slots|workers|nodes) (?:are )?busy\b/i,
		],
	},
	// ngrok, Cloudflare's tunnels (1033), dev tunnels
	{
		type: 'tunnelDown',
		patterns: [
			/\bendpoint \S{1,200} is offline\b|\btunnel \S{1,200} not found\b|\bargo tunnel error\b|\berror code: 1033\b/i,
		],
	},
	// llama-swap, GPUStack: the upstream server does not respond
	{
		type: 'badGateway',
		patterns: [/^(?:server )?connection error\b|^all connection attempts failed\b/i],
	},
	// Ollama: its runner died
	{
		type: 'connectionLost',
		patterns: [/^an error was encountered while running the model: unexpected EOF$/i],
	},
	// Ollama: Go's template engine
	{
		type: 'templateRejected',
		patterns: [NO_TEMPLATE_PATTERN, /^template: \S{0,100}:\d{1,6}:\d{1,6}: executing\b/i],
	},
	{ type: 'promptTooLong', patterns: [MEMORY_LIMIT_PATTERN] },
	// Invalid requests that llama-server responds to with 500
	{
		type: 'badRequest',
		patterns: [
			/^(?:\[json\.exception|failed to parse (?:messages|tools):|cannot use |unknown reasoning format)/i,
			/must not be empty|\bmessages['"`]? is required/i,
			// Ollama: an option or a format of the wrong type
			/^(?:option \S{1,60} must be of type|invalid format:)/i,
		],
	},
	{
		type: 'grammarRejected',
		patterns: [
			GRAMMAR_UNSUPPORTED_PATTERN,
			// llama-server wraps schema errors in the sentence about templates.
			/json schema (?:error|conversion failed)|failed to (?:parse grammar|initialize samplers)/i,
		],
	},
	{
		type: 'templateRejected',
		patterns: [
			/unable to generate parser for this template/i,
			// llama-server's own engine, LM Studio
			/\bjinja (?:exception|template)\b|\bTemplateError\b|\bwhile executing \w+ at line \d|\bat row \d{1,6}, column \d/i,
			// Jinja2 in vLLM, SGLang and mlx-lm: a template that needs another version of it
			/^no (?:filter|test) named \W?\w|^encountered unknown tag \W?\w/i,
			/conversation roles must alternate|system message must be|no user query found|expected last role/i,
			// Gemma's template
			/\bsystem role (?:is )?not supported\b/i,
		],
	},
	{
		type: 'toolsUnsupported',
		patterns: [
			/tools? param requires --jinja|does not support tools|cannot use tools with stream|^['"`]?tools['"`]? is not supported/i,
			/requires --(?:enable-auto-tool-choice|tool-call-parser)|(?:with|set|specify|use) --tool-call-parser/i,
			// Together, OpenRouter; gateways in Chinese
			/\btool_choice\b.{0,20} is not supported (?:for|by|with) this model\b/i,
			/^no endpoints found that support (?:tool use|the provided \W?tool_choice)\b/i,
			// Xinference
			/^only .{1,400} supports? (?:tool|function)[ _-]?(?:calls?|calling|messages|use)\b/i,
			/不支持.{0,10}(?:工具|函数|tool|function ?call)/i,
			// LiteLLM, for a model whose provider has no tools; then other gateways
			/\bdoes(?: not|n't) support (?:the )?param(?:eter)?s?: ?\[[^\]]{0,200}\btools\b/i,
			/\bdoes(?: not|n't) support (?:the |any )?(?:tool[ _](?:calls?|calling|use)|function[ _]call(?:ing|s)?)\b/i,
			/\b(?:tools|tool[ _](?:calls?|calling|use)|function[ _]call(?:ing|s)?)\W? (?:is|are) (?:not |un)(?:supported|enabled|available)\b/i,
			/\b(?:unsupported|unrecognized) (?:param(?:eter)?|argument|field)s?:? \W?tools\b/i,
			// FastAPI servers that reject unknown fields, or whose messages support every role except that of a tool result
			/(?:\bbody\.|^)tools(?::|\r?\n) *extra (?:inputs are|fields) not permitted/im,
			/\bmessages\.\d+\.role\b(?=.{0,200}\buser\b)(?=.{0,200}\bassistant\b)(?=.{0,200}\bsystem\b)(?!.{0,200}\btool\b)/i,
		],
	},
	{
		type: 'modelLoadFailed',
		patterns: [
			/\bmodel\b.{0,200}\bfailed to load\b/i,
			// LM Studio, LocalAI, Ollama
			/(?:failed to|could not|unable to|error) load(?:ing)? (?:the )?(?:\w{1,20} )?model\b|model requires more system memory|waiting for (?:\w+ runner|llama-server) to start/i,
			...LOAD_FAILURE_PATTERNS,
			...LOAD_CAUSE_PATTERNS,
			// Docker Model Runner
			/\bunable to load runner\b/i,
			// LocalAI (core/services/nodes, pkg/model): on a node, too slow, or failed before
			/\bloading model \S{1,200} on node \S{1,200}: |\bmodel load budget\b|\bload is in cooldown\b/i,
			// llama-swap
			/\bhealth check timed out\b/i,
			// LocalAI: its backend ended while it started
			/^(?:could not load model: )?grpc service not ready\b/i,
			/^(?:llama-swap: )?unable to start process\b|upstream command exited prematurely|failed to start command/i,
		],
	},
	{
		type: 'modelNotFound',
		patterns: [
			/^model .*not found|model not found|no such model/i,
			// Hugging Face's client in mlx-lm and others
			/^repository not found|\brepository not found for url\b/i,
			// Triton
			/^unknown model\W{0,3} ?[\w./:@-]{1,200}\W{0,2}$|^request for unknown model\b/i,
			// Azure
			/\bdeployment\b(?: \S{1,100}){0,4} does not exist\b/i,
			/model (?:.{0,200} )?does not exist/i,
			// speaches
			/^model \S{1,200} is not installed locally/i,
			// llama-swap, One API
			/\bno (?:\w{1,20} )?(?:router|server|peer|provider|route)s? (?:found |configured )?for (?:the )?(?:requested )?model\b|could not find (?:real modelID|suitable handler) for|\bno available channels? for model\b|模型.{0,200}无可用渠道/i,
			// DeepSeek's API; speech servers; OpenRouter
			/\bmodel not exists?\b|^invalid model(?: name| id)?\W?$|\bis not a valid model\b/i,
			// LiteLLM
			/invalid model(?: name| id)?(?: passed in model=|: | in request)|llm provider not provided/i,
			// Lemonade
			/\bmodels? (?:\S{1,200} )?(?:is |are |has |have )?not (?:been )?(?:yet )?downloaded\b/i,
			NO_ACCESS_PATTERN,
		],
	},
];

/** What the words of a message mean together. */
interface Signal {
	type: ErrorType;
	/** Each must match. */
	all: readonly RegExp[];
	/** None may match. Default: none. */
	none?: readonly RegExp[];
}

const FAILURE =
	/\b(?:fail(?:ed|s|ure)?|errors?|cannot|can't|could not|couldn't|unable|invalid|illegal|malformed|unknown|corrupt(?:ed)?|does not match)\b/i;
const UNSUPPORTED =
	/\b(?:not|n't|no|without)\b.{0,20}\b(?:support(?:s|ed)?|accept(?:s|ed)?|allow(?:s|ed)?|enabled|implemented|multimodal|vision|capab\w+)\b|\bun(?:supported|implemented|recognized)\b|\bonly supports? text\b|\bonly supported by\b|\bunknown variant\b|\bmissing data required\b/i;
const MEDIA = /\b(?:(?:image|audio|video)(?:s|_url)?|vision|multimodal)\b/i;
/** The message counts other things than tokens of a prompt. */
const OTHER_UNITS =
	/\b(?:images?|audios?|videos?|seconds|pixels?|batch(?:es)?|per request|array|string|digits|characters|days)\b/i;
const MEDIA_UNITS = /\b(?:images?|audios?|videos?|pixels?|batch(?:es)?|per request|arrays?)\b/i;
/** The message is about one field, whatever else its sentence mentions. */
const FIELD =
	/\b(?:body|query)\.\w|^(?:input validation error: )?\W?[a-z]\w{0,60}\W? must be [<>]=? ?\d|\b(?:field|option|parameter|argument|invalid) ["'`]\w|\b(?:field|option|parameter|argument|invalid) ["'`]?\w[\w.]{0,60}["'`]?:|\b[a-z]\w*['"`]? must be (?:a|an|at (?:least|most)|between|one of|in|non-?negative|positive|greater|less|of type)\b|^(?:dimensions|n|top_k|stop)\b|\bvalidation errors? for \w|\binput should be (?!.{0,60}\btokens?\b)/i;

const SUBJECT_OF_CONTEXT = /\b(?:\w*tokens?|context|prompt|length|inputs?|n_ctx)\b|上下文/i;
const EXCESS =
	/\b(?:exceed(?:s|ed|ing)?|longer|too (?:long|large|big)|larger|greater|maximum|max|only|over the limit|overflow(?:s|ed)?|less than)\b|<=|>|超过|超出|过长/i;
const CONTEXT = /\b(?:context|n_ctx|max_seq_len|max_model_len)\b/i;
const CONTEXT_SIZE = /\bcontext (?:length|size|window)\b/i;
const TWO_NUMBERS = /\d[^\d.,]\D{0,4000}\d|\d[.,]\D{1,4000}\d/;
const RATE =
	/\bqps\b|速率限制|频率限制|请求频率|限流|\bper (?:second|minute|min|hour|day)\b|\b[TR]PM\b|\brate.?limit|\btoo many tokens, please wait\b|\btoo many (?:concurrent |parallel |pending )?requests\b|\b(?:parallel|concurrent) requests?\b|\bconcurrency limit\b|\bat capacity\b|\boverloaded\b|\bqueue is full\b/i;

/** Also with the numbers of LocalAI: "100/100 requests in 1h0m0s window". */
export const REQUESTS_IN_TIME: RegExp =
	/\b(?:requests?|tokens?) (?:in|per|every|within) (?:(?:a|an|the|one|last|\d{1,6}) ){0,2}(?:second|minute|min|hour|day|\S{1,20} (?:time )?window)s?\b/i;

const MEDIA_FILE = /\b(?:image|audio|video)[ -]?(?:file|codec)s?\b/i;
const UNREADABLE =
	/\b(?:corrupt(?:ed)?|damaged|malformed|truncated|unreadable|invalid|un(?:supported|recogni[sz]ed|known))\b/i;

/** In this order; the first one whose words are there counts. */
export const SIGNALS: readonly Signal[] = [
	// The request, not the output of the model
	{
		type: 'invalidToolCallInHistory',
		all: [/\bpars(?:e|ing)\b/i, /\barguments\b/i, /\b(?:tool|function)/i],
		none: [/\braw=/i],
	},
	// vLLM, whose model has no vision, or was started without
	{
		type: 'modalityUnsupported',
		all: [
			/\b(?:at most|no more than|maximum of|max|limit of|up to|only) 0 (?:images?|audios?|videos?)\b/i,
		],
	},
	{
		type: 'tooManyFiles',
		all: [
			/\b(?:at most|more than|too many|only|number of)(?: send| accepts?| supports?)? (?:(?:\d+|one|two) )?(?:images?|audios?|videos?)\b/i,
			/\d|\bone\b|\btwo\b/i,
		],
		none: [/\bformats?\b/i],
	},
	// vLLM, OpenAI's API, FastAPI servers: with 400 as well
	{
		type: 'requestTooLarge',
		all: [
			/\b(?:file|content|body|payload|upload) size (?:limit )?(?:\([^()]{1,40}\) )?(?:is |was )?exceed|\b(?:file|payload|body|upload) (?:is |was )?too (?:large|big)\b|\bexceeds? the (?:maximum |allowed )?(?:file|upload|body|payload) size\b/i,
		],
	},
	{ type: 'fileUnreadable', all: [NOT_FETCHED_PATTERN], none: [MODEL_DOWNLOAD] },
	{
		type: 'fileUnreadable',
		all: [
			FAILURE,
			/\b(?:decod|load|open|read|download|fetch|identif|format|input|conver)/i,
			/\b(?:images?|audios?|videos?|wav|mp3|ffmpeg)\b/i,
		],
		none: [UNSUPPORTED, /\bmodel\b/i],
	},
	// A file as the subject: what is said about a model is about all of them.
	{ type: 'fileUnreadable', all: [MEDIA_FILE, UNREADABLE], none: [/\bmodel\b/i] },
	{ type: 'modalityUnsupported', all: [MEDIA, UNSUPPORTED], none: [/\bformats?\b/i] },
	{
		type: 'keyBudgetExceeded',
		all: [
			/\b\w*(?:budget|quota|credits?|balance)\b|\busage limit\b|余额|额度|配额|欠费/i,
			/不足|用尽|用完|超出|欠费|\b(?:exceed(?:s|ed)?|over|used up|insufficient|not enough|exhausted|reached|run out)\b/i,
		],
		// LocalAI (core/http/auth/quota.go): a quota of requests in a time, which resets by itself
		none: [REQUESTS_IN_TIME],
	},
	{ type: 'busy', all: [RATE] },
	{ type: 'busy', all: [REQUESTS_IN_TIME] },
	// vLLM: the rest for the response is negative
	{
		type: 'promptTooLong',
		all: [
			/\bmax_(?:new_|completion_|output_)?tokens\W{0,2} must be (?:at least|greater than(?: or equal to)?|>=?) \d, got -\d|\bprompt (?:is )?too long\b|\blonger than the (?:specified )?maximum (?:sequence|context|model|input|prompt) length\b|\brange of input length\b/i,
		],
	},
	// Whatever is counted, it is compared with the context.
	{
		type: 'promptTooLong',
		all: [CONTEXT_SIZE, EXCESS, /\d/, /\btokens?\b/i],
		none: [MEDIA_UNITS, FIELD],
	},
	{
		type: 'promptTooLong',
		all: [SUBJECT_OF_CONTEXT, EXCESS, TWO_NUMBERS],
		none: [OTHER_UNITS, FIELD],
	},
	{
		type: 'promptTooLong',
		all: [SUBJECT_OF_CONTEXT, EXCESS, CONTEXT, /\d|\bcontext (?:length|size|window)\b/i],
		none: [OTHER_UNITS, FIELD],
	},
	{
		type: 'promptTooLong',
		all: [CONTEXT_SIZE, /\btokens?\b/i, TWO_NUMBERS],
		none: [OTHER_UNITS, FIELD],
	},
	{
		type: 'modelCrashed',
		all: [
			/\b(?:out of memory|OOM|ErrorOutOf(?:Device|Host|Pool)Memory|VK_ERROR_OUT_OF_\w{1,20}_MEMORY|insufficient (?:\w+ )?memory|(?:failed|unable) to allocate|not have enough (?:available )?memory)\b|\bcannot be allocated\b|\b(?:runner|engine\w*|process|worker|model)(?: process)?(?: \w+){0,2} (?:terminated|crashed|stopped|died|exited|killed|dead|no longer running|encountered an (?:issue|error))(?![-\w])|\b(?:backend|engine\w*|runner|worker|model|inference server) is (?:currently |now )?(?:unhealthy|not healthy)\b|\b(?:terminated|exited|crashed|stopped) unexpectedly\b|\b\/\w+": EOF$|\bforcibly closed by the remote host\b|\b(?:CUDA|HIP|ROCm|Vulkan) error\b|\billegal memory access\b|\bdevice-side assert\b|\bErrorDeviceLost\b|\berror reading from server: EOF\b|\bgreater than the maximum allowed buffer size\b/i,
		],
	},
	{
		type: 'outputParseFailed',
		all: [
			FAILURE,
			/\bpars(?:e|ing)\b|\bdoes not match\b|\binvalid diff\b|\bXML syntax error\b/i,
			/\b(?:tool calls?|function call|output|generated (?:text|content|tokens)|response|at pos \d+|element)\b/i,
		],
		none: [/\b(?:messages|tools):/i],
	},
	{
		type: 'grammarRejected',
		all: [
			/\b(?:grammar|gbnf|json schema|json_schema|xgrammar|samplers|structured outputs?)\b/i,
			/\b(?:fail(?:ed|s)?|errors?|invalid|cannot|could not|conversion)\b/i,
		],
	},
	{ type: 'grammarRejected', all: [/\b(?:grammar|schema|xgrammar)\b/i, UNSUPPORTED] },
	{
		type: 'modelNotLoaded',
		all: [
			/\b(?:models?|engines?)\b.{0,200}\b(?:unloaded|sleeping|asleep|not (?:been |currently )?loaded)\b|\bno running session\b.{0,40}\bmodel\b|\bno models? (?:is |are )?(?:currently )?loaded\b/i,
		],
	},
	{
		// A gateway and the server behind it
		type: 'badGateway',
		all: [
			/(?:^|- |: )(?:server )?connection (?:error|reset|aborted|closed)\b|\ball connection attempts failed\b|\bconnection reset by peer\b|\bECONNRESET\b|\bsocket hang up\b|\bserver disconnected\b|\bpeer closed connection\b|\bupstream connect error\b|\bno healthy upstream\b/i,
		],
	},
	{
		// Only if no connection was made: such a request is sent again.
		type: 'modelUnreachable',
		all: [
			/\bdial tcp\b|\bconnection refused\b|\bECONNREFUSED\b|\bcould not establish connection\b|\bcannot connect to host\b|\bgetaddrinfo\b/i,
		],
		// The server's own download of a model
		none: [/\b(?:pull|manifest|registry|download)\b/i],
	},
];

/** A name in quotation marks of any kind: servers change them from version to version. */
const QUOTED_NAME = /(['"`])(\w[\w.-]{0,40})\1|[‘“](\w[\w.-]{0,40})[’”]/g;

/** The error type that a message means; undefined if its words do not tell. */
export function findTypeByText(message: string): ErrorType | undefined {
	const withoutMarks = message.replace(QUOTED_NAME, '$2$3');
	return (
		findRow(message) ??
		findRow(withoutMarks) ??
		// The first sentence describes the problem, the others suggest solutions.
		findSignal([message, withoutMarks].map(getFirstSentence)) ??
		findSignal([message, withoutMarks])
	);
}

function getFirstSentence(message: string) {
	return message.split(END_OF_SENTENCE, 1)[0]!;
}

function findRow(message: string) {
	return TYPE_BY_TEXT.find(({ patterns }) => patterns.some((pattern) => pattern.test(message)))
		?.type;
}

/** @param forms the same text with and without quotation marks; none of them may be about something else */
function findSignal(forms: readonly string[]) {
	const matches = (pattern: RegExp) => forms.some((form) => pattern.test(form));
	return SIGNALS.find(({ all, none = [] }) => all.every(matches) && !none.some(matches))?.type;
}
