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
	{ type: 'forbidden', status: 403, body: { detail: 'Not authenticated' } },
	{
		type: 'unauthorized',
		status: 401,
		body: { error: { message: 'litellm.AuthenticationError: OpenAIException - Invalid API Key' } },
	},
	{
		type: 'unauthorized',
		status: 400,
		body: { error: { message: 'No connected db.', type: 'no_db_connection', code: '400' } },
	},
	{
		type: 'forbidden',
		status: 401,
		body: { error: { message: 'key not allowed', type: 'key_model_access_denied', code: '401' } },
	},
	{
		type: 'upstreamKeyRejected',
		status: 401,
		body: { error: 'unauthorized', signin_url: 'https://ollama.com/connect' },
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
		body: { message: 'Cannot POST /v1/chat/completions', error: 'Not Found', statusCode: 404 },
	},
	{
		type: 'routeNotFound',
		status: 200,
		body: { error: 'Unexpected endpoint or method. (POST /v1/chat/completions)' },
	},
	{
		type: 'featureDisabled',
		status: 501,
		body: {
			error: { message: 'This server does not support embeddings. Start it with `--embeddings`' },
		},
	},
	{
		type: 'badRequest',
		status: 404,
		body: { error: { message: 'No endpoints found for other/model.' } },
	},
	{
		type: 'modelNotFound',
		status: 404,
		body: { error: { message: 'vorp "qwen3-8b" blick' } },
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
		type: 'badRequest',
		status: 413,
		body: { error: '`inputs` cannot be empty', error_type: 'Validation' },
	},
	{
		type: 'badGateway',
		status: 502,
		body: { error: { message: 'The operation was aborted due to timeout' } },
	},
	{ type: 'keyBudgetExceeded', status: 402, body: { error: { message: 'vorp' } } },
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
