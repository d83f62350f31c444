/** From an error response, or an error inside a response, to its error. */
import type { ErrorReport, ServerError, ServerErrorDetails } from './server-error';
import type { ErrorContext } from './create-error';
import type { ErrorFacts } from './rows/error-facts';
import type { ErrorType } from './error-types';
import { createServerError } from './create-error';
import { getErrorText, isOneOf, isUnknownError } from './error-types';
import { TYPE_BY_CODE, TYPE_BY_WEAK_CODE } from './codes';
import { suggestShorterResponse } from './context-overflow';
import { removeEchoes } from './echoes';
import {
	describeGateway,
	findGatewayErrorByStatus,
	findRepeatedError,
	hasStoppedWaiting,
	isGatewayError,
} from './gateway-failure';
import type { GatewayResponse } from './gateway-name';
import { findGatewayName } from './gateway-name';
import { isGatewayStatus } from './gateway-status';
import { findMessageFacts } from './message-facts';
import { toTitle } from './message-title';
import { isStatusPhrase } from './status-phrase';
import { findRequestLimit, isGatewayRateLimit } from './request-limit';
import { parseRetryAfter } from './retry-after';
import { findTypeByText, NO_ACCESS_PATTERN, NO_INSTANCE_PATTERN } from './signals';
import { findTokenCounts } from './token-counts';
import type { JsonRecord } from '../values/records';
import type { ParsedErrorBody } from './error-body';
import { MAX_SCANNED_TEXT, parseErrorBody } from './error-body';
import { getOwn } from '../values/own-properties';

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
	/** Whether the request contained files; undefined without a body. */
	hasFiles?(): boolean | undefined;
}

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
	const status = response.status < 300 ? (errorBody.status ?? response.status) : response.status;
	// An error with a success status that contains no status counts as a server error.
	const effectiveStatus = status < 300 && errorBody.isError ? 500 : status;
	const effective = { ...response, status: effectiveStatus };
	const type = toErrorType(effective, { ...errorBody, message });
	const place = { ...effective, form, message, codes: errorBody.codes };
	const messageFacts = findMessageFacts(type, { message, outer: errorBody.wrapper ?? message });
	const { upstreamModel } = messageFacts;
	const facts = { ...toTokenFacts(type, message), ...errorBody.facts, upstreamModel };
	return createServerError(type, context, {
		status,
		...toServerTitle(place, hasDifyHeaders(response.headers) && context.service !== 'dify'),
		serverText: toServerText(type, errorBody),
		suggestion:
			(type === 'promptTooLong' ? suggestShorterResponse(findTokenCounts(message)) : undefined) ??
			suggestByFacts(type, {
				...messageFacts,
				isSignInRequired: errorBody.hasSignIn,
				model: context.model,
			}),
		facts: { ...facts, retryAfterMs: getRetryAfterMs(type, response, message) },
		report: toReport(response.status, errorBody),
		about: {
			status,
			modality: findModality(type, message),
			isSlot: isSlotMessage(errorBody),
			location: response.location,
			isEmpty: form === 'empty' || isStatusPhrase(message),
			isPage: form === 'page',
			isDify: hasDifyHeaders(response.headers),
			isNodePage: /Cannot (?:GET|POST) \//.test(response.body.slice(0, 1_000)),
			isKeyMissing: response.isKeyMissing,
			hasNoInstance: NO_INSTANCE_PATTERN.test(message),
			// GPUStack: a model that the key may not use is not found, with 403.
			hasNoAccess: NO_ACCESS_PATTERN.test(message) || status === 403,
			isSignInRequired: errorBody.hasSignIn,
			hasFiles: type === 'requestTooLarge' ? response.hasFiles?.() : undefined,
			...messageFacts,
			gateway: hasGateway(type) ? findGatewayName(place) : undefined,
			requestLimit: type === 'busy' ? findRequestLimit(place) : undefined,
			...(isGatewayError(type) && describeGateway(type, place)),
		},
	});
}

