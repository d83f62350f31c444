/** Failures of model servers, and what stands between them and n8n: gateways, clients, proxies. */
import type { FailureKind } from '../../lib/errors/kinds';

export interface Inner {
	name: string;
	kind: FailureKind;
	/** The kind where a server behind a gateway fails like this, if that is another. */
	behind?: FailureKind;
	/** The words tell the kind, without status, type or code. */
	byWords: boolean;
	status: number;
	error: { message: string; type?: string; code?: number | string };
}

const inner = (
	kind: FailureKind,
	status: number,
	message: string,
	{ type, code, ...more }: Partial<Inner> & { type?: string; code?: string } = {},
): Inner => ({
	name: `${kind}: ${message.slice(0, 60)}`,
	kind,
	byWords: true,
	status,
	error: { message, type: type ?? 'server_error', code: code ?? status },
	...more,
});

export const INNERS: readonly Inner[] = [
	inner('modelNotFound', 404, "model 'm' not found", { type: 'not_found_error' }),
	inner('modelNotFound', 404, 'The model `m` does not exist.', { type: 'NotFoundError' }),
	inner('modelNotFound', 404, 'Model m is not supported for current token'),
	inner('modelNotFound', 400, 'unsupported model: lab/m'),
	inner('modelNotFound', 400, 'Unable to determine provider for model. Please specify a provider'),
	inner(
		'modelNotFound',
		403,
		'key not allowed to access model. This key can only access models=[a]. Tried to access m',
		{ type: 'key_model_access_denied' },
	),
	inner('modelNotFound', 409, 'Model has not been loaded, please load model into cortex.llamacpp'),
	inner('modelNotFound', 400, 'cannot use own model - must be: llama3'),
	inner('modelNotFound', 403, 'Model is not allowed for this API key', {
		type: 'invalid_request_error',
		code: 'model_not_allowed',
		byWords: false,
	}),
	inner('gatewayKey', 401, 'Provider key not found', {
		type: 'invalid_request_error',
		code: 'provider_key_not_found',
		byWords: false,
	}),
	inner('unauthorized', 401, 'Invalid API Key', {
		type: 'authentication_error',
		behind: 'gatewayKey',
		byWords: false,
	}),
	inner('unauthorized', 401, 'Incorrect API key provided: no-key.', {
		type: 'invalid_request_error',
		behind: 'gatewayKey',
		byWords: false,
	}),
	inner('unauthorized', 401, 'Incorrect API key provided: sk-up***ey.', {
		type: 'invalid_request_error',
		code: 'invalid_api_key',
		behind: 'gatewayKey',
		byWords: false,
	}),
	inner(
		'gatewayKey',
		400,
		"Provider requires an API key. Please configure the provider's API key.",
	),
	inner(
		'contextOverflow',
		400,
		'request (6030 tokens) exceeds the available context size (1024 tokens), try increasing it',
		{ type: 'exceed_context_size_error' },
	),
	inner(
		'contextOverflow',
		400,
		"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
		{ type: 'BadRequestError' },
	),
	inner('contextOverflow', 400, 'input length (6030) leaves no room for generation'),
	inner('contextOverflow', 400, 'Illegal param: prompt tokens size exceeds the context size', {
		type: 'Bad Request',
	}),
	inner('contextOverflow', 400, 'out_of_context_due_to_long_message'),
	inner('contextExceeded', 500, 'failed to decode, increasing context size or reducing parallel'),
	inner('busy', 503, 'The request queue is full.'),
	inner('busy', 503, 'server busy, please try again.  maximum pending requests exceeded', {
		type: 'api_error',
	}),
	inner('busy', 429, 'Rate limit reached for m. Please try again in 20s.', {
		type: 'rate_limit_error',
	}),
	inner('busy', 429, 'Too many requests'),
	inner('gateway', 503, 'circuit breaker is open - provider temporarily unavailable'),
	inner('gateway', 400, 'Post "http://gpu:8080/v1": net/http: timeout awaiting response headers'),
	inner('loading', 503, 'Loading model', { type: 'unavailable_error' }),
	inner(
		'modalityUnsupported',
		500,
		'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
	),
	inner('modalityUnsupported', 400, 'no_vision_model'),
	inner('toolsUnsupported', 400, 'OpenAI tools field not supported yet'),
	inner('toolsUnsupported', 500, 'tools param requires --jinja flag'),
	inner('toolsUnsupported', 400, 'm does not support tools'),
	inner('grammarRejected', 400, 'failed to parse grammar', { type: 'invalid_request_error' }),
	inner('grammarRejected', 400, 'JSON schema conversion failed: unsupported pattern', {
		type: 'invalid_request_error',
	}),
	inner('templateRejected', 500, 'Jinja Exception: No user query found'),
	inner('templateRejected', 400, 'TemplateError: No user query found in messages.'),
	inner('badRequest', 500, "[json.exception.out_of_range.403] key 'arguments' not found"),
	inner('badRequest', 400, "'messages' is required", { type: 'invalid_request_error' }),
	inner(
		'notSupported',
		501,
		'This server does not support embeddings. Start it with `--embeddings`',
		{ type: 'not_supported_error', behind: 'wrongModelType', byWords: false },
	),
	inner('wrongModelType', 400, 'The model does not support Embeddings API', {
		type: 'BadRequestError',
	}),
	inner('wrongModelType', 403, 'You are not allowed to do embedding from this model'),
	inner(
		'wrongModelType',
		500,
		"Model 'm' is of type 'llm' rather than the expected type 'embedding'",
	),
	inner(
		'modelFailedToLoad',
		500,
		'model requires more system memory (9.1 GiB) than is available (4.2 GiB)',
	),
	inner('modelFailedToLoad', 500, 'model name=m failed to load'),
	inner('tooLarge', 413, 'Payload Too Large', { byWords: false }),
	inner('serverError', 500, 'CUDA error: out of memory'),
	inner('budgetSpent', 429, 'You exceeded your current quota', {
		type: 'insufficient_quota',
		code: 'insufficient_quota',
		byWords: false,
	}),
];

