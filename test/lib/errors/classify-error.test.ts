import fc from 'fast-check';
import { classifyErrorResponse, classifyStreamError } from '../../../lib/errors/classify-error';
import { isErrorResponse } from '../../../lib/errors/error-body';
import { ERROR_TYPE_CASES } from './classify-error.cases';

const context = {
	url: 'http://host:9931/v1/chat/completions',
	root: 'http://host:9931',
	model: 'qwen3-8b',
};
const openAi = (message: string, more: object = {}) => ({ error: { message, ...more } });

test.each(
	ERROR_TYPE_CASES.map(({ type, status, body }) => ({
		type,
		status,
		text: typeof body === 'string' ? body : JSON.stringify(body),
	})),
)('status $status with the body "$text" is an error of type $type', ({ type, status, text }) => {
	expect(classifyErrorResponse({ status, body: text }, context).type).toBe(type);
});

test('token counts are in the title', () => {
	const body = JSON.stringify(
		openAi('too much', { type: 'exceed_context_size_error', n_prompt_tokens: 5000, n_ctx: 4096 }),
	);
	expect(classifyErrorResponse({ status: 400, body }, context).message).toContain(
		'needs 5000 tokens',
	);
});

test('a page that repeats its title as a heading is quoted once', () => {
	const body =
		'<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><hr>nginx/1.27.0</html>';
	expect(classifyErrorResponse({ status: 502, body }, context).serverText).toBe(
		'502 Bad Gateway nginx/1.27.0',
	);
});

test('the message of a chat template comes first', () => {
	const body = JSON.stringify(
		openAi('Unable to generate parser for this template. Error: Jinja Exception: No tools here'),
	);
	expect(classifyErrorResponse({ status: 500, body }, context).serverText).toMatch(
		/^No tools here — Unable/,
	);
});

test('secrets in the server message are masked', () => {
	const key = ['sk', '9f8e7d6c5b4a3210'].join('-');
	const body = JSON.stringify(openAi(`key ${key} is unknown`, { given: key }));
	const failed = classifyErrorResponse({ status: 401, body }, { ...context, secrets: [key] });
	expect(JSON.stringify({ ...failed, message: failed.message })).not.toContain(key);
});

test('an error in a stream has the same type as an error response', () => {
	expect(classifyStreamError('{"error":{"message":"Loading model","code":503}}').type).toBe(
		'modelLoading',
	);
	expect(classifyStreamError('{"error":"boom"}').type).toBe('streamError');
	expect(isErrorResponse({ status: 200, json: { error: {} } })).toBe(false);
});

test('any response results in an error with a title and a suggestion', () => {
	const body = fc.oneof(
		fc.string(),
		fc.json(),
		fc.object().map((value) => JSON.stringify({ error: value })),
	);
	const headers = fc.dictionary(
		fc.constantFrom('content-type', 'www-authenticate', 'retry-after'),
		fc.string(),
	);
	fc.assert(
		fc.property(body, headers, fc.integer({ min: 200, max: 599 }), (text, headers, status) => {
			const failed = classifyErrorResponse({ status, headers: headers, body: text }, context);
			expect(failed.message).not.toBe('');
			expect(failed.suggestion).not.toBe('');
		}),
	);
});

