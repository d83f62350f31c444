import { type FailureKind, ServerError } from './server-error';
import { failure, type FailureContext } from './failure';
import { isRecord, parseObject, text, words } from '../values';
import { mask } from './secrets';

/** Far more than any server says about an error. Patterns look no further: a megabyte of the wrong text would keep n8n busy for minutes. */
const MOST_READ = 4_000;
/** Of a page: its title stands at the beginning. */
const MOST_OF_A_PAGE = 16_000;
const MOST_OF_A_PAGE_SHOWN = 200;

/** The server's sentence out of any error body: `error` as object or string, `detail`, `message`, `reason`, or plain text. */
export function serverMessage(body: string): { message: string; type?: string; facts: Record<string, unknown> } {
	const json = parseObject(body);
	if (json === undefined) return { message: plainText(body), facts: {} };
	const { error, detail, message, reason } = json;
	if (isRecord(error)) {
		const facts = Object.fromEntries(
			Object.entries(error).filter(([key, value]) => !['message', 'type'].includes(key) && value !== null),
		);
		return { message: stringify(error.message ?? error), type: text(error.type), facts };
	}
	const sentence = error ?? detail ?? message ?? reason ?? json;
	return { message: stringify(sentence), type: text(json.type) ?? text(json.code) ?? text(reason), facts: {} };
}

function stringify(value: unknown): string {
	if (typeof value === 'string') return value;
	// FastAPI's validation errors: [{ loc: ['body', 'model'], msg: 'field required' }]
	if (Array.isArray(value)) {
		return value
			.map((entry) =>
				isRecord(entry) && 'msg' in entry
					? `${[entry.loc].flat().map(words).join('.')}: ${words(entry.msg)}`
					: JSON.stringify(entry),
			)
			.join('; ');
	}
	return JSON.stringify(value);
}

function plainText(body: string): string {
	return body
		.slice(0, MOST_OF_A_PAGE)
		.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
		.replace(/<[^>]*>/g, ' ')
		.replace(/\s+/g, ' ')
		.trim()
		.slice(0, MOST_READ);
}

export function looksLikeHtml(body: string, contentType = ''): boolean {
	return /text\/html/i.test(contentType) || /^\s*<(?:!doctype html|!--|html|head|body)/i.test(body);
}

/** What an HTTP answer with an error status (or a page instead of an answer) means. Never throws, whatever the body is. */
export function httpFailure(
	answer: {
		status: number;
		contentType?: string;
		body: string;
		location?: string;
		/** The header `www-authenticate`. */ challenge?: string;
	},
	context: FailureContext,
): ServerError {
	const { status, body } = answer;
	const { message, type, facts } = serverMessage(body);
	const kind = kindOf(status, message.slice(0, MOST_READ), type, answer);
	const promptTokens = numberOf(facts.n_prompt_tokens) ?? numberIn(message, /\((\d+) tokens\) exceeds/);
	const contextTokens =
		numberOf(facts.n_ctx) ?? numberIn(message, /context size \((\d+) tokens\)|maximum context length is (\d+)/);
	return failure(kind, context, {
		status,
		serverText: kind === 'templateRejected' ? innerSentence(message) : shown(message, body, context) || undefined,
		facts,
		about: {
			status,
			promptTokens,
			contextTokens,
			modality: /^(image|audio|video) input is not supported/.exec(message)?.[1],
			location: answer.location,
			serverText: message.slice(0, MOST_READ),
			isPage: looksLikeHtml(body, answer.contentType),
			isEmpty: body.trim() === '',
			wantsPassword: isBasic(answer.challenge),
		},
	});
}

/** Cut only when it is clear of keys: half a key would not be recognised. */
function shown(message: string, body: string, { secrets }: FailureContext): string {
	return parseObject(body) === undefined ? (mask(message, secrets) ?? '').slice(0, MOST_OF_A_PAGE_SHOWN) : message;
}

/** A proxy that asks for a user and a password, and for nothing else. */
export function isBasic(challenge = ''): boolean {
	return /\bbasic\b/i.test(challenge) && !/\bbearer\b/i.test(challenge);
}

/** Cloudflare's own statuses: the server, or the tunnel to it, does not answer. The body is no more than "error code: 1033". */
function isCloudflare(status: number): boolean {
	return status >= 520 && status <= 530;
}

