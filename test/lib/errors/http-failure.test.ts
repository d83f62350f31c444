import fc from 'fast-check';

import { looksLikeHtml } from '../../../lib/errors/failed-answer';
import { failure } from '../../../lib/errors/failure';
import { httpFailure } from '../../../lib/errors/http-failure';
import { serverMessage } from '../../../lib/errors/server-message';
import { kindOfMessage } from '../../../lib/errors/kind-of-message';
import type { FailureKind } from '../../../lib/errors/kinds';
import { secretsOf } from '../../../lib/errors/secrets';
import { ServerError } from '../../../lib/errors/server-error';
import { parseObject } from '../../../lib/json';
import { fixtureNames, httpFixture } from '../../support/streams';
import { examples } from '../../support/properties';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/time';

const URL_ASKED = 'http://10.0.0.5:8080/v1/chat/completions';
const CONTEXT = { url: URL_ASKED, root: 'http://10.0.0.5:8080', model: 'qwen3' };

const recorded = (name: string) => {
	const { status, headers, body } = httpFixture(`llama-server-v0.5.0/${name}.http`);
	const contentType = headers.find(([header]) => header.toLowerCase() === 'content-type')?.[1];
	return httpFailure({ status, contentType, body: body.toString() }, CONTEXT);
};

const answered = (
	status: number,
	body: object | string,
	contentType = typeof body === 'string' ? 'text/plain' : 'application/json',
	location?: string,
) =>
	httpFailure(
		{ status, contentType, body: typeof body === 'string' ? body : JSON.stringify(body), location },
		CONTEXT,
	);

describe('recorded errors of llama-server', () => {
	test.each<[name: string, kind: FailureKind, said: string]>([
		['key-models-none', 'unauthorized', 'Invalid API Key'],
		['key-unknown-path', 'unauthorized', 'Invalid API Key'],
		['prefix-health-outside', 'wrongPath', 'File Not Found'],
		['not-found', 'wrongPath', 'File Not Found'],
		['wrong-method', 'wrongPath', 'File Not Found'],
		['loading-health', 'loading', 'Loading model'],
		['loading-wrong-key', 'loading', 'Loading model'],
		['metrics-off', 'notSupported', 'Start it with `--metrics`'],
		['post-props-off', 'notSupported', 'Start it with `--props`'],
		['error-context', 'contextOverflow', 'request (6030 tokens) exceeds'],
		['error-image-no-mmproj', 'modalityUnsupported', 'image input is not supported'],
		['error-audio-no-mmproj', 'modalityUnsupported', 'audio input is not supported'],
		['error-malformed-json', 'badRequest', '[json.exception.parse_error.101]'],
		['error-empty-body', 'badRequest', '[json.exception.parse_error.101]'],
		['error-temperature-type', 'badRequest', "Field 'temperature'"],
		['error-n-range', 'badRequest', 'but got 9'],
		['error-messages-missing', 'badRequest', "'messages' is required"],
		['error-reasoning-format', 'badRequest', 'Unknown reasoning format: deep'],
		['error-schema-and-grammar', 'badRequest', 'Cannot use both json_schema and grammar'],
		['error-role-missing', 'badRequest', "Missing 'role'"],
		['error-tool-type', 'badRequest', 'Unsupported tool type'],
		['error-tools-history-no-arguments', 'badRequest', "key 'arguments' not found"],
		[
			'error-tools-history-arguments',
			'brokenHistory',
			'Failed to parse tool call arguments as JSON',
		],
		['error-template-roles', 'templateRejected', 'Conversation roles must alternate'],
		[
			'error-template-tool-id',
			'templateRejected',
			'Tool call IDs should be alphanumeric strings with length 9!',
		],
		['error-grammar', 'grammarRejected', 'failed to parse grammar'],
		['error-schema-ref', 'grammarRejected', 'JSON schema error'],
		['error-schema-type', 'grammarRejected', 'JSON schema error'],
		['error-schema-repetition', 'grammarRejected', 'failed to parse grammar'],
		['error-grammar-tools', 'badRequest', 'Cannot use custom grammar constraints with tools.'],
		['error-embeddings-off', 'notSupported', '--embeddings'],
		['error-rerank-off', 'notSupported', '--reranking'],
		['error-infill-off', 'notSupported', 'Infill is not supported'],
		['error-embeddings-long', 'badRequest', 'increase the physical batch size'],
		['error-embeddings-empty-list', 'badRequest', 'must not be empty'],
		['error-tools-disabled', 'forbidden', 'this feature is disabled'],
		['error-router-unknown-model', 'modelNotFound', "model 'nope' not found"],
		['error-router-not-loaded', 'modelNotFound', 'model is not loaded'],
		['error-router-no-model', 'badRequest', 'model name is missing'],
		['router-child-killed', 'serverError', 'proxy error: Failed to read connection'],
	])('%s: %s', (name, kind, said) => {
		const failed = recorded(name);
		expect(failed.kind).toBe(kind);
		expect(failed.serverText).toContain(said);
	});

	test('case 94: 413 comes without a body', () => {
		expect(recorded('error-form-too-large')).toMatchObject({
			kind: 'tooLarge',
			status: 413,
			serverText: undefined,
		});
	});

	test('case 28: the numbers of a prompt that is too long are in the message', () => {
		const failed = recorded('error-context');
		expect(failed.message).toBe('The prompt needs 6030 tokens, but a slot of the server has 1024');
		expect(failed.facts).toMatchObject({ n_prompt_tokens: 6030, n_ctx: 1024 });
		expect(failed.remedy).toContain('--ctx-size');
	});

	test("case 32: the template's own sentence comes first", () => {
		expect(recorded('error-template-roles').serverText).toMatch(
			/^Conversation roles must alternate user\/assistant\/user\/assistant\/\.\.\. — Unable/,
		);
	});

	test('case 92: what is missing for pictures is named', () => {
		const failed = recorded('error-image-no-mmproj');
		expect(failed.meaning).toMatch(/^The server cannot read image input/);
		expect(failed.remedy).toContain('--mmproj');
	});

	test.each(
		fixtureNames('llama-server-v0.5.0', '.http').filter((name) => httpFixture(name).status >= 400),
	)('%s has a message, a remedy and the URL', (name) => {
		const failed = recorded(name.replace('llama-server-v0.5.0/', '').replace('.http', ''));
		expect(failed).toBeInstanceOf(ServerError);
		expect(failed.message).toMatch(/^[A-Z].{10,}[^.)]$/);
		expect(failed.url).toBe(URL_ASKED);
		expect(failed.remedy).toMatch(/^[A-Z].*\.$/);
		expect(failed.status).toBe(httpFixture(name).status);
	});
});

