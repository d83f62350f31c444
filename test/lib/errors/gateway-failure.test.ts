/** Who speaks: a gateway in front of the model server, or the model server itself. */
import { classifyErrorResponse, classifyStreamError } from '../../../lib/errors/classify-error';
import type { ErrorType } from '../../../lib/errors/error-types';

const context = {
	url: 'http://host:4000/v1/chat/completions',
	root: 'http://host:4000',
	model: 'm',
};

interface Row {
	name: string;
	status: number;
	body: unknown;
	headers?: Record<string, string>;
	type: ErrorType;
	/** In the title. */
	title: RegExp;
	/** In the suggestion. */
	suggestion: RegExp;
	/** In neither of them. */
	not?: RegExp;
}

const openAi = (message: string, more: object = {}) => ({ error: { message, ...more } });
const page = (text: string, more = '') =>
	`<html><head><title>${text}</title></head><body><h1>${text}</h1>${more}</body></html>`;
const WHAT_IS_NOT_TRUE = /server log|names a field|is running/;

const ROWS: Row[] = [
	// It stopped waiting
	{
		name: 'LiteLLM, with its limit',
		status: 408,
		body: openAi(
			'litellm.Timeout: Connection timed out. Timeout passed=600.0, time taken=600.006 seconds',
		),
		type: 'gatewayTimeout',
		title: /^LiteLLM stopped waiting for the model server after 600 s$/,
		suggestion: /request_timeout/,
		not: WHAT_IS_NOT_TRUE,
	},
	{
		name: 'LiteLLM in its words with a 500',
		status: 500,
		body: openAi(
			'litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out.',
		),
		type: 'gatewayTimeout',
		title: /^LiteLLM stopped waiting for the model server$/,
		suggestion: /request_timeout/,
		not: WHAT_IS_NOT_TRUE,
	},
	{
		name: 'LiteLLM by its headers only',
		status: 408,
		headers: { 'x-litellm-version': '1.80.0' },
		body: openAi('Request timed out after 45 seconds'),
		type: 'gatewayTimeout',
		title: /^LiteLLM stopped waiting for the model server after 45 s$/,
		suggestion: /request_timeout/,
	},
	{
		name: 'Envoy',
		status: 504,
		body: openAi('upstream request timeout'),
		type: 'gatewayTimeout',
		title: /stopped waiting for the model server/,
		suggestion: /timeout/,
		not: /server log/,
	},
	{
		name: 'Envoy in plain text',
		status: 504,
		body: 'upstream request timeout',
		type: 'gatewayTimeout',
		title: /^Envoy stopped waiting/,
		suggestion: /timeout/,
	},
	{
		name: 'a page of nginx',
		status: 504,
		body: page('504 Gateway Time-out', '<hr><center>nginx/1.27.0</center>'),
		type: 'gatewayTimeout',
		title: /^nginx stopped waiting for the model server$/,
		suggestion: /proxy_read_timeout/,
		not: /inference-gateway|Cloudflare/,
	},
	{
		name: 'a page of HAProxy',
		status: 504,
		body: page('504 Gateway Time-out', "The server didn't respond in time."),
		type: 'gatewayTimeout',
		title: /^HAProxy stopped waiting/,
		suggestion: /timeout server/,
	},
	{
		name: 'an empty 504',
		status: 504,
		body: '',
		type: 'gatewayTimeout',
		title: /^A proxy stopped waiting for the model server$/,
		suggestion: /raise its timeout/,
	},
	{
		name: "Cloudflare's page",
		status: 524,
		body: page('host | 524: A timeout occurred', 'Cloudflare Ray ID: 8a'),
		type: 'gatewayTimeout',
		title: /^Cloudflare stopped waiting for the model server$/,
		suggestion: /direct address.*shorter prompt/,
		not: /check that the server is running|cloudflared is up/,
	},
	{
		name: "Cloudflare's text",
		status: 524,
		body: 'error code: 524',
		type: 'gatewayTimeout',
		title: /^Cloudflare stopped waiting/,
		suggestion: /direct address/,
	},
	{
		name: 'JSON with the code of Cloudflare in a 200',
		status: 200,
		body: openAi('Provider returned error', { code: 524 }),
		type: 'gatewayTimeout',
		title: /^Cloudflare stopped waiting/,
		suggestion: /direct address/,
	},
	{
		name: "Cloudflare's text inside a 500 of LiteLLM",
		status: 500,
		body: openAi(
			'litellm.InternalServerError: InternalServerError: OpenAIException - error code: 524',
		),
		type: 'gatewayTimeout',
		title: /^Cloudflare stopped waiting/,
		suggestion: /direct address/,
	},
	{
		name: 'a page of nginx inside a 500 of LiteLLM',
		status: 500,
		body: openAi(
			'litellm.APIError: APIError: OpenAIException - <html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<hr><center>nginx</center>',
		),
		type: 'gatewayTimeout',
		title: /^nginx stopped waiting/,
		suggestion: /proxy_read_timeout/,
	},
	{
		name: 'a Go program',
		status: 500,
		body: openAi(
			'Post "http://10.0.0.5:8080/v1/chat/completions": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
		),
		type: 'gatewayTimeout',
		title: /stopped waiting/,
		suggestion: /timeout/,
		not: /server log/,
	},
	{
		name: 'httpx in a Python gateway',
		status: 500,
		body: { detail: 'ReadTimeout: The read operation timed out' },
		type: 'gatewayTimeout',
		title: /stopped waiting/,
		suggestion: /timeout/,
	},
	{
		name: 'axios in a Node gateway, in milliseconds',
		status: 500,
		body: { message: 'timeout of 60000ms exceeded' },
		type: 'gatewayTimeout',
		title: /stopped waiting .*after 60 s$/,
		suggestion: /timeout/,
	},
	{
		name: 'a load balancer in Japanese',
		status: 504,
		body: page('ゲートウェイがタイムアウトしました'),
		type: 'gatewayTimeout',
		title: /^A proxy stopped waiting/,
		suggestion: /raise its timeout/,
	},
	// It cannot reach the server
	{
		name: '502 as JSON',
		status: 502,
		body: openAi('Bad Gateway'),
		type: 'badGateway',
		title: /^A proxy responds with 502, but the model server behind it does not$/,
		suggestion: /running/,
		not: /server log/,
	},
	{
		name: '502 of Kong',
		status: 502,
		body: { message: 'An invalid response was received from the upstream server' },
		type: 'badGateway',
		title: /^A proxy responds with 502, but/,
		suggestion: /running/,
	},
	{
		name: 'a page of nginx',
		status: 502,
		body: page('502 Bad Gateway', '<hr>nginx/1.27.0'),
		type: 'badGateway',
		title: /^nginx responds with 502, but the model server behind it does not$/,
		suggestion: /running/,
	},
	{
		name: "Cloudflare's page of 521",
		status: 521,
		body: page('host | 521: Web server is down', 'Cloudflare Ray ID: 8a'),
		type: 'badGateway',
		title: /^Cloudflare responds with 521, but the model server behind it does not$/,
		suggestion: /running/,
	},
	{
		name: "Cloudflare's page of 522, which says timed out",
		status: 522,
		body: page('host | 522: Connection timed out'),
		type: 'badGateway',
		title: /^Cloudflare responds with 522, but the model server behind it does not$/,
		suggestion: /connection from Cloudflare/,
	},
	{
		name: 'an event with 523',
		status: 200,
		body: openAi('Origin is unreachable', { code: '523' }),
		type: 'badGateway',
		title: /^Cloudflare responds with 523, but the model server behind it does not$/,
		suggestion: /running/,
	},
	{
		name: 'LiteLLM whose server is down',
		status: 500,
		body: openAi(
			'litellm.InternalServerError: InternalServerError: OpenAIException - Connection error.',
		),
		type: 'badGateway',
		title: /^LiteLLM responds with 500, but the model server behind it does not$/,
		suggestion: /running/,
	},
	{
		name: 'Envoy, whose connection times out',
		status: 503,
		body: openAi(
			'upstream connect error or disconnect/reset before headers. reset reason: connection timeout',
		),
		type: 'badGateway',
		title: /^Envoy responds with 503, but the model server behind it does not$/,
		suggestion: /running/,
	},
	{
		name: 'a page in German with 503',
		status: 503,
		body: page('Dienst nicht verfügbar'),
		type: 'badGateway',
		title: /^A proxy responds with 503, but the model server behind it does not$/,
		suggestion: /limit_req/,
	},
	// The tunnel is down
	{
		name: "Cloudflare's page of 530",
		status: 530,
		body: page('Cloudflare Tunnel error', 'Error 1033'),
		type: 'tunnelDown',
		title: /^The tunnel to the model server is down/,
		suggestion: /cloudflared/,
	},
	{
		name: 'an event with 530',
		status: 200,
		body: openAi('error code: 1033', { code: 530 }),
		type: 'tunnelDown',
		title: /tunnel/,
		suggestion: /cloudflared/,
	},
	{
		name: 'ngrok',
		status: 404,
		body: 'The endpoint abc.ngrok-free.app is offline.\r\n\r\nERR_NGROK_3200',
		type: 'tunnelDown',
		title: /tunnel/,
		suggestion: /ngrok/,
	},
	// A model server in the response of a gateway
	{
		name: 'the context, with a 502',
		status: 502,
		body: openAi("This model's maximum context length is 8192 tokens, but the prompt has 9000."),
		type: 'promptTooLong',
		title: /9000/,
		suggestion: /context|ctx-size/i,
	},
	{
		name: 'the code of the context, with a 504',
		status: 504,
		body: openAi('too long', { code: 'context_length_exceeded' }),
		type: 'promptTooLong',
		title: /context/,
		suggestion: /./,
	},
	{
		name: 'a missing model, in text with a 502',
		status: 502,
		body: 'upstream command exited prematurely but successfully',
		type: 'modelLoadFailed',
		title: /could not load/,
		suggestion: /./,
	},
	{
		name: 'a loading model with a 503',
		status: 503,
		body: openAi('Loading model'),
		type: 'modelLoading',
		title: /loading/,
		suggestion: /./,
	},
	// Words about time that are something else
	{
		name: 'a download of an image that timed out',
		status: 400,
		body: openAi('Failed to download image: request timed out after 5 seconds'),
		type: 'fileUnreadable',
		title: /./,
		suggestion: /./,
	},
	{
		name: 'a field of the request',
		status: 422,
		body: { detail: [{ loc: ['body', 'timeout'], msg: 'Input should be less than 600' }] },
		type: 'badRequest',
		title: /timeout/,
		suggestion: /names a field/,
	},
	{
		name: 'a session',
		status: 400,
		body: openAi('Your session has timed out.'),
		type: 'badRequest',
		title: /session/,
		suggestion: /./,
	},
	{
		name: 'a model that did not start in time',
		status: 500,
		body: openAi('timed out waiting for llama runner to start - progress 0.00 -'),
		type: 'modelLoadFailed',
		title: /./,
		suggestion: /./,
	},
	{
		name: 'a tool behind a gateway',
		status: 500,
		body: openAi('Tool search failed: the request timed out'),
		type: 'serverError',
		title: /Tool search/,
		suggestion: /./,
	},
];

