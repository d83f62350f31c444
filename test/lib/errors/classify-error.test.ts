import fc from 'fast-check';
import {
	classifyErrorResponse,
	classifyStreamError,
	parseRetryAfter,
} from '../../../lib/errors/classify-error';
import { isErrorResponse } from '../../../lib/errors/error-body';
import type { ErrorType } from '../../../lib/errors/server-error';

const context = {
	url: 'http://host:9931/v1/chat/completions',
	root: 'http://host:9931',
	model: 'qwen3-8b',
};
const openAi = (message: string, more: object = {}) => ({ error: { message, ...more } });

test.each<[ErrorType, number, unknown]>([
	[
		'promptTooLong',
		400,
		openAi('the request exceeds the available context size', { type: 'exceed_context_size_error' }),
	],
	['modelLoading', 503, openAi('Loading model', { type: 'unavailable_error', code: 503 })],
	['unauthorized', 401, openAi('Invalid API Key')],
	['unauthorized', 403, { detail: 'Not authenticated' }],
	[
		'upstreamKeyRejected',
		401,
		openAi('litellm.AuthenticationError: OpenAIException - Invalid API Key'),
	],
	['forbidden', 403, ''],
	['modelNotFound', 404, openAi('The model `x` does not exist', { code: 'model_not_found' })],
	['routeNotFound', 404, { detail: 'Not Found' }],
	[
		'routeNotFound',
		404,
		{ message: 'Cannot POST /v1/rerank', error: 'Not Found', statusCode: 404 },
	],
	['routeNotFound', 200, { error: 'Unexpected endpoint or method. (GET /v1/x)' }],
	[
		'featureDisabled',
		501,
		openAi('This server does not support embeddings. Start it with `--embeddings`'),
	],
	['templateRejected', 500, openAi('Jinja Exception: System role not supported')],
	['grammarRejected', 400, openAi('failed to parse grammar')],
	['requestTooLarge', 413, '<html><title>413 Request Entity Too Large</title></html>'],
	['busy', 503, { code: 503, message: 'no running instances', reason: 'ServiceUnavailable' }],
	['busy', 429, ''],
	['badGateway', 502, '<html><title>502 Bad Gateway</title></html>'],
	['blockedByProxy', 403, '<html><title>Attention Required</title></html>'],
	['unexpectedRedirect', 302, ''],
	['notAnApi', 200, '<html><title>Open WebUI</title></html>'],
	['wrongServer', 200, 'It works!'],
	['invalidResponse', 200, {}],
	[
		'badRequest',
		400,
		{ detail: [{ loc: ['body', 'top_k'], msg: 'Extra inputs are not permitted' }] },
	],
	['fileUnreadable', 400, openAi('Failed to load image or audio file')],
	['fileUnreadable', 400, openAi('invalid image input')],
	['fileUnreadable', 500, openAi('failed to process inputs: image: unknown format')],
	['modelLoadFailed', 500, openAi("failed to load model 'image-model.gguf'")],
	['serverError', 500, openAi('boom')],
	['keyBudgetExceeded', 429, openAi('over', { type: 'budget_exceeded' })],
])('%s: status %i, %j', (kind, status, body) => {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	expect(classifyErrorResponse({ status, body: text }, context).type).toBe(kind);
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

const NOW = Date.parse('2026-11-20T20:00:00Z');

test.each([
	['5', 5_000],
	[' 0 ', 0],
	['1.2345', 1_235],
	['Fri, 20 Nov 2026 20:00:30 GMT', 30_000],
	['Fri, 20 Nov 2026 19:59:00 GMT', 0],
	['-5', undefined],
	['soon', undefined],
	['', undefined],
	[undefined, undefined],
])('Retry-After %j is %j ms', (header, ms) => {
	expect(parseRetryAfter(header, NOW)).toBe(ms);
});

test('no header gives an invalid time', () => {
	fc.assert(
		fc.property(fc.string(), (header) => {
			const ms = parseRetryAfter(header, NOW);
			expect(ms === undefined || ms >= 0).toBe(true);
		}),
	);
});