describe('errors of other servers and of proxies', () => {
	test.each<
		[
			name: string,
			status: number,
			body: object | string,
			kind: FailureKind,
			said: string | undefined,
		]
	>([
		// Case 14
		['vLLM, wrong key', 401, { error: 'Unauthorized' }, 'unauthorized', 'Unauthorized'],
		[
			'GPUStack, wrong key',
			401,
			{ code: 401, reason: 'Unauthorized', message: 'Invalid authentication credentials' },
			'unauthorized',
			'Invalid authentication credentials',
		],
		['FastAPI, no key', 401, { detail: 'Not authenticated' }, 'unauthorized', 'Not authenticated'],
		[
			'FastAPI, no key, older',
			403,
			{ detail: 'Not authenticated' },
			'unauthorized',
			'Not authenticated',
		],
		['FastAPI, wrong key', 403, { detail: 'Invalid API key' }, 'unauthorized', 'Invalid API key'],
		[
			'speaches, no key',
			403,
			{ detail: 'API key required. Please provide an API key using the Authorization header.' },
			'unauthorized',
			'API key required. Please provide an API key using the Authorization header.',
		],
		[
			'lm-proxy, wrong key',
			403,
			{
				detail: {
					error: {
						message: 'Incorrect API key provided: your API key is invalid, expired, or revoked.',
						type: 'invalid_request_error',
						param: null,
						code: 'invalid_api_key',
					},
				},
			},
			'unauthorized',
			'Incorrect API key provided: your API key is invalid, expired, or revoked.',
		],
		[
			'lm-proxy, a route that the key does not open',
			403,
			{
				detail: {
					error: {
						message: "Your API key does not allow using the 'chat' connection.",
						type: 'invalid_request_error',
						param: null,
						code: 'connection_not_allowed',
					},
				},
			},
			'forbidden',
			"Your API key does not allow using the 'chat' connection.",
		],
		[
			'FastAPI, forbidden',
			403,
			{ detail: 'This model is not for you' },
			'forbidden',
			'This model is not for you',
		],
		[
			'FastAPI, validation',
			422,
			{
				detail: [
					{ loc: ['body', 'messages', 0, 'role'], msg: 'Field required', type: 'missing' },
					{ loc: ['body', 'n'], msg: 'Input should be 1', type: 'x' },
				],
			},
			'badRequest',
			'body.messages.0.role: Field required; body.n: Input should be 1',
		],
		['FastAPI, not found', 404, { detail: 'Not Found' }, 'wrongPath', 'Not Found'],
		['FastAPI, detail as an object', 400, { detail: { code: 'x' } }, 'badRequest', '{"code":"x"}'],
		// Case 29
		[
			'Ollama, unknown model',
			404,
			{
				error: { message: "model 'x' not found", type: 'not_found_error', param: null, code: null },
			},
			'modelNotFound',
			"model 'x' not found",
		],
		[
			'Ollama, unknown model, native',
			404,
			{ error: 'model "x" not found, try pulling it first' },
			'modelNotFound',
			'try pulling it first',
		],
		[
			'GPUStack, unknown model',
			404,
			{ error: { message: 'Model not found', code: 404, type: 'NotFound' } },
			'modelNotFound',
			'Model not found',
		],
		[
			'vLLM, unknown model',
			404,
			{ error: { message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 } },
			'modelNotFound',
			'does not exist',
		],
		[
			'vLLM, older form',
			404,
			{
				object: 'error',
				message: 'The model `x` does not exist.',
				type: 'NotFoundError',
				code: 404,
			},
			'modelNotFound',
			'does not exist',
		],
		['Ollama, unknown path', 404, '404 page not found', 'wrongPath', '404 page not found'],
		[
			'Ollama, no tools',
			400,
			{
				error: {
					message: 'registry.ollama.ai/library/gemma:2b does not support tools',
					type: 'api_error',
				},
			},
			'toolsUnsupported',
			'does not support tools',
		],
		[
			'Ollama, busy',
			503,
			{
				error: {
					message: 'server busy, please try again.  maximum pending requests exceeded',
					type: 'api_error',
				},
			},
			'busy',
			'server busy',
		],
		[
			'vLLM, tools off',
			400,
			{
				error: {
					message:
						'"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
				},
			},
			'toolsUnsupported',
			'--enable-auto-tool-choice',
		],
		[
			'vLLM, context',
			400,
			{
				error: {
					message:
						"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
				},
			},
			'contextOverflow',
			'4096',
		],
		[
			'mistral.rs, context',
			422,
			{
				message:
					'Prompt sequence length is greater than 4096, perhaps consider using `truncate_sequence`?',
			},
			'contextOverflow',
			'4096',
		],
		[
			'vLLM, picture',
			400,
			{ error: { message: 'qwen is not a multimodal model' } },
			'modalityUnsupported',
			'multimodal',
		],
		[
			'llama-server, --no-jinja',
			500,
			{ error: { message: 'tools param requires --jinja flag', type: 'server_error' } },
			'toolsUnsupported',
			'--jinja',
		],
		[
			'llama-server, shared context full',
			500,
			{ error: { message: 'Context size has been exceeded.', type: 'server_error' } },
			'contextExceeded',
			'exceeded',
		],
		[
			'LiteLLM, wrong key',
			400,
			{
				error: { message: 'No connected db.', type: 'no_db_connection', param: null, code: '400' },
			},
			'unauthorized',
			'No connected db.',
		],
		[
			'LiteLLM, unknown model',
			400,
			{
				error: {
					message:
						'/chat/completions: Invalid model name passed in model=nope. Call `/v1/models` to view available models for your key.',
					type: 'invalid_request_error',
					code: '400',
				},
			},
			'modelNotFound',
			'Invalid model name',
		],
		[
			'LiteLLM, backend down',
			500,
			{
				error: {
					message:
						"litellm.InternalServerError: InternalServerError: OpenAIException - Connection error.\n\nLiteLLM: model group 'dead' failed with the error above. No fallback was attempted.",
					type: 'internal_server_error',
					code: '500',
				},
			},
			'gateway',
			'Connection error',
		],
		[
			'Open WebUI, backend down',
			500,
			{ detail: 'Open WebUI: Server Connection Error' },
			'gateway',
			'Server Connection Error',
		],
		[
			'router, model failed',
			500,
			{ error: { message: 'model name=big failed to load', type: 'server_error' } },
			'modelFailedToLoad',
			'failed to load',
		],
		[
			'GPUStack, nothing runs',
			503,
			{
				error: { message: 'No running instances available', code: 503, type: 'ServiceUnavailable' },
			},
			'busy',
			'No running instances',
		],
		[
			'GPUStack, timeout',
			504,
			{ error: { message: 'Request timed out', code: 504, type: 'GatewayTimeout' } },
			'gateway',
			'Request timed out',
		],
		['rate limit', 429, { error: { message: 'Too many requests' } }, 'busy', 'Too many requests'],
		[
			'nginx, backend down',
			502,
			'<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>',
			'gateway',
			'502 Bad Gateway 502 Bad Gateway',
		],
		[
			'nginx, overloaded',
			503,
			'<html><body>Service Temporarily Unavailable</body></html>',
			'gateway',
			'Service Temporarily Unavailable',
		],
		[
			'nginx, http to https',
			400,
			'<html><body>The plain HTTP request was sent to HTTPS port</body></html>',
			'tlsMismatch',
			'The plain HTTP request',
		],
		[
			'Apache, http to https',
			400,
			'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>400 Bad Request</title>\n</head><body>\n<h1>Bad Request</h1>\n<p>Your browser sent a request that this server could not understand.<br />\nReason: You\'re speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme to access this URL, please.<br />\n</p>\n</body></html>\n',
			'tlsMismatch',
			'400 Bad Request Bad Request Your browser',
		],
		[
			'Go, http to https',
			400,
			'Client sent an HTTP request to an HTTPS server.\n',
			'tlsMismatch',
			'Client sent',
		],
		['Ollama, host name unknown to it', 403, '', 'forbidden', undefined],
		['proxy, empty 503', 503, '', 'gateway', undefined],
		['proxy, text', 500, 'upstream connect error', 'gateway', 'upstream connect error'],
		[
			'proxy, page',
			500,
			'<!DOCTYPE html><html><style>p{}</style><body><p>Oops</p></body>',
			'gateway',
			'Oops',
		],
		['proxy wants a password', 407, '', 'proxy', undefined],
		[
			'upload limit',
			413,
			'<html><body>413 Request Entity Too Large</body></html>',
			'tooLarge',
			'413 Request Entity Too Large',
		],
		['web page with 200', 200, '<!doctype html><title>llama.cpp</title>', 'notAnApi', 'llama.cpp'],
		['text with 200', 200, 'Ollama is running', 'wrongServer', 'Ollama is running'],
		['a message that is an object', 400, { error: { message: { a: 1 } } }, 'badRequest', '{"a":1}'],
		['an error without a message', 400, { error: { code: 7 } }, 'badRequest', '{"code":7}'],
		['unknown JSON', 418, { teapot: true }, 'badRequest', '{"teapot":true}'],
		['a JSON list', 400, '[1]', 'badRequest', '[1]'],
		['broken JSON', 500, '{"error":', 'serverError', '{"error":'],
	])('%s: %i', (_name, status, body, kind, said) => {
		const failed = answered(status, body);
		expect(failed.kind).toBe(kind);
		if (said === undefined) expect(failed.serverText).toBeUndefined();
		else expect(failed.serverText).toContain(said);
		expect(failed.message).not.toMatch(/undefined|\[object|""/);
		expect(failed.remedy).not.toMatch(/undefined|\[object|""/);
	});

	test.each([
		['is stopped', 'No running instances available'],
		['crashed', 'An unexpected error occurred: Server disconnected'],
		[
			'does not answer',
			"An unexpected error occurred: Cannot connect to host 10.0.0.9:40001 ssl:default [Connect call failed ('10.0.0.9', 40001)]",
		],
	])('GPUStack, a model that %s', (_name, message) => {
		expect(
			answered(503, { error: { message, code: 503, type: 'ServiceUnavailable' } }),
		).toMatchObject({
			kind: 'busy',
			message: 'No instance of the model "qwen3" answers',
			remedy: expect.stringContaining('GPUStack') as string,
			serverText: message,
		});
	});

	test('case 54: plain text under a JSON type is no crash', () => {
		expect(
			answered(500, 'proxy error: Failed to read connection', 'application/json; charset=utf-8'),
		).toMatchObject({
			kind: 'serverError',
			serverText: 'proxy error: Failed to read connection',
		});
	});

	test("an empty refusal may be Ollama's, of a host name", () => {
		expect(answered(403, '').remedy).toContain('OLLAMA_HOST=0.0.0.0');
		expect(answered(403, { error: 'no' }).remedy).not.toContain('OLLAMA_HOST');
	});

	test.each([
		[
			'llama-swap',
			404,
			JSON.parse(httpFixture('llama-swap-0bdb372/unknown-model.http').body.toString()) as object,
		],
		[
			'llama-swap of another version, by its code',
			404,
			{
				error: { message: 'nothing here', type: 'invalid_request_error', code: 'model_not_found' },
			},
		],
		['llama-swap before that', 400, 'could not find real modelID for qwen3'],
	])('%s: an unknown model is not reported as a wrong path', (_name, status, body) => {
		expect(answered(status, body).kind).toBe('modelNotFound');
	});

	test.each([
		[401, '<html><head><title>Sign in - oauth2-proxy</title></head></html>', 'proxyRefuses'],
		[
			403,
			'<html><head><title>403 Forbidden</title></head><center>nginx</center></html>',
			'proxyRefuses',
		],
		[403, 'error code: 1020', 'proxyRefuses'],
		[200, 'It works!', 'wrongServer'],
		[200, '{"object":"list","da', 'invalidAnswer'],
		[401, { error: 'Unauthorized' }, 'unauthorized'],
		[403, { error: 'Forbidden' }, 'forbidden'],
	])("%i %j is %s: a proxy's error is not attributed to the server", (status, body, kind) => {
		expect(answered(status, body).kind).toBe(kind);
	});

	test('a redirect names where it leads', () => {
		const failed = answered(301, '', 'text/html', 'https://10.0.0.5/v1/chat/completions');
		expect(failed.kind).toBe('redirect');
		expect(failed.meaning).toContain('to https://10.0.0.5/v1/chat/completions');
	});

	test('the text of the server is shortened', () => {
		expect(answered(500, { error: { message: 'x'.repeat(5000) } }).serverText).toHaveLength(2000);
		expect(
			answered(500, `<html>${'word '.repeat(500)}</html>`).serverText!.length,
		).toBeLessThanOrEqual(200);
	});

	test('which texts look like a web page', () => {
		expect(
			['<html>', ' \n<!DOCTYPE html>', '<!-- x --><html>', '<head>'].map((body) =>
				looksLikeHtml(body),
			),
		).toEqual([true, true, true, true]);
		expect(looksLikeHtml('{}', 'text/html; charset=utf-8')).toBe(true);
		expect(['{"a":"<html>"}', 'a < b', ''].map((body) => looksLikeHtml(body))).toEqual([
			false,
			false,
			false,
		]);
	});

	test('which texts are JSON objects', () => {
		expect([' {"a":1}', '[1]', '{', 'null', '"x"', ''].map(parseObject)).toEqual([
			{ a: 1 },
			undefined,
			undefined,
			undefined,
			undefined,
			undefined,
		]);
	});

	test('further facts of an error are kept', () => {
		expect(
			serverMessage('{"error":{"message":"m","type":"t","code":1,"param":null,"n_ctx":5}}'),
		).toEqual({
			message: 'm',
			type: 't',
			facts: { code: 1, n_ctx: 5 },
		});
	});

	test('an error inside the text of another is unwrapped to the innermost', () => {
		fc.assert(
			fc.property(fc.stringMatching(/^[a-z ]{1,30}$/), fc.nat(3), (innermost, depth) => {
				let body = JSON.stringify({ error: { message: innermost, type: 'inner', n_ctx: 5 } });
				for (let i = 0; i < depth; i++) body = JSON.stringify({ error: { message: body } });
				expect(serverMessage(body)).toMatchObject({
					message: innermost,
					type: 'inner',
					facts: { n_ctx: 5 },
				});
			}),
		);
	});

	test.each([
		['ollama-0.33.0-rc2/context-exceeded', 'contextOverflow'],
		['ollama-0.33.0-rc2/embed-chat-model', 'notSupported'],
	])('%s: %s', (name, kind) => {
		const { status, body } = httpFixture(`${name}.http`);
		const url = 'http://127.0.0.1:8080/v1/chat/completions';
		const failed = httpFailure({ status, body: body.toString('utf8') }, { url });
		expect(failed.kind).toBe(kind);
		expect(failed.serverText).not.toMatch(/^\{/);
	});

	test('"Jinja Exception" in a 500 is the template’s', () => {
		expect(kindOfMessage('Jinja Exception: tool_choice is undefined')).toBe('templateRejected');
	});

	test('errors inside a stream are told by the same texts', () => {
		expect(kindOfMessage('Context size has been exceeded.')).toBe('contextExceeded');
		expect(kindOfMessage('anything', 'exceed_context_size_error')).toBe('contextOverflow');
		expect(kindOfMessage('Compute error.')).toBeUndefined();
	});
});

describe('proxies, long answers and keys in them', () => {
	const SAMPLE = 'sk-0123456789abcdef0123456789';
	const ADDRESS = { url: 'http://10.0.0.5:8080/v1/models', root: 'http://10.0.0.5:8080' };
	const page = (status: number, body: string, contentType = 'text/html', challenge?: string) =>
		httpFailure({ status, body, contentType, challenge }, ADDRESS);

	test.each([520, 522, 524, 526, 530])(
		"Cloudflare's %d in plain text: the server behind it is down",
		(status) => {
			const failed = page(status, 'error code: 1033', 'text/plain');
			expect(failed.kind).toBe('gateway');
			expect(failed.remedy).toContain('cloudflared');
		},
	);

	test('401 with a page may be about a key that a proxy checks', () => {
		const { remedy } = page(401, '<html><title>401 Authorization Required</title></html>');
		expect(remedy).toContain('check the API Key of the credential');
	});

	test('403 with a page is not about the key', () => {
		const failed = page(403, '<!DOCTYPE html><title>Just a moment...</title>');
		expect(failed).toMatchObject({ kind: 'proxyRefuses', serverText: 'Just a moment...' });
		expect(failed.message).toContain('Something in front of the server');
		expect(failed.remedy).toContain('Cloudflare');
		expect(page(403, '{"detail":"Forbidden"}', 'application/json').remedy).toContain(
			'The key may be wrong or lack the permission',
		);
	});

	test('401 of a proxy that wants a password', () => {
		const failed = page(
			401,
			'<title>401 Authorization Required</title>',
			'text/html',
			'Basic realm="ai"',
		);
		expect(failed.kind).toBe('proxyPassword');
		expect(failed.message).toContain('wants a user name and a password');
		expect(failed.remedy).toContain('Extra Headers');
		expect(page(401, '{}', 'application/json', 'Bearer').message).toContain('refuses the API key');
		// llama-swap's refusal of a key (seen: 0bdb372), and Kong's of a password
		const ofKey =
			'{"src":"llama-swap","error":{"message":"unauthorized: invalid or missing API key"}}';
		expect(page(401, ofKey, 'application/json', 'Basic realm="llama-swap"').kind).toBe(
			'unauthorized',
		);
		const ofKong = '{"message":"Unauthorized"}';
		expect(page(401, ofKong, 'application/json', 'Basic realm="kong"').kind).toBe('proxyPassword');
	});

	test('a page in place of what the server says: the error names its status, and the proxy', () => {
		fc.assert(
			fc.property(fc.constantFrom(400, 402, 409, 418, 422), fc.string(), (status, words) => {
				const failed = page(status, `<html><h1>Oops</h1>${words.replace(/[<>]/g, '')}</html>`);
				fc.pre(failed.kind === 'badRequest');
				expect(failed.remedy).toContain(`the status ${status}`);
				expect(failed.remedy).toContain('proxy');
			}),
		);
		expect(page(400, '{"error":"no"}', 'application/json').remedy).not.toContain('proxy');
	});

	test.each([
		['a sentence over and over', JSON.stringify({ error: { message: 'model '.repeat(150_000) } })],
		['scripts that never end', '<script '.repeat(120_000)],
		['signs that begin tags', '<'.repeat(1_000_000)],
		['plain words', 'model name= '.repeat(80_000)],
	])('%s: a megabyte of it does not keep n8n busy', (_name, body) => {
		expect(cpuMilliseconds(() => void page(500, body))).toBeLessThan(LINEAR_CPU_MS);
	});

	test('a refusal of any size and form with the key in it, as often as you like', () => {
		const notation = fc.constantFrom<(key: string) => string>(
			(key) => key,
			encodeURIComponent,
			(key) => Buffer.from(key).toString('base64').replace(/.{20}/g, '$&\n  '),
			(key) => Buffer.from(key).toString('hex'),
			(key) => [...key].map((sign) => `&#${sign.charCodeAt(0)};`).join(''),
			(key) => [...key].map((sign) => `\\x${sign.charCodeAt(0).toString(16)}`).join(''),
		);
		const form = fc.constantFrom<(text: string) => string>(
			(text) => JSON.stringify({ error: { message: text, param: text, code: 400 } }),
			(text) => JSON.stringify({ detail: [{ loc: ['body'], msg: text, input: text }] }),
			(text) => JSON.stringify({ error: text, details: { type: text } }),
			(text) => `<html><title>No</title><p>${text}</p></html>`,
			(text) => text,
		);
		const noise = fc.constantFrom(
			'',
			'wrong ',
			'\\u0041%41&#66; ',
			`${SAMPLE.slice(0, 7)} `,
			'<b></b>',
		);
		fc.assert(
			fc.property(notation, form, noise, fc.nat(20_000), (write, put, filler, times) => {
				const text = `${filler.repeat(times)} ${write(SAMPLE)} `.repeat(times % 3 === 0 ? 1 : 40);
				const failed = httpFailure(
					{ status: 400, body: put(text.slice(0, 400_000)) },
					{ ...ADDRESS, secrets: secretsOf({ authorization: `Bearer ${SAMPLE}` }) },
				);
				const shown = JSON.stringify([failed.message, failed.serverText, failed.facts]);
				for (const part of [write(SAMPLE), SAMPLE.slice(0, 16), SAMPLE.slice(-16)])
					expect(shown).not.toContain(JSON.stringify(part).slice(1, -1));
			}),
			examples(60),
		);
	});

	test('masks no more of a refusal than is shown', () => {
		const text = `\\u0041%41&#66;${SAMPLE.slice(0, 9)}TGxhbWFzIGVhdCBncmFzcw== `.repeat(50_000);
		const context = { ...ADDRESS, secrets: secretsOf({ authorization: `Bearer ${SAMPLE}` }) };
		for (const body of [text, `<html>${text}`, JSON.stringify({ error: { message: text, text } })])
			expect(cpuMilliseconds(() => httpFailure({ status: 400, body }, context))).toBeLessThan(
				3_000,
			);
	});

	test('a key that lies across the end of what is shown is hidden whole', () => {
		for (let at = 170; at <= 200; at++) {
			const failed = httpFailure(
				{ status: 500, body: `${'x'.repeat(at)} ${SAMPLE} and more`, contentType: 'text/plain' },
				{ ...ADDRESS, secrets: secretsOf({ authorization: `Bearer ${SAMPLE}` }) },
			);
			expect(failed.serverText).not.toContain('sk-0');
		}
	});

	test('an address that holds the key after a redirect is shown without it', () => {
		const failed = failure('notAnApi', {
			...ADDRESS,
			url: `https://login.lan/?token=${SAMPLE}`,
			secrets: secretsOf({ authorization: `Bearer ${SAMPLE}` }),
		});
		expect(`${failed.message} ${failed.url} ${failed.remedy}`).not.toContain(SAMPLE);
		// The user's own address stays readable, also where the key is a word of it.
		expect(
			failure('gateway', {
				url: 'http://llama.lan/v1/models',
				root: 'http://llama.lan',
				secrets: ['llama'],
			}).url,
		).toBe('http://llama.lan/v1/models');
	});
});
