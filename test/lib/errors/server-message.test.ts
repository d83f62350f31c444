import * as fc from 'fast-check';

import { httpFailure } from '../../../lib/errors/http-failure';
import { serverMessage } from '../../../lib/errors/server-message';
import { examples } from '../../support/properties';

const CONTEXT = { url: 'http://gpu:8080/v1/chat/completions', root: 'http://gpu:8080', model: 'm' };

/** Errors that servers sent, with the kind that each one is. */
const RECORDED: Array<[kind: string, status: number, error: Record<string, unknown>]> = [
	[
		'contextOverflow',
		400,
		{
			code: 400,
			message:
				'request (60020 tokens) exceeds the available context size (8192 tokens), try increasing it',
			type: 'exceed_context_size_error',
			n_prompt_tokens: 60020,
			n_ctx: 8192,
		},
	],
	[
		'templateRejected',
		500,
		{ code: 500, message: 'Jinja Exception: No user query found', type: 'server_error' },
	],
	[
		'modelNotFound',
		503,
		{
			message: '当前分组 default 下对于模型 no-such-model 无可用渠道 (request id: 1)',
			type: 'new_api_error',
		},
	],
	[
		'modelNotFound',
		503,
		{ message: 'No image model loaded. Load a model via the UI first.', type: 'server_error' },
	],
	[
		'wrongModelType',
		400,
		{ message: '"minilm:latest" does not support chat', type: 'invalid_request_error' },
	],
	['toolsUnsupported', 400, { message: 'scripted:latest does not support tools' }],
];

/** What gateways and Ollama do with the error of the server behind them. */
const WRAPPERS: Record<string, (body: string) => string> = {
	'in the message': (body) =>
		JSON.stringify({
			error: { message: body, type: 'invalid_request_error', param: null, code: null },
		}),
	'behind words': (body) =>
		JSON.stringify({ error: { message: `OpenAIException - ${body}`, type: null } }),
	'between words': (body) => JSON.stringify({ error: `upstream said: ${body} (request id: 7)` }),
	'in the detail': (body) => JSON.stringify({ detail: body }),
	"behind the provider's name": (body) => {
		const { error } = JSON.parse(body) as { error?: { message?: string } };
		const message = `openai error: ${error?.message ?? body}`;
		const details = typeof error === 'object' ? error : {};
		return JSON.stringify({ error: { ...details, message }, provider: 'openai' });
	},
	'with its type in brackets (aichat)': (body) => {
		const { error } = JSON.parse(body) as { error?: { message?: string; type?: string } };
		const { message = body, type = 'unknown' } = typeof error === 'object' ? error : {};
		return JSON.stringify({
			error: { message: `${message} (type: ${type})`, type: 'invalid_request_error' },
		});
	},
	'in lines': (body) => `\n${body}\n`,
};

test("fast-check: an error in FastAPI's detail is the same error, with any status, type and code", () => {
	const kindOf = (status: number, body: object) =>
		httpFailure({ status, body: JSON.stringify(body), contentType: 'application/json' }, CONTEXT)
			.kind;
	const type = fc.constantFrom(
		'invalid_request_error',
		'authentication_error',
		'permission_error',
		'rate_limit_error',
		'server_error',
		undefined,
	);
	const code = fc.constantFrom('invalid_api_key', 'model_not_found', 'x', 500, null, undefined);
	const message = fc.constantFrom('No.', 'Incorrect API key provided', 'Model m not found');
	const error = fc.record({ message, type, code });
	const status = fc.constantFrom(400, 401, 403, 404, 422, 429, 500, 503);
	fc.assert(
		fc.property(status, error, (answered, told) => {
			expect(kindOf(answered, { detail: { error: told } })).toBe(kindOf(answered, { error: told }));
		}),
		examples(300),
	);
});

