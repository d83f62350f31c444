/** Servers' errors for a model that is missing, for another purpose, or does not load, from their sources and issues. */
import * as fc from 'fast-check';

import { failureInBody, httpFailure } from '../../../lib/errors/http-failure';
import type { FailureKind } from '../../../lib/errors/kinds';

const lacks: Array<[string, number, unknown]> = [
	[
		'Aphrodite',
		404,
		{ object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError', code: 404 },
	],
	['aichat', 400, { error: { message: "Unknown chat model 'a:b'" } }],
	['TabbyAPI', 400, { detail: 'No models are currently loaded.' }],
	['TabbyAPI 503', 503, { detail: 'No models are currently loaded.' }],
	['TabbyAPI embeddings', 503, { detail: 'No embedding models are currently loaded.' }],
	[
		'KoboldCpp embeddings',
		503,
		{
			detail: { error: 'Invalid model. No embeddings model loaded.', type: 'service_unavailable' },
		},
	],
	[
		'llama.cpp rerank',
		501,
		{
			error: {
				code: 501,
				message: 'This server does not support reranking. Start it with `--reranking`',
				type: 'not_supported_error',
			},
		},
	],
	[
		'llama.cpp chat on embeddings',
		501,
		{
			error: {
				code: 501,
				message: 'This server does not support chat completions. Start it without `--embeddings`',
				type: 'not_supported_error',
			},
		},
	],
	['Ollama native', 404, { error: "model 'x' not found" }],
	['Ollama embeddings', 500, { error: 'this model does not support embeddings' }],
	['Ollama generate', 400, { error: '"all-minilm" does not support generate' }],
	[
		'lmdeploy',
		404,
		{
			message: "The model 'x' does not exist.",
			type: 'invalid_request_error',
			code: 404,
			object: 'error',
		},
	],
	[
		'LiteLLM provider',
		400,
		{
			error: {
				message:
					'litellm.BadRequestError: LLM Provider NOT provided. Pass in the LLM provider you are trying to call. You passed model=x',
				type: null,
				code: '400',
			},
		},
	],
	[
		'LiteLLM unknown',
		400,
		{
			error: {
				message:
					"{'error': '/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available models for your key.'}",
				type: 'invalid_request_error',
				code: '400',
			},
		},
	],
	[
		'LM Studio none',
		404,
		{
			error: {
				message: 'Failed to load model "x". Error: Model does not exist.',
				type: 'invalid_request_error',
				param: 'model',
				code: 'model_not_found',
			},
		},
	],
	[
		'LM Studio oom',
		400,
		{
			error: {
				message:
					'Failed to load model "x". Error: Model loading was stopped due to insufficient system resources.',
				type: 'invalid_request_error',
			},
		},
	],
	[
		'LM Studio cancelled',
		400,
		{ error: 'Failed to load model "qwen/qwen3-coder-30b". Error: Operation canceled.' },
	],
	[
		'LocalAI unimplemented',
		500,
		{
			error: {
				code: 500,
				message: 'rpc error: code = Unimplemented desc = Method not implemented!',
				type: '',
			},
		},
	],
	[
		'LocalAI Unknown unimplemented',
		500,
		{ error: { code: 500, message: 'rpc error: code = Unknown desc = unimplemented', type: '' } },
	],
	[
		'LocalAI disabled',
		500,
		{
			error: {
				code: 500,
				message: 'endpoint disabled for this model by API configuration',
				type: '',
			},
		},
	],
	[
		'LocalAI load',
		500,
		{
			error: {
				code: 500,
				message: 'could not load model: rpc error: code = Canceled desc = ',
				type: '',
			},
		},
	],
	[
		'LocalAI load 2',
		500,
		{
			error: {
				code: 500,
				message: 'failed to load model with internal loader: backend not found: /tmp/string',
				type: '',
			},
		},
	],
	['llama-swap', 404, 'no router for requested model'],
	[
		'FastChat',
		400,
		{ object: 'error', message: 'Only vicuna-7b allowed now, your model gpt-4', code: 40301 },
	],
	['vLLM production stack', 400, { error: 'Model x not found or vLLM engine is sleeping.' }],
	[
		'vLLM chat API',
		400,
		{
			error: {
				message: 'The model does not support the Chat Completions API',
				type: 'BadRequestError',
				code: 400,
			},
		},
	],
	[
		'vLLM transcription',
		400,
		{
			error: {
				message: 'The model does not support Transcriptions API',
				type: 'BadRequestError',
				code: 400,
			},
		},
	],
	[
		'SGLang rerank',
		400,
		{
			object: 'error',
			message:
				'This model does not appear to be a cross-encoder model by default. Please add `--disable-radix-cache` when launching',
			type: 'BadRequest',
			code: 400,
		},
	],
	['TEI wrong kind', 424, { error: 'model is not an embedding model', error_type: 'Backend' }],
	[
		'TEI rerank',
		424,
		{ error: '`predict` is not available for this model type', error_type: 'Backend' },
	],
	[
		'infinity',
		400,
		{
			error: {
				message:
					'ModelNotDeployedError: model=`bge` does not support `rerank` for modality `text`. Reason: the loaded moded cannot fullyfill `rerank`. Options are {"embed"}.',
				code: 400,
			},
		},
	],
	['Xinference old', 400, { detail: 'Model not found in the model list, uid: x' }],
	[
		'mlx-openai-server',
		404,
		{
			detail: {
				error: {
					message: "Model 'x' not found. Available models: y",
					type: 'model_not_found',
					code: 404,
				},
			},
		},
	],
	['mistral.rs', 500, { message: 'Model `x` not found. Available models: y' }],
	['Docker Model Runner', 404, 'model not found\n'],
	['text-generation-webui', 500, { detail: 'No model is loaded' }],
	[
		'speaches',
		404,
		{
			detail:
				"Model 'x' is not installed locally. You can download the model using `POST /v1/models`",
		},
	],
];
const not: Array<[string, number, unknown]> = [
	[
		'unsupported option',
		400,
		{ error: { message: 'This model does not support chat template kwargs' } },
	],
	[
		'vision',
		400,
		{ error: { message: 'Image provided but current GGUF model does not support vision.' } },
	],
	['logprobs', 400, { error: { message: 'model does not support generation with logprobs' } }],
	[
		'key',
		401,
		{
			error: {
				message:
					'key not allowed to access model. This key can only access models=[]. Tried to access x',
				type: 'key_model_access_denied',
				code: '401',
			},
		},
	],
	[
		'user text echoed',
		400,
		{
			error: { message: 'messages.0.content: "the model is broken; no models loaded" is invalid' },
		},
	],
	[
		'context',
		400,
		{
			error: {
				message:
					"This model's maximum context length is 2048 tokens. However, you requested 4000 tokens",
				code: 400,
			},
		},
	],
	['tools', 400, { error: { message: '"x" does not support tools' } }],
	['a form of a model', 500, { error: { message: "unknown model architecture: 'qwen9'" } }],
];
const failed = (status: number, body: unknown) =>
	httpFailure(
		{ status, body: typeof body === 'string' ? body : JSON.stringify(body) },
		{ url: 'http://a:1/v1/chat/completions' },
	);

/** The server lacks the model, or cannot do this with it: every such request would fail. */
const LACKING: ReadonlySet<FailureKind> = new Set([
	'gatewayKey',
	'modelNotFound',
	'modelFailedToLoad',
	'wrongModelType',
	'notSupported',
	'wrongPath',
]);

test.each(lacks.filter(([, status]) => status !== 503))(
	'the server lacks the model: %s',
	(_n, status, body) => {
		expect(LACKING).toContain(failed(status, body).kind);
	},
);
test.each(not)('the server does not lack the model: %s', (_n, status, body) => {
	expect(LACKING).not.toContain(failed(status, body).kind);
});
test.each<[string, number, unknown, string]>([
	[
		'vLLM score',
		400,
		{ error: { message: 'The model does not support Score API', code: 400 } },
		'wrongModelType',
	],
	[
		'vLLM classification',
		400,
		{ error: { message: 'The model does not support Classification API' } },
		'wrongModelType',
	],
	[
		'vLLM Aphrodite completions',
		400,
		{ object: 'error', message: 'The model does not support Completions API' },
		'wrongModelType',
	],
	[
		'vLLM tokenizer',
		400,
		{ error: { message: 'This model does not support prompt_logprobs' } },
		'badRequest',
	],
	[
		'vLLM mm',
		400,
		{ error: { message: 'qwen3 is not a multimodal model' } },
		'modalityUnsupported',
	],
	[
		'shimmy, with pictures',
		400,
		{
			error: {
				message: 'multimodal content is not supported by this build',
				code: 'unsupported_media',
			},
		},
		'modalityUnsupported',
	],
	[
		'a gateway in Rust before a server that is down',
		400,
		{
			error: {
				message: 'error sending request for url (http://10.0.0.9:8080/v1/chat/completions)',
				type: 'invalid_request_error',
			},
		},
		'gateway',
	],
	[
		'SGLang context',
		400,
		{
			object: 'error',
			message: "The input (4097 tokens) is longer than the model's context length (4096 tokens).",
		},
		'contextOverflow',
	],
	[
		'LMDeploy context',
		400,
		{
			object: 'error',
			message: 'Input length (4010) must be smaller than the model context length (2048).',
			type: 'invalid_request_error',
		},
		'contextOverflow',
	],
	[
		'LMDeploy without a parser of calls',
		400,
		{
			object: 'error',
			message: 'Please launch the api_server with --tool-call-parser if you want to use tools.',
			type: 'invalid_request_error',
		},
		'toolsUnsupported',
	],
	['SGLang queue', 503, { object: 'error', message: 'The request queue is full.' }, 'busy'],
	['SGLang paused', 503, { error: { message: 'The server is shutting down' } }, 'busy'],
	[
		'LiteLLM context',
		400,
		{
			error: {
				message:
					"litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - This model's maximum context length is 4096 tokens",
			},
		},
		'contextOverflow',
	],
	[
		'LiteLLM no deployments',
		429,
		{ error: { message: 'No deployments available for selected model, Try again in 5 seconds.' } },
		'busy',
	],
	[
		'LiteLLM budget',
		400,
		{
			error: {
				message: 'Budget has been exceeded! Current cost: 1, Max budget: 1',
				type: 'budget_exceeded',
			},
		},
		'budgetSpent',
	],
	[
		'LiteLLM budget as too many requests',
		429,
		{
			error: {
				message: 'Budget has been exceeded! Current cost: 5, Max budget: 4',
				type: 'budget_exceeded',
				code: '429',
			},
		},
		'budgetSpent',
	],
	[
		'OpenAI quota',
		429,
		{
			error: {
				message: 'You exceeded your current quota',
				type: 'insufficient_quota',
				code: 'insufficient_quota',
			},
		},
		'budgetSpent',
	],
	[
		'One API, a token that is spent',
		401,
		{ error: { message: '该令牌额度已用尽 (request id: 2026)', type: 'one_api_error' } },
		'budgetSpent',
	],
	[
		'one-hub, a token that is spent',
		401,
		{ error: { message: '令牌额度已用尽 (request id: 2026)', type: 'one_hub_error' } },
		'budgetSpent',
	],
	[
		'one-hub, whose server is down',
		500,
		{ error: { message: '请求上游地址失败 (request id: 2026)', type: 'one_hub_error' } },
		'gateway',
	],
	[
		'one-hub, a ranking of a channel that has none',
		503,
		{ error: { message: 'channel not implemented (request id: 2026)', type: 'one_hub_error' } },
		'notSupported',
	],
	[
		'uni-api, whose server is down',
		503,
		{ error: 'All chat error: Unable to connect to service' },
		'gateway',
	],
	[
		'MLflow, whose server is down',
		500,
		{
			error: {
				message:
					"Cannot connect to host 127.0.0.1:8080 ssl:default [Connect call failed ('127.0.0.1', 8080)]",
				type: 'ClientConnectorError',
			},
		},
		'gateway',
	],
	[
		'One API, a user whose quota is spent',
		403,
		{
			error: {
				message: 'user quota is not enough (request id: 2026)',
				type: 'one_api_error',
				code: 'insufficient_user_quota',
			},
		},
		'budgetSpent',
	],
	[
		'llama-swap, a program that is not there',
		500,
		{
			src: 'llama-swap',
			error: {
				message:
					"unspecific error: failed to start command '/opt/llama-server --port 5800': fork/exec /opt/llama-server: no such file or directory",
			},
		},
		'modelFailedToLoad',
	],
	[
		'Ollama loading',
		500,
		{
			error:
				'llama runner process has terminated: error loading model: unable to allocate CUDA0 buffer',
		},
		'modelFailedToLoad',
	],
	[
		'Ollama memory',
		500,
		{ error: 'model requires more system memory (9.1 GiB) than is available (4.2 GiB)' },
		'modelFailedToLoad',
	],
	[
		'Ollama pull',
		404,
		{ error: 'model "qwen3:8b" not found, try pulling it first' },
		'modelNotFound',
	],

	[
		'llama.cpp slot',
		503,
		{ error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
		'loading',
	],
	[
		'NVIDIA Dynamo, its workers start',
		503,
		{
			message:
				'Model `m` is not ready to serve requests yet. The deployment may still be starting up or is not fully provisioned. Please retry shortly.',
			type: 'Service Unavailable',
			code: 503,
		},
		'loading',
	],
	[
		'NVIDIA Dynamo, a worker is gone',
		503,
		{ message: 'Service temporarily unavailable', type: 'Service Unavailable', code: 503 },
		'busy',
	],
	[
		'NVIDIA Dynamo, a picture for a model that reads none',
		400,
		{ message: 'Invalid request', type: 'Bad Request', code: 400 },
		'badRequest',
	],
	[
		'OGX, a chat model for vectors',
		400,
		{
			error: {
				message: "Model 'llama/m' is of type 'llm' rather than the expected type 'embedding'",
			},
		},
		'wrongModelType',
	],
	[
		'llama.cpp router',
		400,
		{ error: { message: 'model is not loaded', code: 400 } },
		'modelNotFound',
	],
	[
		'llama.cpp bad model',
		400,
		{ error: { message: 'invalid model: nope', code: 400 } },
		'modelNotFound',
	],
	[
		'LM Studio crash',
		400,
		{
			error:
				'The model has crashed without additional information. (Exit code: 18446744072635812000)',
		},
		'serverError',
	],
	['LM Studio unloaded', 400, { error: 'Model unloaded.' }, 'modelNotFound'],
	[
		'LM Studio JIT off',
		404,
		{
			error: {
				message: "Model 'x' is not loaded. Please load it first.",
				code: 'model_not_loaded',
			},
		},
		'modelNotFound',
	],
	[
		'GPUStack none',
		503,
		{ code: 503, reason: 'ServiceUnavailable', message: 'No running instances available' },
		'busy',
	],
	['GPUStack', 404, { code: 404, reason: 'NotFound', message: 'Model not found' }, 'modelNotFound'],
	['mistral.rs wrong', 422, { message: 'Model `x` is not an embedding model' }, 'wrongModelType'],
	['MLX omni', 404, { detail: 'Not Found' }, 'wrongPath'],
	[
		'lmdeploy embeddings',
		400,
		{ message: 'Unsupported by turbomind.', object: 'error', code: 400 },
		'badRequest',
	],
	[
		'HF router',
		400,
		{
			error: {
				message: "The requested model 'x' is not supported by any provider you have enabled.",
				code: 'model_not_supported',
			},
		},
		'modelNotFound',
	],
	[
		'KoboldCpp busy',
		503,
		{ detail: { msg: 'Server is busy; please try again later.', type: 'service_unavailable' } },
		'busy',
	],
	[
		'nginx 503',
		503,
		'<html><head><title>503 Service Temporarily Unavailable</title></head></html>',
		'gateway',
	],
	[
		'LLaMA-Factory, two results of tools',
		400,
		{ detail: 'Only supports u/a/u/a/u...' },
		'templateRejected',
	],
	['TabbyAPI key', 401, { detail: 'Invalid API key' }, 'unauthorized'],
	[
		'TabbyAPI, whose work broke off',
		503,
		{
			detail:
				'Chat completion 1f0c aborted. Maybe the model was unloaded? Please check the server console.',
		},
		'serverError',
	],
	[
		'Envoy AI Gateway, a model without a route',
		404,
		'No matching route found. It is likely because the model specified in your request is not configured in the Gateway.',
		'modelNotFound',
	],
	[
		'Higress, a quota that is spent',
		403,
		'Request denied by ai quota check, No quota left',
		'budgetSpent',
	],
	[
		'Higress, another key',
		403,
		'Request denied by Key Auth check. Unauthorized consumer.',
		'unauthorized',
	],
	[
		'Higress, a route that the provider lacks',
		500,
		'failed to process request headers: unsupported API name',
		'wrongModelType',
	],
	[
		'Higress, a model that is mapped to none',
		500,
		'failed to process request body: model becomes empty after applying the configured mapping',
		'modelNotFound',
	],
	[
		'APISIX, a route that the provider lacks',
		400,
		'provider anthropic does not support openai-embeddings protocol (supported: anthropic-messages)',
		'wrongModelType',
	],
	[
		'TensorZero without a key for the provider',
		502,
		{
			error: {
				message:
					'All variants failed with errors: v: All model providers failed to infer with errors: p: API key missing for provider openai: not in credentials',
			},
		},
		'gatewayKey',
	],
	['TensorZero, a model', 500, { error: { message: 'Unknown model: m' } }, 'modelNotFound'],
	[
		"Helicone's gateway, a model",
		500,
		{ error: { message: 'Mapper error: Invalid model name: m', type: 'server_error' } },
		'modelNotFound',
	],
	[
		"Helicone's gateway, a model of no provider",
		500,
		{
			error: {
				message: 'Mapper error: No model mapping found for provider: ollama and model: m',
				type: 'server_error',
			},
		},
		'modelNotFound',
	],
	[
		"Helicone's gateway, a name without a provider",
		400,
		{ error: { message: 'Invalid model id in request body', type: 'invalid_request_error' } },
		'modelNotFound',
	],
	[
		"Helicone's gateway, a route that it lacks",
		400,
		{ error: { message: 'Unsupported endpoint: v1/rerank', type: 'invalid_request_error' } },
		'wrongModelType',
	],
	[
		'agentgateway, a model that the key may not use',
		403,
		{ error: { message: 'Model is not allowed for this API key', code: 'model_not_allowed' } },
		'modelNotFound',
	],
	[
		'agentgateway without a key for its backend',
		500,
		'backend authentication failed: no token',
		'gatewayKey',
	],
	['Letta, an agent', 404, { detail: 'Agent not found' }, 'modelNotFound'],
	['cortex.cpp, an engine', 400, { message: 'Engine is not loaded yet' }, 'modelNotFound'],
	['xinference empty detail', 500, { detail: '' }, 'serverError'],
	[
		'xinference speech',
		500,
		{ detail: '[address=1, pid=2] Model x is not for creating speech.' },
		'wrongModelType',
	],
	[
		'user text',
		400,
		{
			error: {
				message: 'Failed to parse messages: the server does not support the foo api, says the user',
			},
		},
		'badRequest',
	],
])('the words of %s', (_n, status, body, kind) => {
	expect(failed(status, body).kind).toBe(kind);
});

const tooLong = fc.record({
	asked: fc.integer({ min: 2_000, max: 99_999 }),
	has: fc.integer({ min: 1, max: 1_999 }),
	words: fc.constantFrom(
		(asked: number, has: number) => `Requested tokens (${asked}) exceed context window of ${has}`,
		(asked: number, has: number) =>
			`Prompt length ${asked} exceeds the available context size of ${has} tokens`,
		(asked: number, has: number) => `prompt is too long: ${asked} tokens > ${has} maximum`,
		(asked: number, has: number) =>
			`Input length of input_ids is ${asked}, but \`max_length\` is set to ${has}.`,
	),
});

test('the words of libraries about a prompt that is too long mean the same in each form of a home-made server', () => {
	const forms = fc.constantFrom(
		(words: string) => ({ error: words }),
		(words: string) => ({ detail: words }),
		(words: string) => ({ error_msg: words }),
		(words: string) => ({ error: { message: words, type: 'internal', code: 'internal_error' } }),
	);
	fc.assert(
		fc.property(tooLong, forms, fc.constantFrom(400, 422, 500), (one, form, status) => {
			const body = JSON.stringify(form(one.words(one.asked, one.has)));
			const refused = httpFailure({ status, body }, { url: 'http://x/v1', root: 'http://x' });
			const under200 = failureInBody(body, { url: 'http://x/v1', root: 'http://x' });
			for (const failed of [refused, under200]) expect(failed.kind).toBe('contextOverflow');
			if (!/^(?:Requested|Prompt)/.test(refused.serverText!)) return;
			expect(refused.message).toContain(`${one.asked} tokens`);
			expect(refused.message).toContain(`has ${one.has}`);
		}),
	);
});

test('fast-check: an error that came with status 200 has no 200 in its title', () => {
	const words = fc.constantFrom(
		'Connection error.',
		'upstream connect error',
		'No.',
		'rate limit reached',
		'context deadline exceeded',
	);
	const type = fc.constantFrom('APIConnectionError', 'server_error', 'upstream_error', undefined);
	fc.assert(
		fc.property(words, type, (message, of) => {
			const body = JSON.stringify({ error: { message, type: of } });
			expect(failureInBody(body, { url: 'http://x/v1' }).message).not.toContain('200');
		}),
	);
});

test('NVIDIA Dynamo tells the limit that a prompt passes beside its words', () => {
	fc.assert(
		fc.property(fc.integer({ min: 1 }), fc.integer({ min: 1 }), (limit, actual) => {
			const details = { type: 'context_length', limit, actual };
			const body = JSON.stringify({ message: 'Invalid request', type: 'Bad Request', details });
			const refused = httpFailure({ status: 400, body }, { url: 'http://x/v1', root: 'http://x' });
			expect(refused.kind).toBe('contextOverflow');
			expect(refused.message).toContain(`needs ${actual} tokens`);
			expect(refused.message).toContain(`has ${limit}`);
		}),
	);
});

test('an exception of FastAPI that a gateway hands on as text means what its status means', () => {
	const kinds = fc.constantFrom(
		[400, 'badRequest'],
		[401, 'gatewayKey'],
		[429, 'busy'],
		[500, 'serverError'],
		[503, 'busy'],
	);
	const sentence = fc.stringMatching(/^[A-Z][a-z]{2,9}( [a-z]{2,9}){0,4}\.?$/);
	fc.assert(
		fc.property(kinds, sentence, fc.constantFrom(200, 500), ([status, kind], words, outer) => {
			const error = { message: `${status}: ${words}`, type: 'HTTPException' };
			const body = JSON.stringify({ error });
			const context = { url: 'http://x/v1', root: 'http://x' };
			const failed =
				outer === 200
					? failureInBody(body, context)
					: httpFailure({ status: outer, body }, context);
			expect(failed).toMatchObject({ kind, serverText: words });
		}),
	);
});

describe('a 404 in JSON', () => {
	const url = 'http://x/v1/chat/completions';
	const refusal = (detail: string, model: string) =>
		httpFailure(
			{ status: 404, body: JSON.stringify({ detail }) },
			{ url, root: 'http://x', model },
		);
	const model = fc.stringMatching(/^[a-z]{2,8}([/:.+-][a-z0-9]{1,6}){0,3}$/);

	test('that names the model which was asked for is about the model, in whatever words', () => {
		const form = fc.constantFrom(
			(name: string) => `GatewayEndpoint not found (name='${name}')`,
			(name: string) => `No available providers at the moment: ${name}`,
			(name: string) => `"${name}" is nowhere`,
			(name: string) => `Unknown function: ${name}`,
			(name: string) => `${name}, which nobody serves`,
		);
		fc.assert(
			fc.property(model, form, (name, words) => {
				expect(refusal(words(name), name).kind).toBe('modelNotFound');
				const named = `tensorzero::function_name::${name}`;
				expect(refusal(words(name), named).kind).toBe('modelNotFound');
			}),
		);
	});

	test('that names none, another one, or a path is about the path', () => {
		const form = fc.constantFrom(
			() => 'Not Found',
			(name: string) => `Model '${name}' is not supported here`,
			(name: string) => `The route /v1/${name}/completions is not there`,
			(name: string) => `The route x${name}x is not there`,
		);
		fc.assert(
			fc.property(model, form, (name, words) => {
				fc.pre(!/^(?:not|found|the|route|is|there|x)$/i.test(name));
				expect(refusal(words(name), name).kind).toBe('wrongPath');
			}),
		);
	});
});