/** What a wrapper hands on. */
export interface Refusal {
	status: number;
	/** The whole answer. */
	body: string;
	/** Its sentence. */
	message: string;
}

const REASONS: Record<number, string> = {
	400: 'Bad Request',
	401: 'Unauthorized',
	403: 'Forbidden',
	404: 'Not Found',
	409: 'Conflict',
	413: 'Payload Too Large',
	429: 'Too Many Requests',
	500: 'Internal Server Error',
	501: 'Not Implemented',
	503: 'Service Unavailable',
};
const GRPC: Record<number, string> = {
	400: 'InvalidArgument',
	401: 'Unauthenticated',
	403: 'PermissionDenied',
	404: 'NotFound',
	409: 'Aborted',
	413: 'OutOfRange',
	429: 'ResourceExhausted',
	500: 'Internal',
	501: 'Unimplemented',
	503: 'Unavailable',
};

const json = JSON.stringify;
const repr = (value: unknown): string => {
	if (value === null || value === undefined) return 'None';
	if (typeof value === 'string')
		return value.includes("'") && !value.includes('"')
			? `"${value}"`
			: `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
	if (typeof value !== 'object') return String(value);
	if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
	return `{${Object.entries(value)
		.map(([k, v]) => `${repr(k)}: ${repr(v)}`)
		.join(', ')}}`;
};
const url = 'http://10.0.0.9:8000/v1/chat/completions';

/** Texts that clients make of a refusal; each keeps its body. */
export const TEXTS: Record<string, (refusal: Refusal) => string> = {
	'plain words': ({ status, body }) => `upstream returned ${status}: ${body}`,
	'plain words and a reason': ({ status, body }) =>
		`Upstream error ${status} ${REASONS[status]}: ${body}`,
	'words with braces': ({ body }) =>
		`provider {llama} failed (request {id: 7}): ${body} [attempt 1/1] {trace: 9}`,
	'OpenAI for Python': ({ status, body }) =>
		`openai.APIStatusError: Error code: ${status} - ${repr(JSON.parse(body))}`,
	'OpenAI for Node': ({ status, message }) => `APIError: ${status} ${message}`,
	'OpenAI for Go': ({ status, message }) =>
		`error, status code: ${status}, status: ${status} ${REASONS[status]}, message: ${message}`,
	httpx: ({ status, body }) =>
		`Server error '${status} ${REASONS[status]}' for url '${url}'\nFor more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/${status}\n${body}`,
	requests: ({ status, body }) =>
		`HTTPError: ${status} Client Error: ${REASONS[status]} for url: ${url} - ${body}`,
	axios: ({ status, body }) =>
		`AxiosError: Request failed with status code ${status}, data: ${body}`,
	'a Go client': ({ status, body }) => `unexpected status code: ${status}, body: ${json(body)}`,
	Spring: ({ status, body }) =>
		`org.springframework.web.client.HttpServerErrorException$X: ${status} ${REASONS[status]}: "${body}"`,
	WebClient: ({ status, message }) =>
		`java.lang.RuntimeException: ${status} ${REASONS[status]} from POST ${url}; nested exception is java.io.IOException: ${message}`,
	reqwest: ({ status, body }) =>
		`HTTP status server error (${status} ${REASONS[status]}) for url (${url}): ${body}`,
	'Debug of Rust': ({ status, body }) =>
		`Upstream(Response { status: ${status}, body: Some(${json(body)}) })`,
	gRPC: ({ status, message }) => `rpc error: code = ${GRPC[status]} desc = ${message}`,
	'a trace': ({ body }) =>
		`Traceback (most recent call last):\n  File "/app/main.py", line 7, in chat\n    raise UpstreamError(resp.text)\nUpstreamError: ${body}`,
	'a list of attempts': ({ status, body }) =>
		`All 2 providers failed. a: connection refused; b: HTTP ${status}: ${body}`,
	TensorZero: ({ status, body }) =>
		`All variants failed with errors: v: All model providers failed to infer with errors: p: Error ${status} ${REASONS[status]} from vllm client: ${body}`,
	'uni-api': ({ body }) => `All m error: ${body}`,
};

/** Bodies of JSON around a text. */
export const BODIES: Record<string, (text: string, outer: number) => unknown> = {
	'an error': (message) => ({
		error: { message, type: 'upstream_error', param: null, code: null },
	}),
	'an error as text': (error) => ({ error }),
	detail: (detail) => ({ detail }),
	'a problem': (detail, status) => ({
		type: 'https://example.com/upstream',
		title: 'Upstream failed',
		status,
		detail,
		instance: '/v1/chat',
	}),
	'Spring Boot': (message, status) => ({
		timestamp: '2026-11-24T00:00:00Z',
		status,
		error: 'Bad Gateway',
		message,
		path: '/v1/chat/completions',
	}),
	Fastify: (message, statusCode) => ({
		statusCode,
		code: 'FST_ERR',
		error: 'Bad Gateway',
		message,
	}),
	'a code and a message': (msg, code) => ({ code, msg, data: null }),
	'success false': (message) => ({ success: false, message }),
	OAuth: (text) => ({ error: 'upstream_error', error_description: text }),
	errors: (message) => ({ errors: [{ message }] }),
	APISIX: (error_msg) => ({ error_msg }),
	'Envoy AI Gateway': (message, status) => ({
		type: 'error',
		error: { type: 'OpenAIBackendError', message, code: String(status) },
	}),
	'llama-box': (detail, code) => ({ error: { code, message: detail, type: 'Error' }, detail }),
};

/** Bodies of JSON around an answer that stays JSON. */
export const HOLDERS: Record<string, (inner: unknown, outer: number, key: string) => unknown> = {
	'under any key': (value, _outer, key) => ({ [key]: value }),
	'under any key, deep': (value, _outer, key) => ({ ok: false, [key]: { info: { [key]: value } } }),
	'as a cause': (value) => ({
		error: { message: 'Upstream request failed', type: 'gateway_error', cause: value },
	}),
	'as an inner error': (value) => ({
		error: { code: 'UpstreamError', message: 'The backend failed', innererror: value },
	}),
	OpenRouter: (value, code) => ({
		error: {
			message: 'Provider returned error',
			code,
			metadata: { raw: json(value), provider_name: 'Local' },
		},
	}),
	'as text under any key': (value, _outer, key) => ({ success: false, [key]: json(value) }),
	attempts: (value) => ({
		error: {
			message: 'All providers failed',
			attempts: [
				{ provider: 'a', error: 'connection refused' },
				{ provider: 'b', error: value },
			],
		},
	}),
	'attempts beside it': (value) => ({
		error: 'no provider left',
		attempts: [{ provider: 'b', response: value }],
	}),
	'a list of answers': (value) => ({ message: 'all upstreams failed', upstreams: [value] }),
};

/** Texts without the codes of the refusal. */
export const WITHOUT_CODES: ReadonlySet<string> = new Set([
	'OpenAI for Node',
	'OpenAI for Go',
	'WebClient',
	'gRPC',
]);

/** Pages of proxies in front of a server. */
export const PROXIES: ReadonlyArray<[string, number, string, FailureKind]> = [
	[
		'nginx',
		502,
		'<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.27.0</center>',
		'gateway',
	],
	['nginx', 504, '<html>\r\n<head><title>504 Gateway Time-out</title></head></html>', 'gateway'],
	[
		'nginx',
		413,
		'<html>\r\n<head><title>413 Request Entity Too Large</title></head></html>',
		'tooLarge',
	],
	['nginx', 429, '<html>\r\n<head><title>429 Too Many Requests</title></head></html>', 'busy'],
	[
		'nginx',
		401,
		'<html>\r\n<head><title>401 Authorization Required</title></head></html>',
		'proxyRefuses',
	],
	[
		'HAProxy',
		503,
		'<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>',
		'gateway',
	],
	[
		'HAProxy',
		504,
		"<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>",
		'gateway',
	],
	[
		'Apache',
		502,
		'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>502 Proxy Error</title>',
		'gateway',
	],
	[
		'Apache',
		403,
		'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>403 Forbidden</title>',
		'proxyRefuses',
	],
	[
		'Cloudflare',
		524,
		'<!DOCTYPE html><html><head><title>gpu | 524: A timeout occurred</title></head></html>',
		'gateway',
	],
	['Caddy', 502, '', 'gateway'],
	['Traefik', 504, 'Gateway Timeout', 'gateway'],
	[
		'Envoy',
		503,
		'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
		'gateway',
	],
];