test.each(RECORDED)('%s (%s) has one name, whatever wraps it: %j', (kind, status, error) => {
	const wrappers = fc.array(fc.constantFrom(...Object.values(WRAPPERS)), { maxLength: 4 });
	fc.assert(
		fc.property(wrappers, (wraps) => {
			const body = wraps.reduce((inner, wrap) => wrap(inner), JSON.stringify({ error }));
			const failed = httpFailure({ status, body, contentType: 'application/json' }, CONTEXT);
			expect(failed).toMatchObject({ kind });
			expect(serverMessage(body).message).toBe(error.message);
		}),
		examples(100),
	);
});

/** GPUStack 2.3.0 sends every refusal of the server behind it like this, with status 503. */
const workerFailed = (status: number, answer: string) =>
	JSON.stringify({
		error: {
			message: `An unexpected error occurred: Worker request failed: 1 POST http://10.0.0.9:10150/v1/embeddings status=${status}, error=${answer}`,
			code: 503,
			type: 'ServiceUnavailable',
		},
	});

test.each(RECORDED)('%s (%s) in a 503 that names its status: %j', (kind, status, error) => {
	const body = workerFailed(status, JSON.stringify({ error }));
	expect(httpFailure({ status: 503, body }, CONTEXT)).toMatchObject({ kind, status });
});

test('the status that a gateway names counts as if the server behind it had been asked', () => {
	const statuses = fc
		.integer({ min: 400, max: 599 })
		.filter((status) => !/40[137]|501/.test(`${status}`));
	const answers = fc.oneof(
		fc.constantFrom('File Not Found', 'Not Found', 'out of memory', 'try again later'),
		fc.string({ maxLength: 40 }),
	);
	fc.assert(
		fc.property(statuses, answers, (status, message) => {
			const answer = JSON.stringify({ error: { message: `: ${message}` } });
			const wrapped = httpFailure({ status: 503, body: workerFailed(status, answer) }, CONTEXT);
			const direct = httpFailure({ status, body: answer }, CONTEXT);
			expect([wrapped.kind, wrapped.status]).toEqual([direct.kind, status]);
		}),
		examples(200),
	);
});

/** What `str()` makes of the exceptions of OpenAI's client for Python and of httpx, which home-made gateways hand on. */
const EXCEPTIONS: Record<string, (status: number, message: string) => string> = {
	'a sentence': (status, message) => `Error code: ${status} - ${message}`,
	'a dict': (status, message) =>
		`Error code: ${status} - {'error': {'code': ${status}, 'message': '${message}', 'type': 'x'}}`,
	'a dict with double quotes': (status, message) =>
		`Error code: ${status} - {'error': {'message': "${message}", 'type': None}}`,
};

test.each(Object.entries(EXCEPTIONS))(
	'the exception of a client in Python is read as the answer behind it: %s',
	(_, exceptionOf) => {
		const statuses = fc.constantFrom(400, 409, 422, 429, 500, 503);
		const messages = fc.oneof(
			fc.constantFrom(
				'request (3585 tokens) exceeds the available context size (1024 tokens)',
				'model chat not found',
			),
			fc.stringMatching(/^[a-z][a-z ]{0,40}$/),
		);
		const wrappers = fc.constantFrom(
			(detail: string) => JSON.stringify({ detail: `Upstream API error: ${detail}` }),
			(error: string) => JSON.stringify({ error }),
		);
		fc.assert(
			fc.property(statuses, messages, wrappers, (status, message, wrap) => {
				const body = wrap(exceptionOf(status, message));
				const direct = httpFailure(
					{ status, body: JSON.stringify({ error: { message } }) },
					CONTEXT,
				);
				for (const outer of [500, 502])
					expect(httpFailure({ status: outer, body }, CONTEXT)).toMatchObject({
						kind: direct.kind,
						status,
						serverText: message,
					});
			}),
			examples(100),
		);
	},
);

test('the exception of httpx tells the status behind it, but not that a route is wrong', () => {
	const failed = (status: string) =>
		httpFailure(
			{
				status: 502,
				body: JSON.stringify({ detail: `Client error '${status}' for url 'http://x'` }),
			},
			CONTEXT,
		);
	expect(failed('400 Bad Request')).toMatchObject({ kind: 'badRequest', status: 400 });
	expect(failed('401 Unauthorized')).toMatchObject({ kind: 'gatewayKey', status: 401 });
	expect(failed('404 Not Found')).toMatchObject({ kind: 'gateway', status: 502 });
});