/** What a sentence says, in title and suggestion. */
test.each<[status: number, message: string, title: RegExp, suggestion: RegExp]>([
	[400, "'audio input' is not supported - hint: provide the mmproj", /support audio input$/, /./],
	[400, 'Model does not support images. Please use another.', /support image input$/, /./],
	[400, 'At most 0 video(s) may be provided in one prompt.', /support video input$/, /./],
	[404, 'No endpoints found that support input audio', /support audio input$/, /./],
	[400, 'qwen is not a multimodal model', /support image or audio input$/, /./],
	[400, 'This model does not support image or audio input', /support image or audio input$/, /./],
	[
		403,
		"key not allowed to access model. This key can only access models=['a']",
		/^The API key has no access to the model "qwen3-8b"$/,
		/allow this one for the key/,
	],
	[403, 'Project `p` does not have access to model `m`', /^The API key has no access/, /./],
	[403, '该令牌无权访问模型：qwen3', /^The API key has no access/, /./],
	[404, 'The model `m` does not exist.', /^The server does not have the model "qwen3-8b"$/, /list/],
	[
		500,
		'litellm.APIConnectionError: Ollama_chatException - Cannot connect to host localhost:11434 ssl:default',
		/^LiteLLM does not reach the server of the model "qwen3-8b"$/,
		/api_base/,
	],
	[
		500,
		'litellm.InternalServerError: Hosted_vllmException - Cannot connect to host 127.0.0.1:9',
		/^LiteLLM does not reach the server/,
		/api_base/,
	],
	[500, 'dial tcp 127.0.0.1:9: connect: connection refused', /^The server does not reach/, /again/],
	// LiteLLM 1.108.7, as a real one sent them
	[
		429,
		"No deployments available for selected model, Try again in 60 seconds. All deployments for selected model are in cooldown. Passed model=twice. pre-call-checks=False, cooldown_list=['8c48521e', '7492d44f']",
		/^The gateway paused the model "qwen3-8b" after it failed$/,
		/api_base/,
	],
	[
		429,
		"No deployments available for selected model, Try again in 5 seconds. Passed model=m. pre-call-checks=False, cooldown_list=['a']",
		/^The gateway paused/,
		/cooldown_time/,
	],
	[
		429,
		'No deployments available for selected model. Passed model=m. cooldown_list=[]',
		/^No instance of the model/,
		/log/,
	],
	[
		429,
		'Rate limit exceeded for api_key: 29a3. Limit type: requests. Current limit: 1, Remaining: 0.',
		/^The rate limit is reached/,
		/rpm_limit/,
	],
	[
		429,
		'litellm.RateLimitError: Model rate limit exceeded. RPM limit=1, current usage=2',
		/^The rate limit is reached/,
		/Wait/,
	],
	[429, 'You exceeded 30000 tokens per minute', /^The rate limit is reached/, /raise/],
	[
		429,
		'Rate limit exceeded for api_key: 3757. Limit type: max_parallel_requests. Current limit: 0',
		/^The limit of requests at the same time is reached$/,
		/Max Concurrent Requests.*max_parallel_requests of the key/,
	],
	[
		429,
		'Rate limit exceeded for team: research. Limit type: max_parallel_requests. Current limit: 2, Remaining: 0',
		/^The limit of requests at the same time is reached$/,
		/max_parallel_requests/,
	],
	[
		429,
		'Max parallel request limit reached Hit limit for api_key: 3757. tpm_limit: 5, rpm_limit: 5 , max_parallel_requests: 1',
		/^The limit of requests at the same time is reached$/,
		/max_parallel_requests/,
	],
	[
		429,
		'Deployment over user-defined ratelimit: max_parallel_requests = 1',
		/^The limit of requests at the same time is reached$/,
		/max_parallel_requests/,
	],
	[429, 'Too many concurrent requests', /^The server is busy/, /Max Concurrent Requests/],
	[
		503,
		'server busy, please try again.  maximum pending requests exceeded',
		/^The server is busy/,
		/Max Concurrent Requests/,
	],
	...(
		[
			['API key', 'Budget has been exceeded! Key=sk-...1234 Current cost: 12.5, Max budget: 10.0'],
			['team', 'Budget has been exceeded! Team=research Current cost: 30.0, Max budget: 25.0'],
			['user', 'ExceededBudget: User=ann over budget. Spend=3.0, Budget=2.0'],
			[
				'user',
				'Budget has been exceeded! User=ann in Team=research Current cost: 3, Max budget: 2',
			],
			['project', 'Budget has been exceeded! Project=p Current cost: 3, Max budget: 2'],
			['organization', 'Budget has been exceeded! Organization=o Current cost: 3, Max budget: 2'],
			[
				'model',
				'No deployments available - crossed budget: Exceeded budget for deployment model_name: poor, litellm_params.model: openai/smol: 0.36 >= 1d',
			],
			['provider', 'crossed budget: Exceeded budget for provider openai: 1.2 >= 1.0'],
			['API key', 'ExceededBudget: Key over 1d budget. Spend=$3.0000, Limit=$2.00'],
			['model', 'LiteLLM Virtual Key: 1234, key_alias: None, exceeded budget for model=ok'],
			['model', 'LiteLLM User: ann, exceeded budget for model=ok'],
			['model', 'LiteLLM End User: ann, exceeded budget for model=ok'],
			['model', 'LiteLLM Team: research, exceeded budget for model=ok'],
			['model', 'LiteLLM Team Member: user=ann, team=research, exceeded budget for model=ok'],
		] as const
	).map(
		([owner, message]) =>
			[429, message, new RegExp(`^The budget of the ${owner} is used up$`), /Raise/] as [
				number,
				string,
				RegExp,
				RegExp,
			],
	),
	[
		401,
		'Authentication Error - Expired Key. Key Expiry time 2026-11-20 and current time 2026-11-28',
		/^The API key has expired$/,
		/new key/,
	],
	[401, '该令牌已过期', /^The API key has expired$/, /new key/],
	[401, 'The token has expired', /^The API key has expired$/, /new key/],
	[
		401,
		'Your session has expired or the token is invalid. Please sign in again.',
		/^The server rejected the API key$/,
		/Check the API Key/,
	],
	[
		401,
		'Authentication Error, Team=research is blocked. Update via `/team/unblock` if you are an admin.',
		/^The API key, or its team or user, is blocked$/,
		/unblock/,
	],
	[401, 'Key is blocked. Update via `/key/unblock`', /is blocked$/, /another key/],
	[401, '该令牌状态不可用', /is blocked$/, /another key/],
	[
		401,
		"key not allowed to access model. This key can only access models=['vec']. Tried to access ok",
		/^The API key has no access to the model/,
		/allow this one for the key/,
	],
	[
		401,
		"team not allowed to access model. This team can only access models=['vec']. Tried to access ok",
		/^The API key has no access to the model/,
		/team/,
	],
	[
		500,
		'timed out waiting for llama runner to start - progress 0.00 - ',
		/^The model "qwen3-8b" took longer to load than its server waits$/,
		/OLLAMA_LOAD_TIMEOUT/,
	],
	[
		500,
		'unable to start process: health check timed out after 120s',
		/took longer to load/,
		/healthCheckTimeout/,
	],
	[500, 'health check timed out after 120s', /took longer to load/, /healthCheckTimeout/],
	[
		500,
		'model requires more system memory (9 GiB) than is available',
		/^The model "qwen3-8b" does not fit into the memory/,
		/memory/,
	],
	[
		500,
		'litellm.InternalServerError: InternalServerError: OpenAIException - Missing credentials. Please pass an `api_key`, `workload_identity`, `admin_api_key`, or set the `OPENAI_API_KEY` environment variable.',
		/^The gateway has no valid key/,
		/api_key of the model/,
	],
	[
		500,
		'The api_key client option must be set either by passing api_key to the client or by setting the OPENAI_API_KEY environment variable',
		/^The gateway has no valid key/,
		/Set the key/,
	],
	[
		500,
		'Missing Anthropic API Key - A call is being made to anthropic but no key is set either in the environment variables or via params.',
		/^The gateway has no valid key/,
		/Set the key/,
	],
	[
		404,
		'litellm.NotFoundError: Ollama_chatException - {"error":"model \'llama9\' not found"}',
		/^The server behind the gateway does not have the model "llama9"$/,
		/ollama pull llama9/,
	],
	[
		404,
		'litellm.NotFoundError: OllamaException - {"error":"model \\"llama9\\" not found, try pulling it first"}',
		/^The server behind the gateway does not have the model "llama9"$/,
		/litellm_params/,
	],
	[
		404,
		'litellm.NotFoundError: NotFoundError: Hosted_vllmException - The model `Qwen/Qwen3` does not exist.',
		/^The server behind the gateway does not have the model "Qwen\/Qwen3"$/,
		/litellm_params/,
	],
	[
		400,
		'/chat/completions: Invalid model name passed in model=nope. Call `/v1/models` to view available models',
		/^The server does not have the model "qwen3-8b"$/,
		/list/,
	],
	...(
		[
			'As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the tokenizer does not define one.',
			'Cannot use chat template functions because tokenizer.chat_template is not set and no template argument was passed!',
			'Template error: template not found',
		] as const
	).map(
		(message) =>
			[400, message, /^The model "qwen3-8b" has no chat template$/, /--chat-template/] as [
				number,
				string,
				RegExp,
				RegExp,
			],
	),
	[500, 'Jinja Exception: Conversation roles must alternate', /^The chat template of/, /alternat/],
	[503, 'No running instances available', /^No instance of the model/, /GPUStack/],
	[
		400,
		'Unexpected token 200012 while expecting start token 200006',
		/^The server could not parse the model output/,
		/update the server/,
	],
])(
	'the title and the suggestion for status %i and the message %s',
	(status, message, title, suggestion) => {
		const error = classifyErrorResponse({ status, body: JSON.stringify(openAi(message)) }, context);
		expect(error.message).toMatch(title);
		expect(error.suggestion).toMatch(suggestion);
	},
);

test.each([
	[
		"<html><body><h1>408 Request Time-out</h1>\nYour browser didn't send a complete request in time.\n</body></html>",
		/waited too long for the whole request$/,
	],
	[
		'<html><head><title>408 Request Time-out</title></head><body><center>nginx/1.27</center></body></html>',
		/^nginx waited too long for the whole request$/,
	],
	['', /waited too long for the whole request$/],
	['Request Timeout', /waited too long for the whole request$/],
	['{"error":{"message":"litellm.Timeout: Timeout passed=600.0"}}', /^LiteLLM stopped waiting/],
	[
		'{"error":{"code":"Timeout","message":"The operation was timeout."}}',
		/stopped waiting for the model server$/,
	],
	['upstream request timeout', /stopped waiting for the model server$/],
])('the title for a page with status 408: %s', (body, title) => {
	expect(classifyErrorResponse({ status: 408, body }, context).message).toMatch(title);
});
