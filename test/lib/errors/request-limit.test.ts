/** Whose limit is reached: that of a gateway for requests in a time, what a model server processes at once, or not known. */
import { classifyErrorResponse, classifyStreamError } from '../../../lib/errors/classify-error';

interface Row {
	name: string;
	status: number;
	body: unknown;
	headers?: Record<string, string>;
	/** Named in title and suggestion; undefined: the response does not name it. */
	gateway?: string;
	/** In the suggestion. */
	place: RegExp;
}

const page = (text: string, more = '') =>
	`<html><head><title>${text}</title></head><body><h1>${text}</h1>${more}</body></html>`;

const classify = ({ status, body, headers }: Pick<Row, 'status' | 'body' | 'headers'>) =>
	classifyErrorResponse(
		{ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) },
		{ model: 'm' },
	);

const UNKNOWN = /in the gateway or proxy in front of the server/;

test.each<Row>([
	{
		name: "Cloudflare's text",
		status: 429,
		body: 'error code: 1015',
		gateway: 'Cloudflare',
		place: /rate limiting/,
	},
	{
		name: "Cloudflare's page",
		status: 429,
		body: page('Access denied', '<p>Error 1015 You are being rate limited</p>Cloudflare'),
		gateway: 'Cloudflare',
		place: /rate limiting/,
	},
	{
		name: "Cloudflare's JSON",
		status: 429,
		body: {
			title: 'Error 1015: You are being rate limited',
			status: 429,
			error_code: 1015,
			cloudflare_error: true,
		},
		gateway: 'Cloudflare',
		place: /rate limiting/,
	},
	{
		name: "Envoy's local limit",
		status: 429,
		body: 'local_rate_limited',
		gateway: 'Envoy',
		place: /local_ratelimit/,
	},
	{
		name: "Envoy's rate limit service, which writes no text",
		status: 429,
		body: '',
		headers: { 'x-envoy-ratelimited': 'true' },
		gateway: 'Envoy',
		place: /rate limit service/,
	},
	{
		name: 'nginx with limit_req_status 429',
		status: 429,
		body: page('429 Too Many Requests', '<hr><center>nginx/1.27.4</center>'),
		gateway: 'nginx',
		place: /limit_req/,
	},
	{
		name: 'nginx that is named by its header only',
		status: 429,
		body: page('429 Too Many Requests'),
		headers: { server: 'nginx' },
		gateway: 'nginx',
		place: /limit_req/,
	},
	{
		name: 'HAProxy',
		status: 429,
		body: page('429 Too Many Requests', 'You have sent too many requests in a given time. HAProxy'),
		gateway: 'HAProxy',
		place: /deny_status/,
	},
	{
		name: 'Kong',
		status: 429,
		body: { message: 'API rate limit exceeded' },
		gateway: 'Kong',
		place: /rate-limiting/,
	},
	{
		name: 'Kong with a message of its own',
		status: 429,
		body: { error: { message: 'Slow down, please' } },
		headers: { 'x-kong-response-latency': '1' },
		gateway: 'Kong',
		place: /rate-limiting/,
	},
	{
		name: 'APISIX',
		status: 503,
		body: { error_msg: 'Requests are too frequent, please try again later.' },
		place: UNKNOWN,
	},
	{
		name: 'AWS API Gateway',
		status: 429,
		body: { message: 'Too Many Requests' },
		headers: { 'x-amzn-errortype': 'TooManyRequestsException' },
		gateway: 'AWS',
		place: /usage plan/,
	},
	{
		name: 'AWS API Gateway, its quota',
		status: 429,
		body: { message: 'Limit Exceeded' },
		headers: { 'x-amzn-errortype': 'LimitExceededException' },
		gateway: 'AWS',
		place: /usage plan/,
	},
	{
		name: 'Azure API Management',
		status: 429,
		body: { statusCode: 429, message: 'Rate limit is exceeded. Try again in 20 seconds.' },
		gateway: 'Azure',
		place: /policy rate-limit/,
	},
	{
		name: 'Azure OpenAI',
		status: 429,
		body: {
			error: {
				code: '429',
				message:
					'Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 10 seconds.',
			},
		},
		gateway: 'Azure',
		place: /quota of the deployment/,
	},
	{
		name: 'ngrok',
		status: 429,
		body: page('ngrok', 'Rate limit exceeded ERR_NGROK_734'),
		gateway: 'ngrok',
		place: /plan of ngrok/,
	},
	{
		name: 'SlowAPI in a FastAPI server',
		status: 429,
		body: { error: 'Rate limit exceeded: 5 per 1 minute' },
		place: UNKNOWN,
	},
	{
		name: 'LocalAI',
		status: 429,
		body: { error: { message: 'Request quota exceeded for m: 5/5 requests in 1h0m0s window' } },
		place: UNKNOWN,
	},
	{
		name: 'Tyk',
		status: 429,
		body: { error: 'API Rate limit exceeded' },
		place: UNKNOWN,
	},
	{
		name: 'LiteLLM',
		status: 429,
		body: {
			error: {
				message: 'Rate limit exceeded for api_key: 29a3. Limit type: requests. Current limit: 1.',
			},
		},
		gateway: 'LiteLLM',
		place: /rpm_limit/,
	},
])('the rate limit of a gateway: $name', ({ gateway, place, ...response }) => {
	const { type, message, suggestion } = classify(response);
	const name = gateway === undefined ? '' : ` in ${gateway}`;
	expect({ type, message }).toEqual({
		type: 'busy',
		message: `The rate limit is reached${name}: no more requests or tokens for now`,
	});
	expect(suggestion).toMatch(/^Wait until the limit resets/);
	expect(suggestion).toMatch(place);
	expect(suggestion).not.toMatch(/slot|Max Concurrent/);
});