describe('a key that the server behind a gateway refuses is the key of the gateway', () => {
	const REFUSED = 'Incorrect API key provided';
	const json = JSON.stringify({ error: { message: REFUSED, type: 'authentication_error' } });
	const HANDED_ON: Record<string, string> = {
		GPUStack: workerFailed(401, json),
		aichat: JSON.stringify({
			error: {
				message: `${REFUSED} (type: authentication_error)`,
				type: 'invalid_request_error',
			},
		}),
		...Object.fromEntries(
			Object.entries(EXCEPTIONS).map(([name, exceptionOf]) => [
				`the exception of a client in Python: ${name}`,
				JSON.stringify({ detail: exceptionOf(401, REFUSED) }),
			]),
		),
		...Object.fromEntries(
			[REFUSED, json, EXCEPTIONS['a dict']!(401, REFUSED)].map((said) => [
				`LiteLLM: ${said}`,
				JSON.stringify({
					error: {
						message: `litellm.AuthenticationError: AuthenticationError: OpenAIException - ${said}`,
						type: null,
						code: '401',
					},
				}),
			]),
		),
	};

	test.each(Object.entries(HANDED_ON))('%s', (_, body) => {
		const wrappers = fc.array(fc.constantFrom(...Object.values(WRAPPERS)), { maxLength: 2 });
		fc.assert(
			fc.property(fc.constantFrom(401, 500, 502, 503), wrappers, (status, wraps) => {
				const wrapped = wraps.reduce((inner, wrap) => wrap(inner), body);
				const failed = httpFailure({ status, body: wrapped }, CONTEXT);
				expect(failed).toMatchObject({ kind: 'gatewayKey', status: 401 });
				expect(failed.serverText).toContain(REFUSED);
				expect(failed.remedy).toContain('in the gateway');
			}),
			examples(40),
		);
	});

	test.each<[string, string, object]>([
		['of the server behind', 'gatewayKey', { message: REFUSED, type: 'authentication_error' }],
		['without its words', 'gatewayKey', { message: 'bad response', type: 'upstream_error' }],
		['of one-api itself', 'unauthorized', { message: '无效的令牌', type: 'one_api_error' }],
		['of New API itself', 'unauthorized', { message: '无效的令牌', type: 'new_api_error' }],
		['of one-hub itself', 'unauthorized', { message: '无效的令牌', type: 'one_hub_error' }],
	])('one-api and New API hand on a refusal %s', (_, kind, error) => {
		const body = JSON.stringify({ error });
		expect(httpFailure({ status: 401, body, isRelayed: true }, CONTEXT)).toMatchObject({ kind });
		expect(httpFailure({ status: 401, body }, CONTEXT)).toMatchObject({ kind: 'unauthorized' });
	});

	test('Bifrost hands on the status of the server behind it, and has types for its own refusals', () => {
		const types = fc.constantFrom(undefined, 'authentication_error', 'server_error');
		const own = fc.constantFrom('virtual_key_required', 'model_blocked', 'request_limited');
		fc.assert(
			fc.property(fc.constantFrom(401, 501), types, own, (status, type, ownType) => {
				const handedOn = {
					is_bifrost_error: false,
					status_code: status,
					error: { type, message: REFUSED },
					extra_fields: { provider: 'llama' },
				};
				const kindOf = (body: object) =>
					httpFailure({ status, body: JSON.stringify(body) }, CONTEXT).kind;
				expect(kindOf(handedOn)).toBe(status === 401 ? 'gatewayKey' : 'wrongModelType');
				const ofItself = status === 401 ? 'unauthorized' : 'notSupported';
				expect(kindOf({ ...handedOn, type: ownType })).toBe(ofItself);
				expect(kindOf({ ...handedOn, extra_fields: {} })).toBe(ofItself);
			}),
			examples(40),
		);
	});

	test('LiteLLM that refuses its own key does not say that', () => {
		const message =
			'Authentication Error, Invalid proxy server token passed. Received API Key = sk-x';
		const body = JSON.stringify({ error: { message, type: 'auth_error', code: '401' } });
		expect(httpFailure({ status: 401, body }, CONTEXT)).toMatchObject({ kind: 'unauthorized' });
	});
});

