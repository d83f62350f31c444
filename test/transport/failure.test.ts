import { ServerError, type FailureKind } from '../../lib/transport/errors';
import {
	failure,
	httpFailure,
	kindOfMessage,
	looksLikeHtml,
	mask,
	networkFailure,
	parseObject,
	secretsOf,
	serverMessage,
} from '../../lib/transport/failure';
import { isLoopback, remedyFor, seconds } from '../../lib/transport/remedies';
import { Agent, request } from '../../lib/transport/vendor';
import { startLlamaServerSim, startSilentServer } from '../servers/llama-server';
import { net, util } from '../support/node';
import { fixtureNames, httpFixture } from '../support/streams';

const URL_ASKED = 'http://10.0.0.5:8080/v1/chat/completions';
const CONTEXT = { url: URL_ASKED, root: 'http://10.0.0.5:8080', model: 'qwen3' };

const recorded = (name: string) => {
	const { status, headers, body } = httpFixture(`llama-server-v0.5.0/${name}.http`);
	const contentType = headers.find(([header]) => header.toLowerCase() === 'content-type')?.[1];
	return httpFailure({ status, contentType, body: body.toString() }, CONTEXT);
};

const answered = (status: number, body: object | string, contentType = typeof body === 'string' ? 'text/plain' : 'application/json', location?: string) =>
	httpFailure({ status, contentType, body: typeof body === 'string' ? body : JSON.stringify(body), location }, CONTEXT);

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
		['error-tools-history-arguments', 'brokenHistory', 'Failed to parse tool call arguments as JSON'],
		['error-template-roles', 'templateRejected', 'Conversation roles must alternate'],
		['error-template-tool-id', 'templateRejected', 'Tool call IDs should be alphanumeric strings with length 9!'],
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
		expect(recorded('error-form-too-large')).toMatchObject({ kind: 'tooLarge', status: 413, serverText: undefined });
	});

	test('case 28: the numbers of a prompt that is too long are in the message', () => {
		const failed = recorded('error-context');
		expect(failed.message).toBe(`The prompt needs 6030 tokens, but a slot of the server has 1024 (${URL_ASKED})`);
		expect(failed.facts).toMatchObject({ n_prompt_tokens: 6030, n_ctx: 1024 });
		expect(failed.remedy).toContain('--ctx-size');
	});

	test("case 32: the template's own sentence comes first", () => {
		expect(recorded('error-template-roles').serverText).toMatch(/^Conversation roles must alternate user\/assistant\/user\/assistant\/\.\.\. — Unable/);
	});

	test('case 92: what is missing for pictures is named', () => {
		const failed = recorded('error-image-no-mmproj');
		expect(failed.message).toMatch(/^The server has no projector for image, so it cannot read image input/);
		expect(failed.remedy).toContain('--mmproj');
	});

	test.each(fixtureNames('llama-server-v0.5.0', '.http').filter((name) => httpFixture(name).status >= 400))('%s has a message, a remedy and the URL', (name) => {
		const failed = recorded(name.replace('llama-server-v0.5.0/', '').replace('.http', ''));
		expect(failed).toBeInstanceOf(ServerError);
		expect(failed.message).toMatch(/^[A-Z].{10,} \(http:\/\/10\.0\.0\.5:8080\/v1\/chat\/completions\)$/);
		expect(failed.remedy).toMatch(/^[A-Z].*\.$/);
		expect(failed.status).toBe(httpFixture(name).status);
	});
});