test.each(ROWS)(
	'the error of a gateway: $name, with status $status',
	({ status, body, headers, type, title, suggestion, not }) => {
		const text = typeof body === 'string' ? body : JSON.stringify(body);
		const error = classifyErrorResponse({ status, headers, body: text }, context);
		expect([error.type, error.message, error.suggestion]).toEqual([
			type,
			expect.stringMatching(title),
			expect.stringMatching(suggestion),
		]);
		if (not) {
			expect(error.message).not.toMatch(not);
			expect(error.suggestion).not.toMatch(not);
		}
	},
);

const EVENTS = ROWS.filter(
	({ body, type }) =>
		typeof body === 'object' && /^(?:gatewayTimeout|badGateway|tunnelDown)$/.test(type),
);

test.each(EVENTS)('$name, as an event of a stream', ({ status, body, type }) => {
	const { error, ...rest } = body as { error?: object };
	const event = {
		...rest,
		error: { ...rest, ...error, code: status === 200 ? undefined : status },
	};
	const withCode = status === 200 ? body : event;
	expect(classifyStreamError(JSON.stringify(withCode), context).type).toBe(type);
});

test('an error of a gateway is no rejection by the model server, and never sent again by itself', () => {
	for (const { body, status, type, headers } of EVENTS) {
		const error = classifyErrorResponse({ status, headers, body: JSON.stringify(body) }, context);
		expect([type, error.rejection, error.retryable]).toEqual([type, undefined, false]);
	}
});