/** What may be said about a gateway although it is not its failure: whom it does not reach, whose limit is reached. */
const hasGateway = isOneOf('modelUnreachable', 'busy');

/** The suggestion of the row, if a fact chose it: it counts more than the general one of a server type. */
function suggestByFacts(type: ErrorType, facts: ErrorFacts): string | undefined {
	const chosen = [
		facts.isTemplateBroken,
		facts.loadCause,
		facts.isMemoryLimit,
		facts.unreachedHost,
		facts.isUpstreamRoute,
		facts.isAddressBanned,
		facts.isSignInRequired,
		facts.isLoadTimeout,
		facts.hasNoTemplate,
		facts.isNotFetched,
		facts.upstreamModel,
		facts.isGrammarUnsupported,
		facts.schemaIssue,
		facts.missingBackend,
		facts.unknownPart,
	];
	const isChosen = chosen.some((fact) => fact !== undefined && fact !== false);
	return isChosen ? getErrorText(type, facts).suggestion : undefined;
}

/** Undefined for a response that reports no error. */
function toReport(
	status: number,
	{ form, codes, isError, isQuoted = false, status: innerStatus }: ParsedErrorBody,
): ErrorReport | undefined {
	if (status < 300 && isError !== true) return undefined;
	return {
		status,
		innerStatus,
		codes,
		// Servers reject fields in JSON; a text may be of a filter or a proxy that quotes the request.
		isQuoted: isQuoted || form !== 'json',
		isOfGateway: form === 'page' || status === 407 || isGatewayStatus(status),
	};
}

/** docs/protocols/dify.md 1.1 */
export function hasDifyHeaders(headers: ErrorResponseInput['headers'] = {}): boolean {
	return headers['x-version'] !== undefined && headers['x-env'] !== undefined;
}

/**
 * The server's own first sentence as title, whatever the type is: a wrong type hides nothing then.
 *
 * @param isOtherService - Dify, where a model server is expected: what it says of a route is not about the address.
 * @returns nothing if the server wrote none: a page, the phrase of a status
 */
function toServerTitle(
	{ status, form, message }: Pick<GatewayResponse, 'status' | 'form' | 'message'>,
	isOtherService: boolean,
): Partial<Pick<ServerErrorDetails, 'title' | 'isServerText'>> {
	const hasSentence = status >= 400 && status !== 407 && (form === 'json' || form === 'text');
	const title = hasSentence && !isOtherService ? toTitle(message) : '';
	return title === '' ? {} : { title, isServerText: true };
}

const AUDIO = /\b(?:audios?|wav|mp3|ffmpeg)\b/i;

/** Words for media that a model cannot read. */
const MEDIA: ReadonlyArray<readonly [modality: string, words: RegExp]> = [
	['image', /\b(?:image|picture)(?:s|_url)?\b|\bvision\b|图片|图像/i],
	['audio', /\b(?:input_)?audios?\b|音频/i],
	['video', /\bvideos?(?:_url)?\b|视频/i],
];

/** The medium that a message is about, if it is about one. */
function findModality(type: ErrorType, message: string) {
	if (type === 'fileUnreadable')
		return /\bimages?\b/i.test(message) || !AUDIO.test(message) ? undefined : 'audio';
	if (type !== 'modalityUnsupported') return undefined;
	const named = MEDIA.filter(([, pattern]) => pattern.test(message));
	return named.length === 1 ? named[0]![0] : undefined;
}

/** Whether the numbers are those of a slot, which only llama-server has. */
function isSlotMessage({ codes, message }: ParsedErrorBody) {
	return codes.includes('exceed_context_size_error') || SLOT.test(message);
}

/** The sentences of llama-server; TabbyAPI also speaks of the "available context size". */
const SLOT =
	/^(?:the )?request (?:\(\d{1,9} tokens\) )?exceeds the available context size\b|\bslot\b/i;

