/**
 * Every operation meets every cause: the same cause has the same title everywhere, and no suggestion names an option that
 * the operation does not have, or a server that it does not talk to.
 */
import { useClock } from '../guarantees/support/fake-clock';
import { startScripted } from '../support/servers/scripted-server';
import { createCredential, expectNoProblems, findException, passUntilEnded } from './harness';
import { listOperations } from './operations';
import type { Operation, OperationResult } from './operations';

interface Cause {
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

const CAUSES: readonly Cause[] = [
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
		body: json('CUDA out of memory. Tried to allocate 2.00 GiB.'),
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
		body: json('Budget has been exceeded! Current cost: 12.5, Max budget: 10.0'),
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
		name: 'a process that is not reached',
		status: 500,
		body: json('dial tcp 127.0.0.1:61992: connect: connection refused'),
		types: ['modelUnreachable'],
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
		name: 'a model that is too new',
		status: 412,
		body: json('The model you are attempting to use requires a newer version of Ollama.'),
		types: ['modelLoadFailed'],
		isModel: true,
	},
	{
		name: 'a host that the gateway does not know',
		status: 500,
		body: json('dial tcp: lookup gpu-box on 127.0.0.11:53: no such host'),
		types: ['modelUnreachable'],
		isModel: true,
	},
	{
		name: 'an address that is banned (Xinference)',
		status: 429,
		body: json('Too many failed login attempts. IP temporarily banned.'),
		types: ['unauthorized'],
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
		name: 'a server without grammars',
		status: 422,
		body: json('Input validation error: grammar is not supported'),
		types: ['grammarRejected'],
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
		name: 'a missing backend (LocalAI)',
		status: 500,
		body: json('could not load model: backend not found: llama-cpp'),
		types: ['modelLoadFailed'],
		isModel: true,
	},
	{
		name: 'an unknown architecture',
		status: 500,
		body: json("error loading model: unknown model architecture: 'qwen35'"),
		types: ['modelLoadFailed'],
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

/** Titles of an operation that names its own part of the request. */
const OWN_TITLES: ReadonlyArray<readonly [pattern: RegExp, reason: string]> = [
	[
		/a prompt that is too long: .*(?:rerank|embed|LocalEmbeddings|LocalReranker)/i,
		'names the text',
	],
	[
		/a batch that is too large: .*(?:rerank|embed|LocalEmbeddings|LocalReranker)/i,
		'names Batch Size',
	],
];

/** Operations for which the response means something else. */
const OTHER_CAUSES: ReadonlyArray<readonly [pattern: RegExp, reason: string]> = [
	[/a missing model: .* model (?:load|unload|pull|delete)$/, 'the type of the server is not known'],
];

/** Labels that suggestions name. */
const NAMED_LABELS = [
	'Maximum Tokens',
	'Context Size',
	'First Token Timeout',
	'Idle Timeout',
	'Total Timeout',
	'Retries',
	'Dimensions',
	'Repeat Penalty',
	'Response Format',
	'Keep Alive',
	'Max Concurrent Items',
	'Batch Size',
];

/** Advice about files, for operations without them. */
const ABOUT_FILES = /\bfiles?\b/i;

/** Labels of fields with files. */
const FILE_LABEL = /\b(?:files?|images?|audio|binary)\b/i;

/** Servers that were not recognized and that no message names. */
const FOREIGN = /\bUse (?:GPUStack|vLLM|LiteLLM|Ollama|LM Studio)\b/;

const clock = useClock();
let operations: Operation[];
beforeAll(async () => {
	operations = await listOperations();
});

interface Shown {
	type: string;
	title: string;
	suggestion: string;
}

interface Failure {
	message: string;
	description?: string;
	type?: string;
	context?: { data?: { type?: string }; descriptionTemplate?: string };
}

function readFailure({ message, description = '', type, context }: Failure): Shown {
	return {
		type: type ?? context?.data?.type ?? '',
		title: message,
		suggestion: `${description} ${context?.descriptionTemplate ?? ''}`,
	};
}

/** The error of an item, or the first finding of a check. */
function readResult({ items, returned }: OperationResult): Shown | undefined {
	interface Json {
		error?: Failure;
		findings?: Array<{ id: string; detail: string; suggestion: string }>;
		health?: Json;
	}
	const polled = returned?.[0] as { items?: Array<Array<{ json: Json }>> } | undefined;
	const all = (items ?? polled?.items) as Array<Array<{ json: Json }>> | undefined;
	const result = all?.flat()[0]?.json;
	if (result?.error !== undefined) return readFailure(result.error);
	const finding = (result?.findings ?? result?.health?.findings)?.[0];
	return finding && { type: finding.id, title: finding.detail, suggestion: finding.suggestion };
}

async function runAll({ status, headers, body, isModel }: Cause): Promise<Map<Operation, Shown>> {
	let activity = 0;
	const type = /^[{[]/.test(body) ? 'application/json' : 'text/html';
	const { url, close } = await startScripted(
		(_request, response) => {
			response.writeHead(status, { 'content-type': type, connection: 'close', ...headers });
			response.end(body);
		},
		{ onArrival: () => void activity++ },
	);
	const shown = new Map<Operation, Shown>();
	const works = new Map<string, Promise<unknown>>();
	for (const operation of operations) {
		if (isModel && operation.service === 'dify') continue;
		const { name } = operation;
		// The facts about a server are cached by its address.
		const path = encodeURIComponent(name).replaceAll('%', '');
		const credentials = [
			createCredential(operation, { url: `${url}/${path}`, key: 'x'.repeat(24) }),
		];
		const work = operation.run({ credentials, continueOnFail: false }).then(
			(result) => readResult(result),
			(error: Failure) => readFailure(error),
		);
		works.set(
			name,
			work.then((failure) => failure && shown.set(operation, failure)),
		);
	}
	const servers = [{ activity: () => activity }];
	const pending = await passUntilEnded(works, { clock, servers, maxMs: 700_000 });
	await close();
	expect(pending).toEqual([]);
	return shown;
}

test.each(CAUSES)('$name: one title, and advice that can be followed', async (cause) => {
	const shown = await runAll(cause);
	expect(shown.size).toBeGreaterThan(cause.isModel ? 10 : 60);
	const problems: string[] = [];
	const titles = new Map<string, string>();
	for (const [{ name, labels, service }, { type, title, suggestion }] of shown) {
		const isOther = findException(OTHER_CAUSES, `${cause.name}: ${name}`) !== undefined;
		if (isOther) continue;
		if (!cause.types.includes(type)) problems.push(`${name}: ${type} (${title})`);
		else if (findException(OWN_TITLES, `${cause.name}: ${name}`) === undefined) {
			const ownTitle = title.replace(' "a-model"', '');
			const known = titles.get(service) ?? ownTitle;
			titles.set(service, known);
			if (ownTitle !== known) problems.push(`${name}: "${title}" instead of "${known}"`);
		}
		for (const label of NAMED_LABELS)
			if (suggestion.includes(label) && !labels.includes(label))
				problems.push(`${name} has no option ${label}: ${suggestion}`);
		const isAboutFiles = type === 'requestTooLarge' && ABOUT_FILES.test(suggestion);
		if (isAboutFiles && !labels.some((label) => FILE_LABEL.test(label)))
			problems.push(`${name} has no files: ${suggestion}`);
		if (FOREIGN.test(suggestion)) problems.push(`${name}: ${suggestion}`);
	}
	expectNoProblems(problems);
});