const UNITS = [
	...['ms', 'millisecond', 'milliseconds', 'MS'].map((unit) => ({ unit, factor: 0.001 })),
	...['s', 'sec', 'second', 'seconds', 'Seconds'].map((unit) => ({ unit, factor: 1 })),
	...['min', 'minute', 'minutes', 'Minutes'].map((unit) => ({ unit, factor: 60 })),
];
const LIMIT_TEXTS: Array<(limit: string) => string> = [
	(limit) => `Request timed out after ${limit}`,
	(limit) => `The upstream request timed out within ${limit}.`,
	(limit) => `upstream request timeout: ${limit} timeout`,
	(limit) => `Request timed out: timeout of ${limit} exceeded`,
	(limit) => `litellm.Timeout: Connection timed out. Timeout passed=${limit}`,
];

test.each(UNITS)('a limit in $unit is understood in every sentence', ({ unit, factor }) => {
	const texts = LIMIT_TEXTS.map((write) => write(`${Math.round(120 / factor)} ${unit}`));
	const limits = texts.map((text) => {
		const body = JSON.stringify(openAi(text));
		const { message } = classifyErrorResponse({ status: 504, body }, context);
		return [text, message.replace(/^.* after /, '')];
	});
	expect(limits).toEqual(texts.map((text) => [text, '120 s']));
});
