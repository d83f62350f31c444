/** From an error response, or an error inside a response, to its error. */
import type { ErrorReport, ServerError } from './server-error';
import type { ErrorContext } from './create-error';
import type { ErrorType } from './error-types';
import { createServerError } from './create-error';
import { isUnknownError } from './error-types';
import { TYPE_BY_CODE } from './codes';
import { removeEchoes } from './echoes';
import { findGatewayName, GATEWAY_ERROR_BY_STATUS, isGatewayStatus } from './gateway-status';
import { isWholeMessage, toTitle } from './message-title';
import { parseRetryAfter } from './retry-after';
import { findTokenCounts } from './token-counts';
import { findTypeByWords } from './words';
import type { JsonRecord } from '../values/records';
import { getOwn } from '../values/own-properties';
import type { ParsedErrorBody } from './error-body';
import { MAX_SCANNED_TEXT, parseErrorBody } from './error-body';

/** An error response, or an error inside a response. */
interface ErrorResponseInput {
	/** 200 if a response or event with a success status contains an error. */
	status: number;
	/** Whether output of the model arrived before the error. Then it refuses nothing of what was sent. Default: false. */
	isAfterOutput?: boolean;
	/** Names in lower case. */
	headers?: Readonly<Record<string, string>>;
	body: string;
	/** The absolute target of a redirect. */
	location?: string;
	/** No key was sent. */
	isKeyMissing?: boolean;
	/** Texts of the request that neither the author nor this package wrote: the title does not repeat them. Default: none. */
	textsOfOthers?: readonly string[];
	/** Whether the request contained files; undefined without a body. */
	hasFiles?(): boolean | undefined;
}

/** Characters that are shown of text that is not JSON. */
const MAX_UNPARSED_TEXT = 200;

/**
 * The error that an error response means, in the order of evidence: a proxy, codes, 401 (the key), 501, a few words, the
 * status. Never throws, whatever the body is.
 */
export function classifyErrorResponse(
	response: ErrorResponseInput,
	context: Partial<ErrorContext>,
): ServerError {
	const errorBody = parseErrorBody(response.body);
	const { form } = errorBody;
	const message = removeEchoes(
		errorBody.message.slice(0, MAX_SCANNED_TEXT),
		response.textsOfOthers ?? [],
	);
	const status = response.status < 300 ? (errorBody.status ?? response.status) : response.status;
	// An error with a success status that contains no status counts as a server error.
	const effectiveStatus = status < 300 && errorBody.isError ? 500 : status;
	const isDify = hasDifyHeaders(response.headers);
	const title = toServerTitle(
		{ status: effectiveStatus, form, message },
		isDify && context.service !== 'dify',
	);
	const read = { ...response, status: effectiveStatus, hasSentence: title !== undefined };
	const type = toErrorType(read, { ...errorBody, message }, context);
	const isNodePage = /Cannot (?:GET|POST) \//.test(response.body.slice(0, 1_000));
	return createServerError(type, context, {
		status,
		...(title && splitPlace(title)),
		serverText: toServerText(errorBody),
		facts: {
			...toTokenFacts(type, message),
			...errorBody.facts,
			retryAfterMs: parseRetryAfter(response.headers?.['retry-after'] ?? ''),
		},
		report: toReport(response, errorBody),
		isBrokenJson: (response.status < 300 && isBrokenJson(errorBody)) || undefined,
		isOtherProgram: isDify || isNodePage || context.url?.endsWith('/'),
		about: {
			status,
			location: response.location,
			isEmpty: !read.hasSentence,
			isWholeMessage: title === undefined ? undefined : isWholeMessage(title, errorBody.message),
			isPage: form === 'page',
			isDify,
			isNodePage,
			isKeyMissing: response.isKeyMissing,
			hasFiles: type === 'requestTooLarge' ? response.hasFiles?.() : undefined,
			gateway: findGatewayName(status, response.headers),
		},
	});
}