/** With the names of llama-server. */
function toTokenFacts(type: ErrorType, message: string): JsonRecord {
	if (type !== 'promptTooLong') return {};
	const { promptTokens, contextTokens, responseTokens } = findTokenCounts(message);
	return { n_prompt_tokens: promptTokens, n_ctx: contextTokens, n_predict: responseTokens };
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

/** Connection, gateway or model server is decided first; then by codes, sentences and status, in this order. */
function toErrorType(response: ErrorResponseInput, errorBody: ParsedErrorBody): ErrorType {
	const { form, message, codes } = errorBody;
	const place = { ...response, form, message, codes };
	const textType = findTypeByText(message);
	// A server that waited for a model says so with the words of a gateway.
	const isGateway = textType !== 'modelLoadFailed' && hasStoppedWaiting(place);
	return (
		typeFromProxy(response, errorBody) ??
		typeFromKey(response, errorBody) ??
		(response.status === 501 ? 'featureDisabled' : undefined) ??
		// The words of a page are those of a proxy.
		(form === 'page' ? findGatewayErrorByStatus(place) : undefined) ??
		typeFromCode(errorBody) ??
		(isGateway ? 'gatewayTimeout' : undefined) ??
		textType ??
		findByCode(TYPE_BY_WEAK_CODE, codes) ??
		(isGatewayRateLimit(place) ? 'busy' : undefined) ??
		findGatewayErrorByStatus(place) ??
		findRepeatedError(place) ??
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
	const requiresPassword = /\bbasic\b/i.test(headers['www-authenticate'] ?? '');
	if (status === 401 && requiresPassword) return 'proxyAuthRequired';
	return form === 'page' && [401, 403].includes(status) ? 'blockedByProxy' : undefined;
}

const KEY_REJECTED = /not authenticated|invalid.{0,200}key|\bkey required|unauthorized/i;

/** A 401 always means a rejected key, whatever its text is, unless the key may not use this model (LiteLLM). */
function typeFromKey(
	{ status }: ErrorResponseInput,
	errorBody: ParsedErrorBody,
): ErrorType | undefined {
	// Its own account at ollama.com, not the key of the credential
	if (errorBody.hasSignIn) return 'upstreamKeyRejected';
	// LiteLLM (seen: 1.106.2) names the exception of its client; for its own key it sends "Authentication Error".
	const isUpstreamKey = /^litellm\.AuthenticationError:/.test(errorBody.message);
	if (NO_ACCESS_PATTERN.test(errorBody.message)) return undefined;
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
	return codes.map((code) => getOwn(types, code)).find((type) => type !== undefined);
}

const TYPE_BY_STATUS: Readonly<Record<number, ErrorType>> = {
	403: 'forbidden',
	404: 'routeNotFound',
	405: 'routeNotFound',
	// After the text: Text Embeddings Inference also sends it for too many tokens.
	413: 'requestTooLarge',
	// text-generation-inference and text-embeddings-inference: the process that runs the model failed.
	424: 'serverError',
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
	const isAboutRoute = form !== 'json' || isStatusPhrase(message) || ABOUT_ROUTE.test(message);
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
	const { serverText = '', facts, status } = error;
	const isRouteByStatus =
		error.type === 'routeNotFound' && findTypeByText(serverText) !== 'routeNotFound';
	if (!isUnknownError(error.type) && !isRouteByStatus) return error;
	return createServerError('streamError', context, {
		...(error.isServerText === true && { title: error.message, isServerText: true }),
		serverText: serverText || undefined,
		report: error.report,
		facts,
		status: status === 200 ? undefined : status,
	});
}

/** The pause that a busy server requests, by the header Retry-After or its message. */
function getRetryAfterMs(type: ErrorType, { headers = {} }: ErrorResponseInput, message: string) {
	// LiteLLM
	const seconds = /try again in (\d+) ?s/i.exec(message.slice(0, MAX_SCANNED_TEXT))?.[1];
	return parseRetryAfter(headers['retry-after'] ?? (type === 'busy' ? seconds : ''));
}
