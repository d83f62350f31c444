/** The errors of responses with many bodies and headers, and of exceptions while one is read. */
import path from 'node:path';
import { ConnectionFailure } from '../../../lib/http/connection-failure';
import { BodyTooLargeError } from '../../../lib/http/body-limits';
import {
	createQueueError,
	toResponseError,
	toTransportError,
} from '../../../lib/http/request-errors';
import type { RequestOptions } from '../../../lib/http/types';
import { Watchdog } from '../../../lib/http/timeouts';
import type { ServerError } from '../../../lib/errors/server-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { omitUndefined } from '../../../lib/values/records';
import { expectApproved } from '../../support/approved/approved-table';
import { useClock } from '../../guarantees/support/fake-clock';
import { markWords, findValues } from '../../support/approved/outcome';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const clock = useClock();

const KEY = 'sk-long-key-of-the-credential';
const SERVER = createModelServer(
	{ baseUrl: 'http://gpu:8080', apiKey: KEY, serverType: 'vllm' },
	NO_EXECUTION,
);
const OPEN_SERVER = createModelServer(
	{ baseUrl: 'http://gpu:8080', serverType: 'other' },
	NO_EXECUTION,
);
const URL_OF_CHAT = 'http://gpu:8080/v1/chat/completions';

const OPTIONS: RequestOptions = {
	url: URL_OF_CHAT,
	model: 'qwen3',
	json: { model: 'qwen3', messages: [{ role: 'user', content: 'What is a cat?' }] },
	limits: TASK_LIMITS.chat.received,
};

const describeError = (error: ServerError) => {
	const { type, message, detail, suggestion, status, code, serverText, facts, report } = error;
	const { isServerText, isOtherProgram, isBrokenJson, retryable } = error;
	return omitUndefined({
		type: `${type}${markWords([isServerText === true ? '' : message, detail, suggestion])}`,
		says: isServerText === true ? message : undefined,
		status,
		code,
		serverText,
		facts: Object.keys(facts).length > 0 ? facts : undefined,
		report: report && { ...report, status: undefined },
		marks: Object.entries({ isServerText, isOtherProgram, isBrokenJson, retryable })
			.filter(([, isSet]) => isSet === true)
			.map(([name]) => name)
			.join(', '),
	});
};

const error = (message: unknown, more: object = {}) =>
	JSON.stringify({ error: { message, ...more } });

/** Bodies of errors, each with its status. */
const BODIES: ReadonlyArray<readonly [number, string]> = [
	[400, error('A sentence. Another sentence')],
	[400, '{"message":"In message"}'],
	[400, '{"detail":"In detail"}'],
	[400, '{"error":"In error"}'],
	[400, '{"errors":[{"message":"In errors"}]}'],
	[400, '{"error":{"message":"Outer: {\\"error\\":{\\"message\\":\\"Inner\\",\\"code\\":404}}"}}'],
	[
		422,
		'{"detail":[{"loc":["body","top_k"],"msg":"Too small","type":"x"},{"loc":["body","n"],"msg":"Too large"}]}',
	],
	[400, error('Bad top_k', { param: 'top_k', type: 'invalid_request_error', code: 'bad' })],
	[400, error(['A', 'B'])],
	[400, error(null)],
	[400, error('')],
	[400, 'A sentence as text'],
	[400, 'Bad Request'],
	[400, '{"error":'],
	[400, '<html><head><title>400 Bad Request</title></head><body>nginx</body></html>'],
	[500, 'Internal Server Error'],
	[500, error('Traceback (most recent call last): File "/opt/x.py", line 5')],
	[500, error('<nil>')],
	[500, error(`Cannot read ${KEY}`)],
	[400, error('Invalid value "What is a cat?" in messages')],
	[400, error('The model qwen3 is unknown', { code: 'model_not_found' })],
	[404, error('model "qwen3" not found, try pulling it first')],
	[400, error('litellm.BadRequestError: OpenAIException - Sorry. Received Model Group=x')],
	[401, error('Invalid key')],
	[403, error('Not in your plan')],
	[413, 'Payload Too Large'],
	[429, error('Slow down', { type: 'rate_limit_exceeded' })],
	[429, error('Pay first', { code: 'insufficient_quota' })],
	[503, error('Loading model', { type: 'unavailable_error' })],
	[503, 'upstream connect error or disconnect'],
	[500, error('the request exceeds the available context size', { n_prompt_tokens: 9, n_ctx: 8 })],
	[500, error('model runner has unexpectedly stopped')],
	[400, error('this model does not support tools')],
	[501, error('This server does not support embeddings')],
	[200, error('In a success')],
	[200, '{"error":{"message":"With a status","code":429}}'],
	[302, ''],
	[418, ''],
];