test.each([
	['unauthorized', ['header', 'x-api-key'], 'Field required'],
	['unauthorized', ['header', 'authorization'], 'Field required'],
	['modalityUnsupported', ['body', 'messages', 0, 'content'], 'Input should be a valid string'],
	['badRequest', ['body', 'messages', 0, 'role'], "Input should be 'user' or 'system'"],
	[
		'toolsUnsupported',
		['body', 'messages', 2, 'role'],
		"Input should be 'user', 'assistant' or 'system'",
	],
	[
		'badRequest',
		['body', 'messages', 0, 'role'],
		"Input should be 'system', 'user', 'assistant' or 'tool'",
	],
	['badRequest', ['header', 'x-tenant'], 'Field required'],
])("FastAPI's 422 is %s for %j", (kind, loc, msg) => {
	const body = JSON.stringify({ detail: [{ type: 'x', loc, msg, input: null }] });
	expect(httpFailure({ status: 422, body }, CONTEXT)).toMatchObject({ kind });
});

test('a server behind a gateway that was not started for this is a model that is for something else', () => {
	const body = workerFailed(501, '{"error":{"message":"Start it with `--embeddings`"}}');
	expect(httpFailure({ status: 503, body }, CONTEXT)).toMatchObject({
		kind: 'wrongModelType',
		status: 501,
	});
});

test.each([403, 407])(
	'a gateway that is refused with %i: the key of the user is right',
	(status) => {
		const body = workerFailed(status, '{"error":{"message":"refused"}}');
		expect(httpFailure({ status: 503, body }, CONTEXT)).toMatchObject({
			kind: 'busy',
			status: 503,
		});
	},
);

test('the numbers of the inner error are those of the failure', () => {
	const body = WRAPPERS['in the message']!(JSON.stringify({ error: RECORDED[0]![2] }));
	expect(httpFailure({ status: 400, body }, CONTEXT).message).toContain('60020 tokens');
});

test('JSON that a message quotes is no error', () => {
	const message = 'Unexpected field in {"message":"hello","role":"user"}';
	expect(serverMessage(JSON.stringify({ error: { message } })).message).toBe(message);
});

test('text that nests without end is read to a bound', () => {
	let body = '{"error":"x"}';
	for (let depth = 0; depth < 12; depth++) body = JSON.stringify({ error: body });
	expect(serverMessage(body).message.length).toBeGreaterThan(0);
});

test('the cause of an error that stands beside its message is told with it', () => {
	const cause = 'dial tcp 127.0.0.1:8080: connect: connection refused';
	const message = 'failed to execute HTTP request to provider API';
	const body = JSON.stringify({ error: { error: cause, message } });
	expect(httpFailure({ status: 500, body }, CONTEXT)).toMatchObject({
		kind: 'gateway',
		serverText: `${message}: ${cause}`,
	});
	const other = JSON.stringify({ error: { error: { code: 1 }, message } });
	expect(httpFailure({ status: 500, body: other }, CONTEXT).serverText).toBe(message);
});

test('of a request that is sent back, the beginning of each text and list is read', () => {
	const long = 'x'.repeat(1_000_000);
	const echo = { messages: Array.from({ length: 10_000 }, (_, at) => ({ role: 'user', at })) };
	for (const body of [{ other: long }, { detail: [{ input: long }] }, echo]) {
		const { message } = serverMessage(JSON.stringify(body));
		expect(message.length).toBeGreaterThan(4_000);
		expect(message.length).toBeLessThan(200_000);
	}
});
