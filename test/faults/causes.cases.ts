/** Error responses of servers and gateways, each with the types that name it. */

export interface Cause {
	name: string;
	status: number;
	body: string;
	headers?: Record<string, string>;
	/** Types that name it. */
	types: readonly string[];
	/** Only a model server says it. */
	isModel?: true;
	/** It names the server that the credential does not have. */
	isOf?: string;
}

const json = (message: string, more: object = {}) =>
	JSON.stringify({ error: { message, ...more } });
const page = (text: string, more = '') =>
	`<html><head><title>${text}</title></head><body>${more}</body></html>`;

const TIMED_OUT = ['gatewayTimeout', 'difyGatewayTimeout'];
const RATE_LIMITED = ['busy', 'difyBusy'];
const UNREACHABLE = ['badGateway', 'difyBadGateway'];

export const CAUSES: readonly Cause[] = [
	{
		name: "LiteLLM's timeout",
		status: 408,
		body: json(
			'litellm.Timeout: Connection timed out. Timeout passed=600.0, time taken=600.006 seconds',
		),
		types: TIMED_OUT,
		isModel: true,
	},
	{
		name: "nginx's page of 504",
		status: 504,
		body: page('504 Gateway Time-out', 'nginx'),
		types: TIMED_OUT,
	},
	{
		name: "Cloudflare's page of 524",
		status: 524,
		body: page('524: A timeout occurred'),
		types: TIMED_OUT,
	},
	{ name: 'an empty 504', status: 504, body: '', types: TIMED_OUT },
	{ name: '502 as JSON', status: 502, body: json('Bad Gateway'), types: UNREACHABLE },
	{
		name: "nginx's page of 502",
		status: 502,
		body: page('502 Bad Gateway', 'nginx'),
		types: UNREACHABLE,
	},
	{ name: "Cloudflare's text of 521", status: 521, body: 'error code: 521', types: UNREACHABLE },
	{
		name: "Cloudflare's tunnel",
		status: 530,
		body: 'error code: 1033',
		types: ['tunnelDown', 'difyTunnelDown'],
	},
	{
		name: 'a prompt that is too long',
		status: 400,
		body: json(
			"The input (41253 tokens) is longer than the model's context length (32768 tokens).",
		),
		types: ['promptTooLong'],
		isModel: true,
	},
	{
		name: 'a model that crashed',
		status: 500,
		body: json('llama runner process has terminated: CUDA error: out of memory'),
		types: ['modelCrashed'],
		isModel: true,
	},
	{
		name: 'a missing model',
		status: 404,
		body: json('The model `a-model` does not exist.', { code: 'model_not_found' }),
		types: ['modelNotFound'],
		isModel: true,
	},
	{
		name: 'a budget',
		status: 400,
		body: json('Budget has been exceeded! Current cost: 12.5, Max budget: 10.0', {
			type: 'budget_exceeded',
		}),
		types: ['keyBudgetExceeded'],
		isModel: true,
	},
	{
		name: 'a rate limit',
		status: 429,
		body: json('Rate limit reached for requests. Please try again later.'),
		types: ['busy'],
		isModel: true,
	},
	{
		name: "Cloudflare's rate limit",
		status: 429,
		body: 'error code: 1015',
		types: RATE_LIMITED,
	},
	{
		name: 'a 429 that does not say which limit it is',
		status: 429,
		body: 'Too Many Requests',
		types: RATE_LIMITED,
	},
	{
		name: 'a 503 that is not about load',
		status: 503,
		body: json('Maintenance until noon'),
		types: RATE_LIMITED,
	},
	{
		name: 'a model that needs more memory',
		status: 500,
		body: json('model requires more system memory (12.0 GiB) than is available (8.0 GiB)'),
		types: ['modelLoadFailed'],
		isModel: true,
	},
	{
		name: 'a full disk',
		status: 500,
		body: json('failed to load model: write /models/a: no space left on device'),
		types: ['modelLoadFailed'],
		isModel: true,
	},
	{
		name: 'a server that has to sign in (Ollama)',
		status: 401,
		body: JSON.stringify({ error: 'unauthorized', signin_url: 'https://ollama.com/connect' }),
		types: ['upstreamKeyRejected'],
		isModel: true,
	},
	{
		name: 'a fault of the program',
		status: 500,
		body: json("'NoneType' object has no attribute 'tokenize'"),
		types: ['serverError'],
		isModel: true,
	},
	{
		name: 'an instance that does not run (GPUStack)',
		status: 503,
		body: json("Model instance 'a-1' not in RUNNING state"),
		types: ['busy'],
		isModel: true,
	},
	{
		name: 'a failure behind the server (424)',
		status: 424,
		body: json('Backend error: cannot reshape the batch', { type: 'Backend' }),
		types: ['serverError'],
		isModel: true,
	},
	{
		name: 'a batch that is too large',
		status: 413,
		body: json('batch size 64 > maximum allowed batch size 32', { type: 'Validation' }),
		types: ['requestTooLarge', 'badRequest'],
		isModel: true,
	},
	{
		name: 'a file that is too large',
		status: 413,
		body: json('Payload too large'),
		types: ['requestTooLarge'],
		isModel: true,
	},
	{
		name: 'output that the server cannot parse',
		status: 500,
		body: json('The model produced output that does not match the expected peg-native format'),
		types: ['outputParseFailed'],
		isModel: true,
	},
	{
		name: 'a failure in another language',
		status: 500,
		body: json('服务器内部错误'),
		types: ['serverError'],
		isModel: true,
	},
	{
		name: 'a model that is not loaded',
		status: 400,
		body: json('Model is unloaded.'),
		types: ['modelNotLoaded'],
		isModel: true,
	},
];