test.each([
	{ name: 'Traefik, or any server in Go', status: 429, body: 'Too Many Requests' },
	{ name: 'Caddy, or any server without a body', status: 429, body: '' },
	{ name: 'behind a proxy', status: 429, body: '', headers: { server: 'Caddy' }, place: /Caddy/ },
	{
		name: 'through nginx, which writes pages itself',
		status: 429,
		body: 'Too Many Requests',
		headers: { server: 'nginx/1.29.1' },
		place: /nginx/,
	},
	{
		name: 'express-rate-limit, or any server with its words',
		status: 429,
		body: 'Too many requests, please try again later.',
	},
	{ name: 'JSON with the phrase', status: 429, body: { message: 'Too Many Requests' } },
	{ name: 'JSON without words', status: 429, body: {} },
	{ name: 'French JSON', status: 429, body: { message: 'Limite de débit dépassée' } },
	{ name: 'Korean JSON', status: 429, body: { error: '요청 한도를 초과했습니다' } },
	{ name: 'Spanish text', status: 429, body: 'Demasiadas solicitudes' },
])('a 429 that does not say which limit it is: $name', ({ place = UNKNOWN, ...response }) => {
	const { type, message, suggestion } = classify(response);
	expect({ type, message }).toEqual({
		type: 'busy',
		message: 'The server, or a proxy in front of it, rejects further requests for now',
	});
	expect(suggestion).toMatch(/Max Concurrent Requests.*may be one of requests in a time/);
	expect(suggestion).toMatch(place);
});

test.each([
	{
		name: 'llama-swap',
		status: 429,
		body: {
			src: 'llama-swap',
			error: {
				message: 'Too many requests',
				type: 'rate_limit_error',
				param: null,
				code: 'concurrency_limit',
			},
		},
	},
	{ name: 'an older llama-swap', status: 429, body: 'Too many requests' },
	{ name: 'llama-swap', status: 503, body: 'llama-swap: Too many requests' },
	{ name: 'TEI', status: 429, body: { error: 'Model is overloaded', error_type: 'overloaded' } },
	{ name: 'SGLang', status: 503, body: { message: 'The request queue is full.' } },
	{ name: 'a text about a queue', status: 429, body: 'Queue is full' },
	{ name: 'a text about a model', status: 429, body: 'The model is at capacity' },
	{ name: 'Infinity', status: 429, body: { error: { message: 'model overloaded, try later' } } },
])('a model server that is busy: $name', (response) => {
	const { type, message, suggestion } = classify(response);
	expect({ type, message }).toEqual({
		type: 'busy',
		message: 'The server is busy and rejects further requests',
	});
	expect(suggestion).toMatch(/Max Concurrent Requests/);
});

test.each([
	{
		name: 'a budget',
		status: 429,
		body: 'You exceeded your current quota',
		type: 'keyBudgetExceeded',
	},
	{ name: 'a missing model', status: 429, body: 'model not found', type: 'modelNotFound' },
	{ name: 'a page with 403', status: 403, body: page('Too Many Requests'), type: 'blockedByProxy' },
])('is no rate limit: $name', ({ type, ...response }) => {
	expect(classify(response).type).toBe(type);
});

test.each([
	{ name: 'as an object', body: JSON.stringify({ error: { message: 'error code: 1015' } }) },
	{ name: 'as a text', body: JSON.stringify({ error: 'local_rate_limited' }) },
	{
		name: 'with a status',
		body: JSON.stringify({ error: { message: 'Rate limit exceeded', code: 429 } }),
	},
])('the rate limit of a gateway inside a response, $name', ({ body }) => {
	const { type, message } = classifyStreamError(body);
	expect([type, message]).toEqual(['busy', expect.stringMatching(/^The rate limit is reached/)]);
});

test("Dify's limit and that of a proxy in front of it have their own titles", () => {
	const classifyForDify = (body: string) =>
		classifyErrorResponse({ status: 429, body }, { service: 'dify' }).message;
	expect(
		[
			'error code: 1015',
			'{"message":"Rate limit exceeded"}',
			'Too Many Requests',
			'{"message":"busy"}',
		].map(classifyForDify),
	).toEqual([
		'The rate limit is reached in Cloudflare: no more requests or tokens for now',
		'The rate limit is reached: no more requests or tokens for now',
		'Dify, or a proxy in front of it, rejects further requests for now',
		'The app has reached its limit of concurrent requests',
	]);
});

test.each([
	{ detail: 'Multi-stage engine not initialized. Start server with a multi-stage omni model.' },
	{ error: { message: 'Service unavailable', code: 503 } },
	{ message: 'Maintenance until 12:00' },
	{},
])('a 503 as JSON that does not speak of load has its own reason: %j', (body) => {
	const { type, message, suggestion } = classify({ status: 503, body });
	expect({ type, message }).toEqual({
		type: 'busy',
		message: 'The server does not accept requests now',
	});
	expect(suggestion).toMatch(/Its message or its log says why/);
});

test.each([
	{ error: 'Server overloaded' },
	{ message: 'Too many requests' },
	{ detail: 'All slots are in use' },
	{ error: { message: 'x', code: 'at_capacity' } },
])('a 503 as JSON about load is a busy server: %j', (body) => {
	expect(classify({ status: 503, body }).message).toBe(
		'The server is busy and rejects further requests',
	);
});