describe('errors of other servers and of proxies', () => {
	test.each<[name: string, status: number, body: object | string, kind: FailureKind, said: string | undefined]>([
		// Case 14
		['vLLM, wrong key', 401, { error: 'Unauthorized' }, 'unauthorized', 'Unauthorized'],
		['GPUStack, wrong key', 401, { code: 401, reason: 'Unauthorized', message: 'Invalid authentication credentials' }, 'unauthorized', 'Invalid authentication credentials'],
		['FastAPI, no key', 401, { detail: 'Not authenticated' }, 'unauthorized', 'Not authenticated'],
		['FastAPI, no key, older', 403, { detail: 'Not authenticated' }, 'unauthorized', 'Not authenticated'],
		['FastAPI, wrong key', 403, { detail: 'Invalid API key' }, 'unauthorized', 'Invalid API key'],
		['FastAPI, forbidden', 403, { detail: 'This model is not for you' }, 'forbidden', 'This model is not for you'],
		[
			'FastAPI, validation',
			422,
			{ detail: [{ loc: ['body', 'messages', 0, 'role'], msg: 'Field required', type: 'missing' }, { loc: ['body', 'n'], msg: 'Input should be 1', type: 'x' }] },
			'badRequest',
			'body.messages.0.role: Field required; body.n: Input should be 1',
		],
		['FastAPI, not found', 404, { detail: 'Not Found' }, 'wrongPath', 'Not Found'],
		['FastAPI, detail as an object', 400, { detail: { code: 'x' } }, 'badRequest', '{"code":"x"}'],
		// Case 29
		['Ollama, unknown model', 404, { error: { message: "model 'x' not found", type: 'not_found_error', param: null, code: null } }, 'modelNotFound', "model 'x' not found"],
		['Ollama, unknown model, native', 404, { error: 'model "x" not found, try pulling it first' }, 'modelNotFound', 'try pulling it first'],
		['GPUStack, unknown model', 404, { error: { message: 'Model not found', code: 404, type: 'NotFound' } }, 'modelNotFound', 'Model not found'],
		['vLLM, unknown model', 404, { error: { message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 } }, 'modelNotFound', 'does not exist'],
		['vLLM, older form', 404, { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 }, 'modelNotFound', 'does not exist'],
		['Ollama, unknown path', 404, '404 page not found', 'wrongPath', '404 page not found'],
		['Ollama, no tools', 400, { error: { message: 'registry.ollama.ai/library/gemma:2b does not support tools', type: 'api_error' } }, 'toolsUnsupported', 'does not support tools'],
		['Ollama, busy', 503, { error: { message: 'server busy, please try again.  maximum pending requests exceeded', type: 'api_error' } }, 'busy', 'server busy'],
		['vLLM, tools off', 400, { error: { message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set' } }, 'toolsUnsupported', '--enable-auto-tool-choice'],
		['vLLM, context', 400, { error: { message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens" } }, 'contextOverflow', '4096'],
		['vLLM, picture', 400, { error: { message: 'qwen is not a multimodal model' } }, 'modalityUnsupported', 'multimodal'],
		['llama-server, --no-jinja', 500, { error: { message: 'tools param requires --jinja flag', type: 'server_error' } }, 'toolsUnsupported', '--jinja'],
		['llama-server, shared context full', 500, { error: { message: 'Context size has been exceeded.', type: 'server_error' } }, 'contextExceeded', 'exceeded'],
		['router, model failed', 500, { error: { message: 'model name=big failed to load', type: 'server_error' } }, 'modelFailedToLoad', 'failed to load'],
		['GPUStack, nothing runs', 503, { error: { message: 'No running instances available', code: 503, type: 'ServiceUnavailable' } }, 'busy', 'No running instances'],
		['GPUStack, timeout', 504, { error: { message: 'Request timed out', code: 504, type: 'GatewayTimeout' } }, 'gateway', 'Request timed out'],
		['rate limit', 429, { error: { message: 'Too many requests' } }, 'busy', 'Too many requests'],
		['nginx, backend down', 502, '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>', 'gateway', '502 Bad Gateway 502 Bad Gateway'],
		['nginx, overloaded', 503, '<html><body>Service Temporarily Unavailable</body></html>', 'gateway', 'Service Temporarily Unavailable'],
		['nginx, http to https', 400, '<html><body>The plain HTTP request was sent to HTTPS port</body></html>', 'tlsMismatch', 'The plain HTTP request'],
		['Go, http to https', 400, 'Client sent an HTTP request to an HTTPS server.\n', 'tlsMismatch', 'Client sent'],
		['proxy, empty 503', 503, '', 'gateway', undefined],
		['proxy, text', 500, 'upstream connect error', 'serverError', 'upstream connect error'],
		['proxy, page', 500, '<!DOCTYPE html><html><style>p{}</style><body><p>Oops</p></body>', 'gateway', 'Oops'],
		['proxy wants a password', 407, '', 'proxy', undefined],
		['upload limit', 413, '<html><body>413 Request Entity Too Large</body></html>', 'tooLarge', '413 Request Entity Too Large'],
		['web page with 200', 200, '<!doctype html><title>llama.cpp</title>', 'notAnApi', 'llama.cpp'],
		['text with 200', 200, 'Ollama is running', 'invalidAnswer', 'Ollama is running'],
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

	test('case 54: plain text under a JSON type is no crash', () => {
		expect(answered(500, 'proxy error: Failed to read connection', 'application/json; charset=utf-8')).toMatchObject({
			kind: 'serverError',
			serverText: 'proxy error: Failed to read connection',
		});
	});

	test('a redirect names where it leads', () => {
		const failed = answered(301, '', 'text/html', 'https://10.0.0.5/v1/chat/completions');
		expect(failed.kind).toBe('redirect');
		expect(failed.message).toContain('to https://10.0.0.5/v1/chat/completions');
	});

	test('the text of the server is shortened', () => {
		expect(answered(500, { error: { message: 'x'.repeat(5000) } }).serverText).toHaveLength(2000);
		expect(answered(500, `<html>${'word '.repeat(500)}</html>`).serverText!.length).toBeLessThanOrEqual(200);
	});

	test('which texts look like a web page', () => {
		expect(['<html>', ' \n<!DOCTYPE html>', '<!-- x --><html>', '<head>'].map((body) => looksLikeHtml(body))).toEqual([true, true, true, true]);
		expect(looksLikeHtml('{}', 'text/html; charset=utf-8')).toBe(true);
		expect(['{"a":"<html>"}', 'a < b', ''].map((body) => looksLikeHtml(body))).toEqual([false, false, false]);
	});

	test('which texts are JSON objects', () => {
		expect([' {"a":1}', '[1]', '{', 'null', '"x"', ''].map(parseObject)).toEqual([{ a: 1 }, undefined, undefined, undefined, undefined, undefined]);
	});

	test('further facts of an error are kept', () => {
		expect(serverMessage('{"error":{"message":"m","type":"t","code":1,"param":null,"n_ctx":5}}')).toEqual({ message: 'm', type: 't', facts: { code: 1, n_ctx: 5 } });
	});

	test('errors inside a stream are told by the same texts', () => {
		expect(kindOfMessage('Context size has been exceeded.')).toBe('contextExceeded');
		expect(kindOfMessage('anything', 'exceed_context_size_error')).toBe('contextOverflow');
		expect(kindOfMessage('Compute error.')).toBeUndefined();
	});
});

describe('the network', () => {
	/** The error that a request really raises, as undici gives it. */
	async function raised(url: string, options: ConstructorParameters<typeof Agent>[0] = {}): Promise<unknown> {
		const dispatcher = new Agent({ ...options, connect: { autoSelectFamily: true, ...(options.connect as object) } });
		const outcome = await request(url, { dispatcher }).then(
			() => undefined,
			(error: unknown) => error,
		);
		await dispatcher.destroy();
		return outcome;
	}
	const explain = async (url: string, options?: ConstructorParameters<typeof Agent>[0]) =>
		networkFailure(await raised(url, options), { url, root: new URL(url).origin });

	test('case 1: nothing listens', async () => {
		const { port, close } = await listening((socket) => socket.destroy());
		await close();
		const failed = await explain(`http://127.0.0.1:${port}/v1/models`);
		expect(failed).toMatchObject({ kind: 'refused', facts: { code: 'ECONNREFUSED' } });
		expect(failed.message).toBe(`Nothing listens on 127.0.0.1:${port}, seen from n8n (http://127.0.0.1:${port}/v1/models)`);
		expect(failed.remedy).toContain(`http://host.docker.internal:${port}`);
		// Several addresses of one name: an AggregateError.
		expect((await explain(`http://localhost:${port}/`)).kind).toBe('refused');
	});

	test('packets are dropped', async () => {
		const server = await startSilentServer();
		const failed = await explain(`${server.url}/v1/models`, { connect: { timeout: 50 } });
		await server.close();
		expect(failed).toMatchObject({ kind: 'connectTimeout', facts: { code: 'UND_ERR_CONNECT_TIMEOUT' } });
		expect(failed.remedy).toContain(`ufw allow ${server.port}/tcp`);
	});

	test('the name cannot be resolved', async () => {
		const failed = await explain('http://no-such-host.invalid:8080/v1/models');
		expect(failed.kind).toBe('dns');
		expect(failed.message).toContain('"no-such-host.invalid"');
	});

	test('case 13: https to an http port', async () => {
		const server = await listening((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')));
		const failed = await explain(`https://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({ kind: 'tlsMismatch', facts: { code: expect.stringMatching(/^ERR_SSL_|^EPROTO$/) } });
		expect(failed.message).toMatch(/^The server does not speak https on this port/);
		expect(failed.remedy).toContain(`http://127.0.0.1:${server.port}`);
	});

	test('http to an https port', async () => {
		const server = await startLlamaServerSim({ tls: true });
		const failed = await explain(`http://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(['closedBeforeAnswer', 'notHttp']).toContain(failed.kind);
		expect(failed.remedy).toContain('https');
	});

	test('a certificate that nobody trusts', async () => {
		const server = await startLlamaServerSim({ tls: true });
		const failed = await explain(`${server.url}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({ kind: 'tlsUntrusted', facts: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
		expect(failed.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
		expect(failed.remedy).toContain('NODE_EXTRA_CA_CERTS');
	});

	test('https to a port that closes on it', async () => {
		const server = await listening((socket) => socket.once('data', () => socket.destroy()));
		const failed = await explain(`https://127.0.0.1:${server.port}/v1/models`);
		await server.close();
		expect(failed.kind).toBe('closedBeforeAnswer');
		expect(failed.remedy).toContain('this port wants http.');
	});

	test('a port that speaks something else', async () => {
		const server = await startLlamaServerSim({ connections: () => ({ greet: 'SSH-2.0-OpenSSH_9.2p1\r\n' }) });
		const failed = await explain(`${server.url}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({ kind: 'notHttp', facts: { code: expect.stringMatching(/^HPE_|does not match the HTTP/) } });
	});

	test.each(['fin', 'rst'] as const)('case 2: closed by %s before the answer', async (how) => {
		const server = await startLlamaServerSim({ connections: () => how });
		const failed = await explain(`${server.url}/v1/models`);
		await server.close();
		expect(failed).toMatchObject({ kind: 'closedBeforeAnswer', facts: { code: how === 'fin' ? 'UND_ERR_SOCKET' : 'ECONNRESET' } });
	});

	test.each<[code: string, kind: FailureKind]>([
		['EAI_AGAIN', 'dns'],
		['ETIMEDOUT', 'connectTimeout'],
		['EHOSTUNREACH', 'unreachable'],
		['ENETUNREACH', 'unreachable'],
		['EHOSTDOWN', 'unreachable'],
		['EPIPE', 'closedBeforeAnswer'],
		['CERT_HAS_EXPIRED', 'tlsUntrusted'],
		['SELF_SIGNED_CERT_IN_CHAIN', 'tlsUntrusted'],
		['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tlsUntrusted'],
		['ERR_TLS_CERT_ALTNAME_INVALID', 'tlsUntrusted'],
		['HPE_INVALID_CONSTANT', 'notHttp'],
	])('%s', (code, kind) => {
		const failed = networkFailure(new Error('fetch failed', { cause: Object.assign(new Error('x'), { code }) }), CONTEXT);
		expect(failed).toMatchObject({ kind, facts: { code } });
	});

	test('a TLS handshake that fails for another reason than plain text', () => {
		const context = { url: 'https://gpu/v1/models', root: 'https://gpu' };
		const failed = networkFailure(Object.assign(new Error('x'), { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' }), context);
		expect(failed.kind).toBe('tlsMismatch');
		expect(failed.message).toContain('handshake with the server failed (ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE)');
	});

	test('case 52: what breaks after answer bytes had arrived is a lost connection', () => {
		expect(networkFailure(Object.assign(new Error('bad chunk'), { name: 'HTTPParserError' }), CONTEXT, true).kind).toBe('connectionLost');
		for (const code of ['UND_ERR_SOCKET', 'ECONNRESET', 'HPE_INVALID_CHUNK_SIZE', 'Z_BUF_ERROR']) {
			expect(networkFailure(Object.assign(new Error('terminated'), { code }), CONTEXT, true)).toMatchObject({ kind: 'connectionLost', facts: { code } });
		}
	});

	test('an error that nobody knows is told as it is, without a stack', () => {
		const failed = networkFailure(new Error('something new'), CONTEXT);
		expect(failed.kind).toBe('closedBeforeAnswer');
		expect(failed.message).toBe(`The request failed before an answer came: something new (${URL_ASKED})`);
		expect(networkFailure('text', CONTEXT).message).toContain('came: text');
	});

	test('an attempt to reach another port or host than that of the URL is one to reach a proxy', () => {
		const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED', address: '10.9.9.9', port: 3128 });
		expect(networkFailure(refused, CONTEXT)).toMatchObject({ kind: 'proxy', facts: { code: 'ECONNREFUSED 10.9.9.9:3128' } });
		const unknown = Object.assign(new Error('lookup'), { code: 'ENOTFOUND', hostname: 'proxy.lan' });
		expect(networkFailure(unknown, CONTEXT)).toMatchObject({ kind: 'proxy', facts: { code: 'ENOTFOUND proxy.lan' } });
		const own = Object.assign(new Error('lookup'), { code: 'ENOTFOUND', hostname: 'gpu' });
		expect(networkFailure(own, { url: 'http://GPU:8080/v1/models' }).kind).toBe('dns');
	});

	test('a typed error stays what it is', () => {
		const failed = failure('busy', CONTEXT);
		expect(networkFailure(failed, { url: 'http://other/' })).toBe(failed);
	});
});

describe('secrets', () => {
	const SAMPLE = 'sk-"llama/1234567890+=';
	const HEADERS = { authorization: `Bearer ${SAMPLE}`, 'x-proxy-token': 'pr0xy-t0ken', cookie: 'session=c00kie-value; lang=en' };
	const context = { ...CONTEXT, secrets: secretsOf(HEADERS) };
	const everywhere = (error: Error) =>
		[error.message, error.stack, String(error), JSON.stringify(error), JSON.stringify({ ...error }), util.inspect(error, { depth: 9, showHidden: true })].join('\n');

	test('an echoed key is found in none of the forms of an error', () => {
		const said = `Key Bearer ${SAMPLE} refused, token pr0xy-t0ken, ${encodeURIComponent(SAMPLE)}, c00kie-value`;
		const errors = [
			httpFailure({ status: 401, body: JSON.stringify({ error: { message: said, header: HEADERS.authorization, [SAMPLE]: [{ deep: SAMPLE }] } }), location: `/login?key=${SAMPLE}` }, context),
			httpFailure({ status: 500, body: said }, context),
			httpFailure({ status: 500, body: `{"oops": ${JSON.stringify(said)}` }, context),
			httpFailure({ status: 302, body: '', location: `https://elsewhere/login?back=${encodeURIComponent(SAMPLE)}` }, context),
			networkFailure(new Error(`invalid header ${SAMPLE}`), context),
			failure('streamError', context, { serverText: said, facts: { line: said } }),
		];
		for (const error of errors) {
			const shown = everywhere(error);
			for (const secret of [SAMPLE, encodeURIComponent(SAMPLE), JSON.stringify(SAMPLE).slice(1, -1), 'pr0xy-t0ken', 'c00kie-value']) expect(shown).not.toContain(secret);
			expect(shown).toContain('***');
		}
	});

	test('what undici knows of the request does not hang on the error', async () => {
		const { port, close } = await listening((socket) => socket.destroy());
		const raised = await request(`http://127.0.0.1:${port}/`, { headers: HEADERS, dispatcher: new Agent() }).catch((error: unknown) => error);
		await close();
		expect(everywhere(networkFailure(raised, context))).not.toContain(SAMPLE);
	});

	test('common words and short values are left alone', () => {
		expect(mask('Bearer tokens are fine', context.secrets)).toBe('Bearer tokens are fine');
		expect(mask('a key', secretsOf({ authorization: 'Bearer key' }))).toBe('a key');
		expect(mask(undefined, context.secrets)).toBeUndefined();
	});

	test("our own sentence and URL are left alone, even where a header's value is a common word", () => {
		const failed = failure('refused', { url: 'http://127.0.0.1:1/v1', secrets: secretsOf({ 'x-forwarded-proto': 'http', 'x-who': 'Nothing' }) });
		expect(failed.message).toBe('Nothing listens on 127.0.0.1:1, seen from n8n (http://127.0.0.1:1/v1)');
	});
});

describe('ServerError', () => {
	const failed = new ServerError({ kind: 'connectionLost', message: 'It broke', remedy: 'Mend it.', url: URL_ASKED, status: 200, facts: { a: 1 } });

	test('says what happened and where', () => {
		expect(failed.message).toBe(`It broke (${URL_ASKED})`);
		expect(failed.name).toBe('ServerError');
		expect(new ServerError({ kind: 'invalidInput', message: 'No', remedy: '.' }).message).toBe('No');
	});

	test('takes what had arrived, and further facts, without saying the URL twice', () => {
		const more = failed.withPartial({ text: 'Hel', reasoning: 'hm' }).withFacts({ b: 2 });
		expect(more).toMatchObject({ ...failed, message: failed.message, partialText: 'Hel', partialReasoning: 'hm', facts: { a: 1, b: 2 } });
		expect(more.withPartial({}).partialText).toBe('Hel');
	});
});

describe('remedies', () => {
	// A record, so that the compiler asks for a kind that is added.
	const KINDS: Record<FailureKind, true> = {
		invalidUrl: true,
		dns: true,
		refused: true,
		connectTimeout: true,
		unreachable: true,
		tlsMismatch: true,
		tlsUntrusted: true,
		notHttp: true,
		closedBeforeAnswer: true,
		blockedByPolicy: true,
		proxy: true,
		redirect: true,
		firstTokenLimit: true,
		idleLimit: true,
		totalLimit: true,
		progressLimit: true,
		aborted: true,
		unauthorized: true,
		forbidden: true,
		wrongPath: true,
		modelNotFound: true,
		contextOverflow: true,
		contextExceeded: true,
		badRequest: true,
		templateRejected: true,
		grammarRejected: true,
		toolsUnsupported: true,
		modalityUnsupported: true,
		brokenHistory: true,
		tooLarge: true,
		busy: true,
		loading: true,
		modelFailedToLoad: true,
		notSupported: true,
		serverError: true,
		gateway: true,
		notAnApi: true,
		invalidAnswer: true,
		streamError: true,
		streamEndedEarly: true,
		connectionLost: true,
		toolCallCut: true,
		toolCallInvalid: true,
		onlyThinking: true,
		emptyAnswer: true,
		filtered: true,
		invalidInput: true,
	};

	test.each(Object.keys(KINDS) as FailureKind[])('%s reads well without any fact', (kind) => {
		const { message, remedy } = failure(kind, {});
		for (const text of [message, remedy]) expect(text).not.toMatch(/undefined|NaN| {2}|\(\)|""/);
		expect(remedyFor(kind).message).toMatch(/^[A-Zn].*[^.]$/);
		expect(remedy).toMatch(/^[A-Z'].*\.$/);
	});

	test('localhost in a container is explained, other hosts are not told about Docker', () => {
		expect(failure('refused', { url: 'http://localhost:8080/v1' }).remedy).toContain('n8n container itself');
		expect(failure('refused', { url: 'http://10.0.0.5/v1' })).toMatchObject({
			message: 'The machine "10.0.0.5" answers, but nothing listens on port 80 (http://10.0.0.5/v1)',
			remedy: expect.stringContaining('--host 0.0.0.0'),
		});
	});

	test('which hosts are this machine', () => {
		expect(['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '[::1]', '0.0.0.0'].every(isLoopback)).toBe(true);
		expect(['10.0.0.1', 'localhost.lan', '1127.0.0.1', undefined].some(isLoopback)).toBe(false);
	});

	test('limits as people say them', () => {
		expect([undefined, 200, 1500, 15_000, 119_000, 120_000, 1_800_000].map(seconds)).toEqual(['the set time', '200 ms', '1.5 s', '15 s', '119 s', '2 minutes', '30 minutes']);
	});
});

async function listening(onSocket: (socket: net.Socket) => void): Promise<{ port: number; close(): Promise<void> }> {
	const server = net.createServer(onSocket);
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	return {
		port: (server.address() as net.AddressInfo).port,
		close: async () =>
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			}),
	};
}