/** Responses whose headers say something. */
const HEADERS: ReadonlyArray<readonly [number, string, Record<string, string>]> = [
	[429, '', { 'retry-after': '7' }],
	[503, '', { 'retry-after': 'soon' }],
	[502, '', { server: 'cloudflare' }],
	[502, '', { server: 'nginx/1.2' }],
	[502, '<html></html>', { 'content-type': 'text/html' }],
	[301, '', { location: '/login' }],
	[301, '', { location: 'http://other/login' }],
	[407, '', { 'proxy-authenticate': 'Basic' }],
	[503, '', { 'x-squid-error': 'ERR_DNS_FAIL 0' }],
	[500, error('x'), { 'x-litellm-version': '1.0' }],
	[
		404,
		'{"code":404,"message":"Not Found"}',
		{ 'x-version': '1.9', server: 'gunicorn', 'x-env': 'PRODUCTION' },
	],
];

test('each response has its error', () => {
	const rows = [...BODIES.map(([status, text]) => [status, text, {}] as const), ...HEADERS].map(
		([status, text, headers]) => ({
			input: `${String(status)} ${text} ${JSON.stringify(headers)}`
				.replace(/ \{\}$/, '')
				.replaceAll(KEY, 'KEY'),
			outcome: describeError(
				toResponseError(SERVER, OPTIONS, { status, headers, text, url: URL_OF_CHAT }),
			),
		}),
	);
	const moved = [401, 404].map((status) => ({
		input: `${String(status)} of another origin`,
		outcome: describeError(
			toResponseError(SERVER, OPTIONS, { status, headers: {}, text: '', url: 'http://other/v1' }),
		),
	}));
	const bare = [401, 404].map((status) => ({
		input: `${String(status)} without a key`,
		outcome: describeError(
			toResponseError(OPEN_SERVER, OPTIONS, { status, headers: {}, text: '', url: URL_OF_CHAT }),
		),
	}));
	const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
	const large = (
		[
			[
				'an upload',
				{ upload: { content: [], contentType: 'audio/wav', length: 1 }, json: undefined },
			],
			['an image', { json: { messages: [{ content: [{ type: 'text', text: 'a' }, image] }] } }],
			['an image of Ollama', { json: { messages: [{ content: 'a', images: ['AA=='] }] } }],
			['text', { json: { messages: [{ content: [{ type: 'text', text: 'a' }] }] } }],
			['nothing', { json: undefined }],
		] as const
	).map(([name, more]) => ({
		input: `413 after ${name}`,
		outcome: describeError(
			toResponseError(
				SERVER,
				{ ...OPTIONS, ...more },
				{ status: 413, headers: {}, text: '', url: URL_OF_CHAT },
			),
		),
	}));
	expectApproved(
		path.join(__dirname, 'request-errors.approved.txt'),
		[...rows, ...moved, ...bare, ...large],
		"An error response has its type, and the server's own sentence",
	);
});

const toFailure = (code: string, message = code) =>
	new ConnectionFailure(Object.assign(new Error(message), { code }));

const CODES = [
	'ECONNREFUSED',
	'ECONNRESET',
	'ENOTFOUND',
	'EAI_AGAIN',
	'EHOSTUNREACH',
	'ENETUNREACH',
	'ETIMEDOUT',
	'EPIPE',
	'UND_ERR_SOCKET',
	'UND_ERR_CONNECT_TIMEOUT',
	'HPE_INVALID_CONSTANT',
	'CERT_HAS_EXPIRED',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'ERR_TLS_CERT_ALTNAME_INVALID',
	'ERR_SSL_WRONG_VERSION_NUMBER',
	'EMFILE',
	'EACCES',
];