/** Undefined for a response that reports no error. */
function toReport(
	{ status, isAfterOutput = false }: ErrorResponseInput,
	{ form, codes, facts, isError, status: innerStatus }: ParsedErrorBody,
): ErrorReport | undefined {
	const isInside = status < 300;
	if (isInside && isError !== true) return undefined;
	return {
		status: isInside && !isAfterOutput ? toRefusedStatus(status, innerStatus) : status,
		...(isInside && { isInside }),
		innerStatus,
		codes,
		...(isOfContext({ codes, facts }) && { isOfContext: true }),
		isOfGateway: form === 'page' || status === 407 || isGatewayStatus(status),
	};
}

/** Statuses with which servers refuse what was sent: LM Studio and LiteLLM also send them as the first event of a stream. */
const REFUSED_STATUSES: readonly number[] = [400, 404, 422];

/** The status that an error inside of a response counts as, if no output came before it. One that names none is a refusal. */
function toRefusedStatus(status: number, innerStatus = 400): number {
	return REFUSED_STATUSES.includes(innerStatus) ? innerStatus : status;
}

/** docs/protocols/dify.md 1.1 */
export function hasDifyHeaders(headers: ErrorResponseInput['headers'] = {}): boolean {
	return headers['x-version'] !== undefined && headers['x-env'] !== undefined;
}

/**
 * The server's own first sentence as title, whatever the type is: a wrong type hides nothing then.
 *
 * @param isOtherService - Dify, where a model server is expected: what it says of a route is not about the address.
 * @returns undefined if the server wrote none: a page, the phrase of a status
 */
function toServerTitle(
	{ status, form, message }: Pick<ParsedErrorBody, 'form' | 'message'> & { status: number },
	isOtherService: boolean,
): string | undefined {
	const hasSentence = status >= 400 && status !== 407 && (form === 'json' || form === 'text');
	const title = hasSentence && !isOtherService ? toTitle(message) : '';
	return title === '' ? undefined : title;
}

/** A place before the sentence. */
const PLACE = /^([a-z][\w.[\]-]{0,100}): (?=\S)/;

function splitPlace(title: string): Pick<ServerError, 'sentence' | 'place'> {
	const [mark = '', place] = PLACE.exec(title) ?? [];
	return { sentence: title.slice(mark.length), place };
}

/** With the names of llama-server. */
function toTokenFacts(type: ErrorType, message: string): JsonRecord {
	if (type !== 'promptTooLong') return {};
	const { promptTokens, contextTokens, responseTokens } = findTokenCounts(message);
	return { n_prompt_tokens: promptTokens, n_ctx: contextTokens, n_predict: responseTokens };
}

function toServerText({ form, message }: ParsedErrorBody) {
	const text = form === 'json' ? message : message.slice(0, MAX_UNPARSED_TEXT);
	return text || undefined;
}

/** A response with what is known of its message. */
interface ReadResponse extends ErrorResponseInput {
	/** The server wrote more than the phrase of a status. */
	hasSentence: boolean;
}

