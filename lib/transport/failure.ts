import { type FailureDetails, type FailureKind, ServerError } from './errors';
import { remedyFor, type RemedyFacts } from './remedies';

export interface FailureContext {
	/** Resolved URL of the request. */
	url: string;
	/** Root of the server, for advice that names a URL. */
	root?: string;
	/** What is asked, where that is no model server. */
	service?: 'dify';
	model?: string;
	/** Values that must never appear in an error: keys and header values. */
	secrets?: readonly string[];
}

/** Builds the error of a kind from the one table of remedies. What came from outside is cleared of the context's secrets. */
export function failure(kind: FailureKind, context: Partial<FailureContext>, more: Partial<FailureDetails> & { about?: RemedyFacts } = {}): ServerError {
	const { about, ...details } = more;
	const address = hostAndPort(context.url);
	const outside = masked({ ...about }, context.secrets);
	const { message, remedy } = remedyFor(kind, { ...address, url: context.url, root: context.root, model: context.model, service: context.service, ...outside });
	return new ServerError({
		kind,
		message: message.replace(/ {2,}/g, ' ').replace(/ +$/, ''),
		remedy,
		url: context.url,
		...details,
		serverText: mask(details.serverText, context.secrets),
		facts: masked(details.facts, context.secrets),
	});
}

/**
 * What of a credential's headers must appear nowhere, longest first: the values, their parts (the key behind a scheme, the cookies of
 * a Cookie header), and how both look in a URL and in JSON.
 */
export function secretsOf(headers: Record<string, string>): string[] {
	const parts = Object.values(headers).flatMap((value) => [
		value,
		value.replace(/^\S+\s+/, ''),
		...value.split(/[\s;,=]+/).filter((part) => part.length >= 8),
	]);
	const forms = parts.flatMap((part) => [part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1)]);
	return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

/** Takes keys out of a text that comes from outside: some servers and proxies echo the header they refuse. */
export function mask(text: string | undefined, secrets: readonly string[] = []): string | undefined {
	// Shorter values are no secrets, but would tear words apart.
	return secrets.filter((secret) => secret.length >= 4).reduce((rest, secret) => rest?.split(secret).join('***'), text);
}

function masked<T>(value: T, secrets: readonly string[] | undefined): T {
	if (typeof value === 'string') return mask(value, secrets) as T;
	if (Array.isArray(value)) return value.map((entry: unknown) => masked(entry, secrets)) as T;
	if (!isRecord(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([key, entry]) => [mask(key, secrets), masked(entry, secrets)])) as T;
}

function hostAndPort(url: string | undefined): { host?: string; port?: string } {
	if (url === undefined || !URL.canParse(url)) return {};
	const { hostname, port, protocol } = new URL(url);
	return { host: hostname, port: port || (protocol === 'https:' ? '443' : '80') };
}

interface LowLevelError {
	code?: unknown;
	message?: unknown;
	name?: unknown;
	cause?: unknown;
	errors?: unknown;
	/** Of a failed connection attempt. */
	address?: unknown;
	port?: unknown;
	/** Of a failed look-up. */
	hostname?: unknown;
}

/** All errors in a chain: the error, its causes, and the attempts of an AggregateError (several addresses of one host). */
function chain(error: unknown, depth = 0): LowLevelError[] {
	if (typeof error !== 'object' || error === null || depth > 5) return [];
	const { cause, errors } = error as LowLevelError;
	const attempts = Array.isArray(errors) ? errors.flatMap((attempt) => chain(attempt, depth + 1)) : [];
	return [error as LowLevelError, ...attempts, ...chain(cause, depth + 1)];
}

const BY_CODE: Record<string, FailureKind> = {
	ENOTFOUND: 'dns',
	EAI_AGAIN: 'dns',
	ECONNREFUSED: 'refused',
	UND_ERR_CONNECT_TIMEOUT: 'connectTimeout',
	ETIMEDOUT: 'connectTimeout',
	EHOSTUNREACH: 'unreachable',
	EHOSTDOWN: 'unreachable',
	ENETUNREACH: 'unreachable',
	ENETDOWN: 'unreachable',
	EADDRNOTAVAIL: 'unreachable',
	EPROTO: 'tlsMismatch',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'tlsUntrusted',
	SELF_SIGNED_CERT_IN_CHAIN: 'tlsUntrusted',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tlsUntrusted',
	UNABLE_TO_GET_ISSUER_CERT: 'tlsUntrusted',
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tlsUntrusted',
	ERR_TLS_CERT_ALTNAME_INVALID: 'tlsUntrusted',
	UND_ERR_SOCKET: 'closedBeforeAnswer',
	ECONNRESET: 'closedBeforeAnswer',
	ECONNABORTED: 'closedBeforeAnswer',
	EPIPE: 'closedBeforeAnswer',
};

function kindOfCode(code: string): FailureKind | undefined {
	if (code.startsWith('HPE_')) return 'notHttp';
	if (code.startsWith('ERR_SSL_')) return 'tlsMismatch';
	if (code.startsWith('CERT_')) return 'tlsUntrusted';
	return BY_CODE[code];
}

/** Turns a low-level network error (undici, Node) into a typed one. `started`: whether answer bytes had arrived. */
export function networkFailure(error: unknown, context: FailureContext, started = false): ServerError {
	if (error instanceof ServerError) return error;
	const links = chain(error);
	// The host's egress filter raises its own classes out of the DNS look-up.
	const blocked = links.find(({ name }) => typeof name === 'string' && name.startsWith('Ssrf'));
	if (blocked !== undefined) return failure('blockedByPolicy', context, { facts: { reason: text(blocked.message) } });
	const proxy = links.map((link) => proxyTrouble(link, context.url)).find((trouble) => trouble !== undefined);
	if (proxy !== undefined) return failure('proxy', context, { facts: { code: proxy }, about: { code: proxy } });
	const codes = links.map(({ code }) => code).filter((code): code is string => typeof code === 'string');
	const code = codes.find((candidate) => kindOfCode(candidate) !== undefined);
	const reason = text(links[0]?.message) ?? String(error);
	const facts = { code: code ?? codes[0] ?? reason };
	if (started) return failure('connectionLost', context, { facts });
	// undici's parser gives some of its errors no code.
	if (links.some(({ name }) => name === 'HTTPParserError')) return failure('notHttp', context, { facts });
	if (code !== undefined) return failure(kindOfCode(code)!, context, { facts, about: { code } });
	return failure('closedBeforeAnswer', context, { facts, message: mask(`The request failed before an answer came: ${reason}`, context.secrets) });
}

/** What is wrong with the way to a proxy: undici's own errors, or an attempt to reach another host or port than that of the URL. */
function proxyTrouble({ code, message, address, port, hostname }: LowLevelError, url: string): string | undefined {
	const status = /^Proxy response \((\d+)\)/.exec(String(message))?.[1] ?? (/^Proxy Authentication Required/.test(String(message)) ? '407' : undefined);
	if (status !== undefined) return `HTTP ${status}`;
	if (code === 'UND_ERR_PRX_TLS') return text(message);
	const target = hostAndPort(url);
	if (typeof port === 'number' && target.port !== undefined && String(port) !== target.port) return `${String(code)} ${String(address)}:${port}`;
	const elsewhere = typeof hostname === 'string' && target.host !== undefined && hostname.toLowerCase() !== target.host.replace(/^\[|\]$/g, '');
	return elsewhere ? `${String(code)} ${hostname}` : undefined;
}

function text(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/** The server's sentence out of any error body: `error` as object or string, `detail`, `message`, `reason`, or plain text. */
export function serverMessage(body: string): { message: string; type?: string; facts: Record<string, unknown> } {
	const json = parseObject(body);
	if (json === undefined) return { message: plainText(body), facts: {} };
	const { error, detail, message, reason } = json;
	if (isRecord(error)) {
		const facts = Object.fromEntries(Object.entries(error).filter(([key, value]) => !['message', 'type'].includes(key) && value !== null));
		return { message: stringify(error.message ?? error), type: text(error.type), facts };
	}
	const sentence = error ?? detail ?? message ?? reason ?? json;
	return { message: stringify(sentence), type: text(json.type) ?? text(json.code) ?? text(reason), facts: {} };
}

function stringify(value: unknown): string {
	if (typeof value === 'string') return value;
	// FastAPI's validation errors: [{ loc: ['body', 'model'], msg: 'field required' }]
	if (Array.isArray(value)) {
		return value.map((entry) => (isRecord(entry) && 'msg' in entry ? `${[entry.loc].flat().join('.')}: ${String(entry.msg)}` : JSON.stringify(entry))).join('; ');
	}
	return JSON.stringify(value);
}

function plainText(body: string): string {
	return body
		.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
		.replace(/<[^>]*>/g, ' ')
		.replace(/\s+/g, ' ')
		.trim()
		.slice(0, 200);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON object out of a text, or undefined. */
export function parseObject(body: string): Record<string, unknown> | undefined {
	if (!body.trimStart().startsWith('{')) return undefined;
	try {
		const value: unknown = JSON.parse(body);
		return isRecord(value) ? value : undefined;
	} catch {
		return undefined;
	}
}

export function looksLikeHtml(body: string, contentType = ''): boolean {
	return /text\/html/i.test(contentType) || /^\s*<(?:!doctype html|!--|html|head|body)/i.test(body);
}

/** What an HTTP answer with an error status (or a page instead of an answer) means. Never throws, whatever the body is. */
export function httpFailure(
	answer: { status: number; contentType?: string; body: string; location?: string },
	context: FailureContext,
): ServerError {
	const { status, body } = answer;
	const { message, type, facts } = serverMessage(body);
	const kind = kindOf(status, message, type, answer);
	const promptTokens = numberOf(facts.n_prompt_tokens) ?? numberIn(message, /\((\d+) tokens\) exceeds/);
	const contextTokens = numberOf(facts.n_ctx) ?? numberIn(message, /context size \((\d+) tokens\)|maximum context length is (\d+)/);
	return failure(kind, context, {
		status,
		serverText: kind === 'templateRejected' ? innerSentence(message) : message || undefined,
		facts,
		about: {
			status,
			promptTokens,
			contextTokens,
			modality: /^(image|audio|video) input is not supported/.exec(message)?.[1],
			location: answer.location,
			serverText: message,
		},
	});
}

function kindOf(status: number, message: string, type: string | undefined, answer: { contentType?: string; body: string }): FailureKind {
	const html = looksLikeHtml(answer.body, answer.contentType);
	if (status >= 300 && status < 400) return 'redirect';
	if (status === 401) return 'unauthorized';
	if (status === 403) return /not authenticated|invalid.*key|unauthorized/i.test(message) ? 'unauthorized' : 'forbidden';
	if (status === 407) return 'proxy';
	if (status === 413) return 'tooLarge';
	if (status === 429) return 'busy';
	if (status === 501) return 'notSupported';
	if (status === 502 || status === 504) return 'gateway';
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
	],
];

/** llama-server answers many client mistakes with 500, so the text decides before the status does (contract 4.2). */
export function kindOfMessage(message: string, type?: string): FailureKind | undefined {
	if (type === 'exceed_context_size_error') return 'contextOverflow';
	return BY_MESSAGE.find(([, ...patterns]) => (patterns as RegExp[]).some((pattern) => pattern.test(message)))?.[0];
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