/** Failures whose address is that of the server, or of a proxy. */
const ADDRESSED = [
	{ code: 'ECONNREFUSED', address: '10.0.0.2', port: 8080, url: 'http://gpu:8080/v1' },
	{ code: 'ECONNREFUSED', address: '10.0.0.9', port: 3128, url: 'http://gpu:8080/v1' },
	{ code: 'ECONNREFUSED', address: '::1', port: 8080, url: 'http://[::1]:8080/v1' },
	{ code: 'ECONNREFUSED', address: '10.0.0.2', port: 80, url: 'http://gpu/v1' },
	{ code: 'ECONNREFUSED', address: '10.0.0.2', port: 443, url: 'https://gpu/v1' },
	{ code: 'ENOTFOUND', hostname: 'gpu', url: 'http://gpu:8080/v1' },
	{ code: 'ENOTFOUND', hostname: 'GPU', url: 'http://gpu:8080/v1' },
	{ code: 'ENOTFOUND', hostname: 'proxy', url: 'http://gpu:8080/v1' },
	{ code: 'ENOTFOUND', hostname: 'fe80::1', url: 'http://[fe80::1]:8080/v1' },
	{ code: 'UND_ERR_PRX_TLS', url: 'http://gpu:8080/v1' },
	{ code: 'UND_ERR_HEADERS_TIMEOUT', url: 'http://gpu:8080/v1' },
	{ code: 'X', message: 'Proxy response (502) !== 200 when HTTP Tunneling', url: 'http://gpu/v1' },
	{ code: 'X', message: 'Proxy Authentication Required', url: 'http://gpu/v1' },
	{ code: 'X', message: 'Parse Error (Invalid EOF state)', url: 'http://gpu/v1' },
	{ name: 'SsrfBlockedIpError', message: 'blocked', code: 'X', url: 'http://gpu/v1' },
	{ name: 'HTTPParserError', code: 'X', url: 'http://gpu/v1' },
];

test('each exception has its error, before and in a response', () => {
	const describe = (exception: unknown, hasStarted: boolean) => {
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 0 });
		const failed = { endpoint: SERVER, options: OPTIONS, watchdog, hasStarted };
		return describeError(toTransportError(exception, failed));
	};
	const failures = CODES.flatMap((code) =>
		[false, true].map((hasStarted) => ({
			input: `${code}${hasStarted ? ' in a response' : ''}`,
			outcome: describe(toFailure(code), hasStarted),
		})),
	);
	const addressed = ADDRESSED.map(({ url, ...of }) => {
		const cause = Object.assign(new Error(of.code), of);
		const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 0 });
		const options = { ...OPTIONS, url };
		const failed = { endpoint: SERVER, options, watchdog, hasStarted: false };
		const { type, code, message } = toTransportError(new ConnectionFailure(cause), failed);
		return {
			input: `${JSON.stringify(of)} for ${url}`,
			outcome: `${type}${markWords([message])} ${code ?? ''}: ${findValues(message).join(', ')}`,
		};
	});
	const large = ['{"a":1', '<html>'].map((received) => ({
		input: `too large: ${received}`,
		outcome: describe(new BodyTooLargeError(1_000_000).withReceived(received), true),
	}));
	expectApproved(
		path.join(__dirname, 'request-errors.exceptions.approved.txt'),
		[...failures, ...addressed, ...large],
		'A failed connection has the type of its cause, before and in a response',
	);
});

test('a timeout and Stop have their errors, in the queue as well', async () => {
	const outcomes = [];
	for (const name of ['firstTokenMs', 'totalMs'] as const) {
		for (const hasStarted of [false, true]) {
			const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 0, totalMs: 0, [name]: 90_000 });
			await clock.pass(90_000);
			const failed = { endpoint: SERVER, options: OPTIONS, watchdog, hasStarted };
			const input = `${name}${hasStarted ? ' in a response' : ''}`;
			outcomes.push({ input, outcome: describeError(toTransportError(toFailure('x'), failed)) });
			if (hasStarted) continue;
			for (const limit of [0, 3]) {
				const endpoint = { ...SERVER, maxConcurrentRequests: limit, getSlots: () => 2 };
				const inQueue = createQueueError(endpoint, OPTIONS, watchdog);
				outcomes.push({
					input: `${name} in a queue of ${String(limit)}`,
					outcome: describeError(inQueue),
				});
			}
		}
	}
	const watchdog = new Watchdog({ firstTokenMs: 0, idleMs: 0 });
	const stopped = { ...OPTIONS, signal: AbortSignal.abort() };
	outcomes.push({
		input: 'Stop',
		outcome: describeError(
			toTransportError(toFailure('x'), {
				endpoint: SERVER,
				options: stopped,
				watchdog,
				hasStarted: false,
			}),
		),
	});
	expectApproved(
		path.join(__dirname, 'request-errors.timeouts.approved.txt'),
		outcomes,
		'A timeout names itself, also in the queue',
	);
});
