/** Errors in llama-server's envelope (docs/protocols/llama-server.md 4.1, 4.2). */

/** Thrown during a request; the simulator answers with it. */
export class SimError extends Error {
	constructor(
		readonly status: number,
		readonly body: object,
	) {
		super(JSON.stringify(body));
	}
}

const envelope = (code: number, message: string, type: string, extra: object = {}): SimError =>
	new SimError(code, { error: { code, message, type, ...extra } });

export const invalidRequest = (message: string): SimError =>
	envelope(400, message, 'invalid_request_error');
export const serverError = (message: string): SimError => envelope(500, message, 'server_error');
export const featureDisabled = (message: string): SimError =>
	envelope(501, message, 'not_supported_error');
export const unavailable = (message: string): SimError =>
	envelope(503, message, 'unavailable_error');

export const kvCacheFull = (tokens: number, nCtx: number): SimError =>
	envelope(
		400,
		`request (${tokens} tokens) exceeds the available context size (${nCtx} tokens), try increasing it`,
		'exceed_context_size_error',
		{ n_prompt_tokens: tokens, n_ctx: nCtx },
	);

/** Error of encoders, and of models without pooling. */
export const largerThanContext = (tokens: number, nCtx: number): SimError =>
	envelope(
		400,
		`input (${tokens} tokens) is larger than the max context size (${nCtx} tokens). skipping`,
		'exceed_context_size_error',
		{ n_prompt_tokens: tokens, n_ctx: nCtx },
	);

/** The JSON library's text for a value of the wrong type. */
export const wrongType = (wanted: string, found: string): SimError =>
	serverError(`[json.exception.type_error.302] type must be ${wanted}, but is ${found}`);

/** Every 404 has this body. */
export const notFound = (): SimError =>
	new SimError(404, { error: { message: 'File Not Found', type: 'not_found_error', code: 404 } });

export const invalidKey = (): SimError =>
	new SimError(401, {
		error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 },
	});

export const loading = (): SimError =>
	new SimError(503, { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } });
