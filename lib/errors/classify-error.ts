import {
	type ServerError,
	createServerError,
	type ErrorContext,
	isUnknownError,
	type ErrorType,
} from './server-error';
import {
	findTypeByText,
	findTokenCounts,
	removeEchoes,
	toTitle,
	TYPE_BY_CODE,
	TYPE_BY_WEAK_CODE,
	NO_INSTANCE_PATTERN,
} from './signals';
import {
	asArray,
	asFiniteNumber,
	asRecord,
	asRecords,
	asString,
	isRecord,
	type JsonRecord,
	omitUndefined,
	isNonEmpty,
	parseNumber,
	toText,
	parseJson,
	parseObject,
} from '../values';

/** Characters that patterns scan: on a megabyte of the wrong text they would block n8n. */
const MAX_SCANNED_TEXT = 4_000;

/** The parsed body of an error response. */
interface ParsedErrorBody {
	form: 'json' | 'page' | 'text' | 'empty';
	message: string;
	/** Type and code of the error. */
	codes: string[];
	facts: JsonRecord;
	/** The status in the error itself. */
	status?: number;
	/** The body has the form of an error. */
	isError?: boolean;
}

/** An error response, or an error inside a response. */
interface ErrorResponseInput {
	/** 200 if a response or event with a success status contains an error. */
	status: number;
	/** Names in lower case. */
	headers?: Readonly<Record<string, string>>;
	body: string;
	/** The absolute target of a redirect. */
	location?: string;
	/** No key was sent. */
	isKeyMissing?: boolean;
	/** The texts of the request, which the message may repeat. */
	getRequestTexts?(): readonly string[];
}
/** What frameworks send instead of a message. */
const STATUS_PHRASE =
	/^(?:\d{3} )?(?:bad request|internal server error|unprocessable entity|error|\{\}|\[\]|null)\.?$/i;
/** Characters that are shown of text that is not JSON. */
const MAX_UNPARSED_TEXT = 200;

/**
 * The error that an error response means: by the message and codes of the server, then by the status. Never throws,
 * whatever the body is.
 */
export function classifyErrorResponse(
	response: ErrorResponseInput,
	context: Partial<ErrorContext>,
): ServerError {
	const errorBody = parseErrorBody(response.body);
	const { form } = errorBody;
	const message = removeEchoes(
		errorBody.message.slice(0, MAX_SCANNED_TEXT),
		response.getRequestTexts?.() ?? [],
	);
	const hasSuccessStatus = response.status < 300;
	const status = hasSuccessStatus ? (errorBody.status ?? response.status) : response.status;
	// An error with a success status that contains no status counts as a server error.
	const effectiveStatus =
		hasSuccessStatus && errorBody.isError ? (errorBody.status ?? 500) : status;
	const type = toErrorType({ ...response, status: effectiveStatus }, { ...errorBody, message });
	const facts = { ...toTokenFacts(type, message), ...errorBody.facts };
	return createServerError(type, context, {
		status,
		title: toUnknownTitle(type, message, form),
		serverText: toServerText(type, errorBody),
		facts: { ...facts, retryAfterMs: getRetryAfterMs(type, response, message) },
		about: {
			status,
			modality: /^(image|audio|video) input is not supported/.exec(message)?.[1],
			location: response.location,
			isEmpty: form === 'empty' || STATUS_PHRASE.test(message),
			isPage: form === 'page',
			isDify: hasDifyHeaders(response.headers),
			isNodePage: /Cannot (?:GET|POST) \//.test(response.body.slice(0, 1_000)),
			isKeyMissing: response.isKeyMissing,
			hasNoInstance: NO_INSTANCE_PATTERN.test(message),
		},
	});
}

/** docs/protocols/dify.md 1.1 */
export function hasDifyHeaders(headers: ErrorResponseInput['headers'] = {}): boolean {
	return headers['x-version'] !== undefined && headers['x-env'] !== undefined;
}

/** The server's own message is the title of an error that nothing explains. */
function toUnknownTitle(type: ErrorType, message: string, form: ParsedErrorBody['form']) {
	const isUnknown = isUnknownError(type) && form !== 'page' && !STATUS_PHRASE.test(message);
	return isUnknown ? toTitle(message) || undefined : undefined;
}

/** With the names of llama-server. */
function toTokenFacts(type: ErrorType, message: string): JsonRecord {
	if (type !== 'promptTooLong') return {};
	const { promptTokens, contextTokens } = findTokenCounts(message);
	return { n_prompt_tokens: promptTokens, n_ctx: contextTokens };
}

function toServerText(type: ErrorType, { form, message }: ParsedErrorBody) {
	if (type === 'templateRejected') return withTemplateErrorFirst(message);
	const text = form === 'json' ? message : message.slice(0, MAX_UNPARSED_TEXT);
	return text || undefined;
}

/** llama-server wraps a template's own message: "Unable to generate parser for this template. … Error: Jinja Exception: …". */
function withTemplateErrorFirst(message: string) {
	const inner = /Error:\s*(?:Jinja Exception:\s*)?([^\n]+)/.exec(message)?.[1];
	return inner === undefined ? message : `${inner.trim()} — ${message}`;
}

function toErrorType(response: ErrorResponseInput, errorBody: ParsedErrorBody) {
	return (
		typeFromProxy(response, errorBody) ??
		typeFromKey(response, errorBody) ??
		(response.status === 501 ? 'featureDisabled' : undefined) ??
		typeFromCode(errorBody) ??
		findTypeByText(errorBody.message) ??
		findByCode(TYPE_BY_WEAK_CODE, errorBody.codes) ??
		typeFromStatus(response.status, errorBody)
	);
}

/** Servers send errors as JSON; a page, a redirect or a password prompt is sent by a proxy. */
function typeFromProxy(
	{ status, headers = {} }: ErrorResponseInput,
	{ form }: ParsedErrorBody,
): ErrorType | undefined {
	if (status >= 300 && status < 400) return 'unexpectedRedirect';
	if (status === 407) return 'proxyError';
	if (form === 'json') return undefined;
	if (isGatewayStatus(status)) return 'badGateway';
	const requiresPassword = /\bbasic\b/i.test(headers['www-authenticate'] ?? '');
	if (status === 401 && requiresPassword) return 'proxyAuthRequired';
	return form === 'page' && [401, 403].includes(status) ? 'blockedByProxy' : undefined;
}

/** 520 to 530 are Cloudflare's. */
function isGatewayStatus(status: number) {
	return [502, 503, 504].includes(status) || (status >= 520 && status <= 530);
}

const KEY_REJECTED = /not authenticated|invalid.{0,200}key|\bkey required|unauthorized/i;

/** A 401 always means a rejected key, whatever its text is. */
function typeFromKey(
	{ status }: ErrorResponseInput,
	errorBody: ParsedErrorBody,
): ErrorType | undefined {
	// LiteLLM (seen: 1.106.2) names the exception of its client; for its own key it sends "Authentication Error".
	const isUpstreamKey = /^litellm\.AuthenticationError:/.test(errorBody.message);
	if (status === 401) return isUpstreamKey ? 'upstreamKeyRejected' : 'unauthorized';
	const text = [errorBody.message, ...errorBody.codes].join('\n');
	return status === 403 && KEY_REJECTED.test(text) ? 'unauthorized' : undefined;
}

/** By the server's own codes. llama-server reports the size of the context only if the prompt exceeds it. */
function typeFromCode({ codes, facts }: ParsedErrorBody) {
	const exceedsContext = facts.n_ctx !== undefined && facts.n_prompt_tokens !== undefined;
	return findByCode(TYPE_BY_CODE, codes) ?? (exceedsContext ? 'promptTooLong' : undefined);
}

function findByCode(types: Readonly<Record<string, ErrorType>>, codes: readonly string[]) {
	return codes.map((code) => types[code]).find((type) => type !== undefined);
}

const TYPE_BY_STATUS: Readonly<Record<number, ErrorType>> = {
	403: 'forbidden',
	404: 'routeNotFound',
	405: 'routeNotFound',
	// After the text: Text Embeddings Inference also sends it for too many tokens.
	413: 'requestTooLarge',
	429: 'busy',
	503: 'busy',
};

/** What a message is about if a route is missing. LM Studio also sends 404 if no model or several ones are loaded. */
const ABOUT_ROUTE =
	/\bnot ?(?:found|allowed)\b|\bcannot (?:get|post)\b|\b(?:path|route|endpoint|url|method|page|file|resource|handler)s?\b/i;

function typeFromStatus(status: number, { form, message }: ParsedErrorBody) {
	if (status < 300) {
		if (form === 'page') return 'notAnApi';
		// Text that begins like JSON is a truncated response; other text is from another program ("It works!").
		return form === 'text' && !/^[{[]/.test(message) ? 'wrongServer' : 'invalidResponse';
	}
	const statusType = TYPE_BY_STATUS[status];
	const isAboutRoute = form !== 'json' || STATUS_PHRASE.test(message) || ABOUT_ROUTE.test(message);
	if (statusType === 'routeNotFound' && !isAboutRoute) return 'badRequest';
	if (statusType !== undefined) return statusType;
	if (status < 500) return 'badRequest';
	return form === 'page' ? 'badGateway' : 'serverError';
}

/** Classifies an error in the middle of a response like an error response. */
export function classifyStreamError(
	body: string,
	context: Partial<ErrorContext> = {},
): ServerError {
	const error = classifyErrorResponse({ status: 200, body }, context);
	// In the middle of a response, these only mean that the server reported an error.
	if (!isUnknownError(error.type) && error.type !== 'routeNotFound') return error;
	const { serverText, facts, status } = error;
	return createServerError('streamError', context, {
		title: isUnknownError(error.type) ? error.message : undefined,
		serverText,
		facts,
		status: status === 200 ? undefined : status,
	});
}

/** Whether a response is an error, by its status or its body: LM Studio sends errors with status 200. */
export function isErrorResponse({ status, json }: { status: number; json: unknown }): boolean {
	if (status >= 300) return true;
	return isRecord(json) && asArray(json.data).length === 0 && isErrorBody(json);
}

/** Whether JSON is an error, whatever the status is: by the marks of gateways and frameworks. */
function isErrorBody(json: JsonRecord): boolean {
	const { error, errors, detail, object, type, status, success, choices } = json;
	if (hasError(error) || [object, type, status].includes('error') || success === false) return true;
	// GPUStack (in the middle of a stream), One API and others
	const code = asFiniteNumber(json.code ?? json.error_code) ?? 0;
	const hasErrorCode = code < 0 || code >= 400 || hasError(json.error_code);
	const isCoded = hasErrorCode && findMessage(json) !== undefined;
	return choices === undefined && (isCoded || hasError(detail) || hasError(errors));
}

/** The pause that a busy server requests, by the header Retry-After or its message. */
function getRetryAfterMs(type: ErrorType, { headers = {} }: ErrorResponseInput, message: string) {
	// LiteLLM
	const seconds = /try again in (\d+) ?s/i.exec(message.slice(0, MAX_SCANNED_TEXT))?.[1];
	return parseRetryAfter(headers['retry-after'] ?? (type === 'busy' ? seconds : ''));
}

/** Milliseconds of a Retry-After header, which contains seconds or a date; undefined for anything else. */
export function parseRetryAfter(header = '', now = Date.now()): number | undefined {
	const value = header.trim();
	if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
	// `Date.parse` also accepts texts like "-5", so a month's name is required.
	const time = /[a-z]{3}/i.test(value) ? Date.parse(value) : NaN;
	return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}

/** What an error inside a stream means. */
export interface StreamFailure {
	errorType: ErrorType;
	/** The server's own words, for an error that nothing explains. */
	title?: string;
	serverText?: string;
	status?: number;
	facts?: JsonRecord;
}

/** The failure that an event reports. */
export function findEventFailure(event: JsonRecord): StreamFailure | undefined {
	if (!isErrorBody(event)) return undefined;
	const body = JSON.stringify({ ...event, choices: undefined });
	const { type, message, serverText, status, facts } = classifyStreamError(body);
	const title = isUnknownError(type) ? message : undefined;
	return { errorType: type, title, serverText, status, facts };
}

/** The failure in stream lines that are not events: the router of llama-server writes `proxy error: …`. */
export function findLineFailure(lines: readonly string[]): StreamFailure | { serverText?: string } {
	for (const line of lines) {
		// llama-server writes `error: {…}`.
		const json = parseJson(line.replace(/^error: */, ''));
		const failure = isRecord(json) ? findEventFailure(json) : undefined;
		if (failure !== undefined) return failure;
	}
	return omitUndefined({ serverText: lines.join('\n') || undefined });
}

/** Whether there is an error: `{}` or `{"code":0,"message":""}` in a response is not an error. */
function hasError(error: unknown) {
	if (!isRecord(error)) return Boolean(error) && isNonEmpty(error);
	return Object.values(error).some((value) => value !== 0 && value !== false && isNonEmpty(value));
}

/** Parses an error in any usual form: OpenAI's, FastAPI's, Ollama's, GPUStack's, or plain text. */
function parseErrorBody(body: string): ParsedErrorBody {
	const value = /^\s*[{["]/.test(body) ? parseJson(body) : undefined;
	const [json] = asRecords([value].flat());
	if (json !== undefined) return parseErrorJson(json);
	const trimmed = (asString(value) ?? body).trim();
	const unreadable = { codes: [], facts: {} };
	if (trimmed.startsWith('<')) return { form: 'page', message: toPageText(trimmed), ...unreadable };
	const message = trimmed.slice(0, MAX_SCANNED_TEXT).replace(/\s+/g, ' ');
	return { form: message === '' ? 'empty' : 'text', message, ...unreadable };
}

/** The visible text of a page. */
function toPageText(page: string) {
	const start = page.slice(0, 4 * MAX_SCANNED_TEXT);
	const trimmed = start.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^<>]*>/g, ' ');
	const text = trimmed.replace(/\s+/g, ' ').trim().slice(0, MAX_SCANNED_TEXT);
	// Most pages repeat their title as a heading.
	return text.replace(/^(.{5,200}) \1(?= |$)/, '$1');
}

function parseErrorJson(json: JsonRecord): ParsedErrorBody {
	const inner = findInnerError(json);
	const { type, code, metadata, ...fields } = inner;
	// OpenRouter (August 2026): the error of the upstream server
	const upstreamText = asString(asRecord(metadata).raw);
	const ownMessage = findMessage(inner) ?? toText(inner).slice(0, MAX_SCANNED_TEXT);
	const facts = inner === json ? [] : Object.entries({ ...fields, code });
	return withUpstreamError({
		form: 'json',
		message: upstreamText === undefined ? ownMessage : `${ownMessage}: ${upstreamText}`,
		codes: [type, code].filter((value) => typeof value === 'string'),
		facts: Object.fromEntries(
			facts.filter(([name, value]) => name !== 'message' && (value ?? undefined) !== undefined),
		),
		status: [code, inner.status]
			.map(parseNumber)
			.find((status = 0) => status >= 400 && status < 600),
		isError: isErrorBody(json),
	});
}

/** Levels of an error that are read. */
const MAX_LEVELS = 5;

/** The innermost of nested error objects: FastAPI servers pass on the error of another server as their `detail`. */
function findInnerError(json: JsonRecord, level = 1): JsonRecord {
	const error = json.error ?? json.detail;
	const isNested = isRecord(error) && isNonEmpty(error) && level < MAX_LEVELS;
	return isNested ? findInnerError(error, level + 1) : json;
}

/** Fields with the message, the most specific one first: next to it, `error` is the phrase of the status. */
const MESSAGE_FIELDS: readonly RegExp[] = [
	/^(?:error_?)?(?:message|msg|description)$/i,
	/^details?$/i,
	/^errors?$/i,
	/^(?:reason|title)$/i,
];

/** The message in an error body of any form; undefined if there is none. */
function findMessage(value: unknown, level = 1): string | undefined {
	if (typeof value === 'string') return value || undefined;
	if (level > MAX_LEVELS) return undefined;
	if (Array.isArray(value))
		return value.map((issue: unknown) => formatIssue(issue, level)).join('; ') || undefined;
	const entries = Object.entries(asRecord(value));
	const candidates = MESSAGE_FIELDS.flatMap((field) =>
		entries.filter(([name]) => field.test(name)),
	);
	for (const [, candidate] of candidates) {
		const message = findMessage(candidate, level + 1);
		if (message !== undefined) return message;
	}
	return undefined;
}

/** Prefers an error inside the message, since it is more specific. */
function withUpstreamError(errorBody: ParsedErrorBody): ParsedErrorBody {
	const nested = parseNestedError(errorBody.message);
	if (nested === undefined) return errorBody;
	return {
		...errorBody,
		message: nested.message,
		codes: [...errorBody.codes, ...nested.codes],
		facts: { ...errorBody.facts, ...nested.facts },
		status: nested.status ?? errorBody.status,
	};
}

/** GPUStack (seen: 2.3.0) and LiteLLM include the error of the upstream server in their own text. */
function parseNestedError(message: string): ParsedErrorBody | undefined {
	const start = message.indexOf('{');
	if (start < 0 || message.length > MAX_SCANNED_TEXT) return undefined;
	const json = parseObject(message.slice(start, message.lastIndexOf('}') + 1));
	if (json === undefined || !(isNonEmpty(json.error) || isNonEmpty(json.message))) return undefined;
	return parseErrorJson(json);
}

/** FastAPI's validation errors: `[{ loc: ['body', 'model'], msg: 'field required' }]`. */
function formatIssue(issue: unknown, level: number) {
	const message = findMessage(issue, level + 1) ?? toText(issue).slice(0, MAX_SCANNED_TEXT);
	const { loc } = asRecord(issue);
	return loc === undefined ? message : `${[loc].flat().map(toText).join('.')}: ${message}`;
}