function kindOf(
	status: number,
	message: string,
	type: string | undefined,
	answer: { contentType?: string; body: string },
): FailureKind {
	const html = looksLikeHtml(answer.body, answer.contentType);
	if (status >= 300 && status < 400) return 'redirect';
	if (status === 401) return 'unauthorized';
	if (status === 403)
		return /not authenticated|invalid.*key|unauthorized/i.test(message) ? 'unauthorized' : 'forbidden';
	if (status === 407) return 'proxy';
	if (status === 413) return 'tooLarge';
	if (status === 429) return 'busy';
	if (status === 501) return 'notSupported';
	if (status === 502 || status === 504 || isCloudflare(status)) return 'gateway';
	if (status === 503 && (html || parseObject(answer.body) === undefined)) return 'gateway';
	if (status === 503) return /loading model/i.test(message) ? 'loading' : 'busy';
	if (status < 300) return html ? 'notAnApi' : 'invalidAnswer';
	return kindOfMessage(message, type) ?? kindOfStatus(status, html);
}

/** What the text of an error means, whatever its status. The first that matches counts. */
const BY_MESSAGE: ReadonlyArray<readonly [FailureKind, ...RegExp[]]> = [
	// nginx, and Go's server
	['tlsMismatch', /plain HTTP request was sent to HTTPS port/i, /HTTP request to an HTTPS server/i],
	[
		'contextOverflow',
		/exceeds? the (?:available|max) context/i,
		/maximum context length/i,
		/larger than the max context/i,
		/context length exceeded/i,
	],
	['contextExceeded', /context size has been exceeded/i],
	[
		'modalityUnsupported',
		/(?:image|audio|video) input is not supported/i,
		/does not support (?:image|vision|multimodal)/i,
		/is not a multimodal model/i,
	],
	['brokenHistory', /failed to parse tool call arguments/i],
	// LiteLLM (seen: 1.109.1). Without a database it says the first to every key but its own, with 400.
	['unauthorized', /^no connected db\b/i],
	['gateway', /^litellm\.\w+: .*exception - (?:connection error|cannot connect to host)/i],
	// What llama-server answers with 500 although the request is wrong
	[
		'badRequest',
		/^\[json\.exception/i,
		/^failed to parse (?:messages|tools):/i,
		/^cannot use both/i,
		/^unknown reasoning format/i,
		/^invalid base64/i,
		/^failed to (?:download|load) image/i,
		/is too large to process/i,
		/must not be empty/i,
		/'messages' is required/i,
	],
	[
		'grammarRejected',
		/failed to parse grammar/i,
		/json schema (?:error|conversion failed)/i,
		/failed to initialize samplers/i,
		/invalid grammar/i,
		/unsupported.*(?:schema|pattern)/i,
	],
	// After the schema's row: llama-server wraps what is wrong with a schema in the same sentence.
	['templateRejected', /unable to generate parser for this template/i, /conversation roles must alternate/i],
	[
		'toolsUnsupported',
		/tools? param requires --jinja/i,
		/does not support tools/i,
		/requires --enable-auto-tool-choice/i,
		/tool choice requires/i,
		/cannot use tools with stream/i,
	],
	['modelFailedToLoad', /model (?:name=)?.* failed to load/i],
	[
		'modelNotFound',
		/^model ["'`]?.*["'`]? ?not found/i,
		/model not found/i,
		/model .* does not exist/i,
		/model is not loaded/i,
		/no such model/i,
		/invalid model name passed in model=/i,
	],
];

/** llama-server answers many client mistakes with 500, so the text decides before the status does (contract 4.2). */
export function kindOfMessage(message: string, type?: string): FailureKind | undefined {
	if (type === 'exceed_context_size_error') return 'contextOverflow';
	const beginning = message.slice(0, MOST_READ);
	return BY_MESSAGE.find(([, ...patterns]) => (patterns as RegExp[]).some((pattern) => pattern.test(beginning)))?.[0];
}

function kindOfStatus(status: number, html: boolean): FailureKind {
	if (status === 404 || status === 405) return 'wrongPath';
	if (status >= 500) return html ? 'gateway' : 'serverError';
	return 'badRequest';
}

/** The template's own sentence, which stands at the end of "Unable to generate parser for this template. … Error: Jinja Exception: …". */
function innerSentence(message: string): string {
	const inner = /Error:\s*(?:Jinja Exception:\s*)?([^\n]+)/.exec(message)?.[1];
	return inner ? `${inner.trim()} — ${message}` : message;
}

function numberOf(value: unknown): number | undefined {
	return typeof value === 'number' ? value : undefined;
}

function numberIn(message: string, pattern: RegExp): number | undefined {
	const match = pattern.exec(message);
	const digits = match?.slice(1).find((group) => group !== undefined);
	return digits === undefined ? undefined : Number(digits);
}
