/** An error response, in the format of llama-server unless a body is given. */
export class SimError extends Error {
	constructor(
		readonly status: number,
		readonly body: object | string,
	) {
		super(JSON.stringify(body));
	}
}

export function llamaError(
	code: number,
	message: string,
	type: string,
	facts: object = {},
): SimError {
	return new SimError(code, { error: { code, message, type, ...facts } });
}

export const invalidRequest = (message: string): SimError =>
	llamaError(400, message, 'invalid_request_error');

export const serverError = (message: string): SimError => llamaError(500, message, 'server_error');

export const featureDisabled = (message: string): SimError =>
	llamaError(501, message, 'not_supported_error');

export const contextExceeded = (tokens: number, nCtx: number): SimError =>
	llamaError(
		400,
		`request (${tokens} tokens) exceeds the available context size (${nCtx} tokens), try increasing it`,
		'exceed_context_size_error',
		{ n_prompt_tokens: tokens, n_ctx: nCtx },
	);
