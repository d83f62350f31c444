/** Error responses of servers, and the type of each. */
import type { ErrorType } from '../../../lib/errors/error-types';

export interface TypeCase {
	type: ErrorType;
	status: number;
	/** A text as it is, anything else as JSON. */
	body: unknown;
}

export const ERROR_TYPE_CASES: TypeCase[] = [
	{
		type: 'promptTooLong',
		status: 400,
		body: {
			error: {
				message: 'the request exceeds the available context size',
				type: 'exceed_context_size_error',
			},
		},
	},
	{
		type: 'modelLoading',
		status: 503,
		body: { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
	},
	{ type: 'unauthorized', status: 401, body: { error: { message: 'Invalid API Key' } } },
	{ type: 'unauthorized', status: 403, body: { detail: 'Not authenticated' } },
	{
		type: 'upstreamKeyRejected',
		status: 401,
		body: { error: { message: 'litellm.AuthenticationError: OpenAIException - Invalid API Key' } },
	},
	{ type: 'forbidden', status: 403, body: '' },
	{
		type: 'modelNotFound',
		status: 404,
		body: { error: { message: 'The model `x` does not exist', code: 'model_not_found' } },
	},
	{ type: 'routeNotFound', status: 404, body: { detail: 'Not Found' } },
	{
		type: 'routeNotFound',
		status: 404,
		body: { message: 'Cannot POST /v1/rerank', error: 'Not Found', statusCode: 404 },
	},
	{
		type: 'routeNotFound',
		status: 200,
		body: { error: 'Unexpected endpoint or method. (GET /v1/x)' },
	},
	{
		type: 'featureDisabled',
		status: 501,
		body: {
			error: { message: 'This server does not support embeddings. Start it with `--embeddings`' },
		},
	},
	{
		type: 'templateRejected',
		status: 500,
		body: { error: { message: 'Jinja Exception: System role not supported' } },
	},
	{ type: 'grammarRejected', status: 400, body: { error: { message: 'failed to parse grammar' } } },
	{
		type: 'requestTooLarge',
		status: 413,
		body: '<html><title>413 Request Entity Too Large</title></html>',
	},
	{
		type: 'busy',
		status: 503,
		body: { code: 503, message: 'no running instances', reason: 'ServiceUnavailable' },
	},
	{ type: 'busy', status: 429, body: '' },
	{ type: 'badGateway', status: 502, body: '<html><title>502 Bad Gateway</title></html>' },
	{ type: 'blockedByProxy', status: 403, body: '<html><title>Attention Required</title></html>' },
	{ type: 'unexpectedRedirect', status: 302, body: '' },
	{ type: 'notAnApi', status: 200, body: '<html><title>Open WebUI</title></html>' },
	{ type: 'wrongServer', status: 200, body: 'It works!' },
	{ type: 'invalidResponse', status: 200, body: {} },
	{
		type: 'badRequest',
		status: 400,
		body: { detail: [{ loc: ['body', 'top_k'], msg: 'Extra inputs are not permitted' }] },
	},
	{
		type: 'fileUnreadable',
		status: 400,
		body: { error: { message: 'Failed to load image or audio file' } },
	},
	{ type: 'fileUnreadable', status: 400, body: { error: { message: 'invalid image input' } } },
	{
		type: 'fileUnreadable',
		status: 500,
		body: { error: { message: 'failed to process inputs: image: unknown format' } },
	},
	{
		type: 'modelLoadFailed',
		status: 500,
		body: { error: { message: "failed to load model 'image-model.gguf'" } },
	},
	{ type: 'serverError', status: 500, body: { error: { message: 'boom' } } },
	{
		type: 'keyBudgetExceeded',
		status: 429,
		body: { error: { message: 'over', type: 'budget_exceeded' } },
	},
];