function toErrorType(
	response: ReadResponse,
	errorBody: ParsedErrorBody,
	context: Partial<ErrorContext>,
): ErrorType {
	const { status } = response;
	const { form, message, codes } = errorBody;
	return (
		typeFromProxy(response, errorBody) ??
		typeFromCode(errorBody) ??
		(status === 401 ? 'unauthorized' : undefined) ??
		(status === 501 ? 'featureDisabled' : undefined) ??
		// The words of a page are those of a proxy.
		(form === 'page' ? undefined : findTypeByWords([message, ...codes].join('\n'), status)) ??
		typeFromStatus(response, errorBody, context)
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
	const requiresPassword = /\bbasic\b/i.test(headers['www-authenticate'] ?? '');
	if (status === 401 && requiresPassword) return 'proxyAuthRequired';
	return form === 'page' && [401, 403].includes(status) ? 'blockedByProxy' : undefined;
}

/** By the server's own codes and fields. llama-server reports the size of the context only if the prompt exceeds it. */
function typeFromCode({ codes, facts, hasSignIn }: ParsedErrorBody): ErrorType | undefined {
	// Its own account at ollama.com, not the key of the credential
	if (hasSignIn) return 'upstreamKeyRejected';
	if (isOfContext({ codes, facts })) return 'promptTooLong';
	return codes.map((code) => getOwn(TYPE_BY_CODE, code)).find((type) => type !== undefined);
}

/** Codes for a prompt that is too long: llama-server; OpenAI's own, which vLLM, LM Studio and LiteLLM took over. */
const CONTEXT_CODES: readonly string[] = ['exceed_context_size_error', 'context_length_exceeded'];

/** Whether codes or fields say that the prompt does not fit into the context: it will not fit at a second try either. */
function isOfContext({ codes, facts }: Pick<ParsedErrorBody, 'codes' | 'facts'>): boolean {
	const isCounted = facts.n_ctx !== undefined && facts.n_prompt_tokens !== undefined;
	// vLLM names what is too long.
	return isCounted || facts.param === 'input_tokens' || codes.some(isContextCode);
}

function isContextCode(code: string): boolean {
	return CONTEXT_CODES.includes(code);
}

const TYPE_BY_STATUS: Readonly<Record<number, ErrorType>> = {
	402: 'keyBudgetExceeded',
	403: 'forbidden',
	// The process that runs the model failed (text-embeddings-inference).
	424: 'serverError',
	429: 'busy',
	503: 'busy',
	529: 'busy',
};

/** What a status means if the server wrote no sentence: with one, it may be about anything. */
const TYPE_BY_STATUS_ALONE: Readonly<Record<number, ErrorType>> = {
	404: 'routeNotFound',
	405: 'routeNotFound',
	413: 'requestTooLarge',
};

function typeFromStatus(
	{ status, hasSentence }: ReadResponse,
	{ form, message }: ParsedErrorBody,
	{ url, model }: Partial<ErrorContext>,
): ErrorType {
	if (hasSentence && namesPath(message, url)) return 'routeNotFound';
	if (status < 300) {
		if (form === 'page') return 'notAnApi';
		// Other text is from another program ("It works!").
		return form === 'text' && !isBrokenJson({ form, message }) ? 'wrongServer' : 'invalidResponse';
	}
	// A proxy whose server is down sends a page; servers send 503 as JSON.
	if (status === 503 && form === 'page') return 'badGateway';
	if (status === 404 && hasSentence && namesModel(message, model)) return 'modelNotFound';
	const byStatus =
		(hasSentence ? undefined : TYPE_BY_STATUS_ALONE[status]) ??
		TYPE_BY_STATUS[status] ??
		GATEWAY_ERROR_BY_STATUS[status] ??
		(isGatewayStatus(status) ? 'badGateway' : undefined);
	if (byStatus !== undefined) return byStatus;
	if (status < 500) return 'badRequest';
	return form === 'page' ? 'badGateway' : 'serverError';
}

/** Whether a text begins like JSON: it is a truncated response. */
function isBrokenJson({ form, message }: Pick<ParsedErrorBody, 'form' | 'message'>): boolean {
	return form === 'text' && /^[{[]/.test(message);
}

/** Whether a message names the path that was requested: LM Studio. */
function namesPath(message: string, url = ''): boolean {
	if (!URL.canParse(url)) return false;
	const { pathname } = new URL(url);
	return pathname !== '/' && message.includes(pathname);
}

/** Whether a message names the model that was requested, as a word of its own. */
export function namesModel(message: string, model = ''): boolean {
	const names = message.matchAll(/[\w./:@-]+/g);
	return Array.from(names, ([name]) => name.replace(/[.:]$/, '')).includes(model);
}

/**
 * The error that a server reports in the middle of a response, which says less than an error response: some types only mean
 * that it failed.
 *
 * @param error - As `HttpResponse.toError` classifies what the server reported.
 */
export function toStreamError(
	error: ServerError,
	context: Partial<ErrorContext> = {},
): ServerError {
	const { serverText = '', facts, status, type } = error;
	const isRouteByStatus = type === 'routeNotFound' && !namesPath(serverText, context.url);
	if (!isUnknownError(type) && !isRouteByStatus) return error;
	return createServerError('streamError', context, {
		sentence: error.sentence,
		place: error.place,
		serverText: serverText || undefined,
		report: error.report,
		facts,
		status: status === 200 ? undefined : status,
	});
}
