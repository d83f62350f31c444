import { type JsonRecord, plainNumber, text, words } from '../values';

/** The status that an error type stands for (llama-server, vLLM, OpenAI, Anthropic and compatible gateways). */
const STATUS_OF_TYPE: ReadonlyArray<readonly [number, RegExp]> = [
	[401, /^auth(?:entication|orization)?_?error$|^invalid_api_key$/i],
	[403, /^permission_?(?:denied_?)?error$/i],
	[404, /^not_?found_?error$/i],
	[429, /^rate_?limit_?(?:exceeded|error)?|^insufficient_quota$/i],
	[501, /^not_supported_error$/i],
	[503, /^(?:service_?)?unavailable_?(?:error)?$|^overloaded_error$|^engine_overloaded/i],
	[400, /^(?:invalid_request|bad_?request|validation)_?error$/i],
];

/** The status that the first of some types or codes stands for. */
export function statusOfType(...types: unknown[]): number | undefined {
	const isOf = (pattern: RegExp) => types.some((type) => pattern.test(words(type ?? '')));
	return STATUS_OF_TYPE.find(([, pattern]) => isOf(pattern))?.[0];
}

/** The status that the fields of an error name. */
export function statusIn({
	code,
	status,
	status_code,
	statusCode,
	error_code,
}: JsonRecord): number | undefined {
	return [code, status, status_code, statusCode, error_code].map(plainNumber).find(isErrorStatus);
}

function isErrorStatus(status: number | undefined): boolean {
	return Number.isInteger(status) && status! >= 400 && status! < 600;
}

/** A gateway that is refused, or that asks for a missing route, is none of the credential. */
export function isStatusBehind(status: number | undefined): boolean {
	return isErrorStatus(status) && ![403, 404, 405, 407].includes(status!);
}

const OF_GRPC: Readonly<Record<string, number>> = {
	DeadlineExceeded: 504,
	Internal: 500,
	InvalidArgument: 400,
	ResourceExhausted: 429,
	Unauthenticated: 401,
	Unavailable: 503,
	Unimplemented: 501,
};

/** How clients and gateways write the status of the answer that they got. */
const NAMED: readonly RegExp[] = [
	// Clients in Go, Rust and JavaScript, and most words of gateways: "status code: 429", "HTTP 503", "returned 400:"
	/\b(?:status(?:[ _]?code)?|https?(?:\/[\d.]{1,3})?|error code|returned|responded with|answered(?: with)?)["']?\s?[:=]?\s?["'(]?([45]\d\d)\b(?!\.\d|,\d| ?(?:tokens?|ms|s|[kmg]i?b|bytes|characters)\b)/i,
	// With its phrase: "(429 Too Many Requests)"
	/\b([45]\d\d) (?:bad request|unauthorized|forbidden|not found|method not allowed|payload too large|request entity too large|unprocessable|too many requests|internal server error|not implemented|bad gateway|service (?:temporarily )?unavailable|gateway time-?out)\b/i,
	// The beginning of an exception's text: "APIError: 429 Rate limit reached", "401: Invalid key"
	/(?:^|error: |exception: )([45]\d\d)(?:: | (?=[A-Z{"]))/i,
	// "HTTPError: 400 Client Error: …"
	/\b([45]\d\d) (?:client|server) error\b/i,
];

/** The status of a server behind, where a text names it. */
export function statusNamedIn(message: string): number | undefined {
	const grpc = OF_GRPC[/\bcode = (\w{1,30}) desc = /.exec(message)?.[1] ?? ''];
	if (grpc !== undefined) return grpc;
	// GPUStack (seen: 2.3.0) sends 503 for every refusal, also for a missing route: "status=404, error={…}".
	const gpuStack = plainNumber(/\bstatus=(4(?!0[37])\d\d|5\d\d), error=/.exec(message)?.[1]);
	if (gpuStack !== undefined) return gpuStack;
	return NAMED.map((form) => plainNumber(text(form.exec(message)?.[1]))).find(isStatusBehind);
}
