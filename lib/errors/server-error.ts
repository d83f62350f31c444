import type { JsonRecord } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import { truncate } from '../values/text';
import { mask, maskDeep, maskedExcerpt } from './mask';
import { DIFY_ERROR_TEXTS } from './texts/dify';
import { MODEL_ERROR_TEXTS } from './texts/model';
import { NETWORK_ERROR_TEXTS } from './texts/network';
import type { ErrorText, ErrorTextParams, ErrorTextSource } from './texts/error-text';
import { toErrorText } from './texts/error-text';

/** Errors of Dify. A type that other servers have as well means the same, with a title and suggestion for Dify. */
export type DifyErrorType = keyof typeof DIFY_ERROR_TEXTS;

/**
 * Error types: one list for all servers, used by error items, Server Health and the code. Each type is a row of the
 * tables in `texts/`, which have its title, detail and suggestion.
 */
export type ErrorType =
	| keyof typeof NETWORK_ERROR_TEXTS
	| keyof typeof MODEL_ERROR_TEXTS
	| DifyErrorType;

/** A test for some error types. */
export function isOneOf(...types: readonly ErrorType[]) {
	return (type: ErrorType): boolean => types.includes(type);
}

/** Whether no connection was made, so that another request would fail in the same way. */
export const isConnectionError: (type: ErrorType) => boolean = isOneOf(
	'dnsLookupFailed',
	'connectionRefused',
	'connectTimeout',
	'hostUnreachable',
	'tlsMismatch',
	'tlsUntrusted',
	'blockedByPolicy',
	'proxyError',
);

/** Errors in the request, such as a value, an ID or a file, which the caller can correct. */
export const isRequestError: (type: ErrorType) => boolean = isOneOf(
	'invalidInput',
	'badRequest',
	'promptTooLong',
	'kvCacheFull',
	'modalityUnsupported',
	'fileUnreadable',
	'modelNotFound',
	'tooManyFiles',
	'requestTooLarge',
	'emptyQuery',
	'invalidInputs',
	'invalidId',
	'invalidParam',
	'missingUser',
	'notFound',
	'conversationNotFound',
	'conversationEnded',
	'messageNotFound',
	'nothingToRevoke',
	'runNotFound',
	'fileNotFound',
	'fileTypeNotAllowed',
	'fileRejected',
	'formClosed',
	'formNotFound',
	'formRejected',
	'datasetRejected',
	'datasetNotFound',
	'documentNotIndexed',
	'documentArchived',
	'documentBusy',
	'nameTaken',
);

/** Errors of a server that nothing explains but its own message. */
export const isUnknownError: (type: ErrorType) => boolean = isOneOf(
	'badRequest',
	'serverError',
	'streamError',
);

/** Errors after which the same request may be sent again: the server did not start it. */
export const isRetryable: (type: ErrorType) => boolean = isOneOf(
	'connectionRefused',
	'modelLoading',
	'modelUnreachable',
	'busy',
);

const TEXTS: Readonly<Record<ErrorType, ErrorTextSource>> = {
	...DIFY_ERROR_TEXTS,
	...MODEL_ERROR_TEXTS,
	...NETWORK_ERROR_TEXTS,
};
const TEXTS_FOR_DIFY = { ...TEXTS, ...DIFY_ERROR_TEXTS };

/**
 * Title, detail and suggestion of an error type. The nodes' errors, Server Health and the credential tests use the same
 * rows.
 */
export function getErrorText(type: ErrorType, facts: ErrorTextParams = {}): ErrorText {
	const texts = facts.service === 'dify' ? TEXTS_FOR_DIFY : TEXTS;
	return toErrorText(texts[type], facts);
}

/** That a model server rejected a request, which is not in every error with a status. */
export interface ServerRejection {
	/** HTTP status of the response, also if the error in its body has another one. */
	status: number;
	/** The message may be in other words than those of the server: it was found in a text. */
	isQuoted: boolean;
}

/** What an error is made of. Default: the title as `detail`, and `retryable` by the type. */
export interface ServerErrorDetails extends Partial<
	Omit<ServerError, keyof Error | 'withPartial' | 'withSuggestion' | 'copyWith'>
> {
	type: ErrorType;
	/** A short title: what happened, without the URL and without a full stop. */
	title: string;
	suggestion: string;
}

/** Characters of a server message. Masking a megabyte of escapes would block n8n. */
const MAX_SERVER_TEXT = 2_000;
/** Characters. The details of an error are stored in n8n's database, and a stream may have 512 MB. */
const MAX_PARTIAL_TEXT = 1_000_000;

/**
 * The one error class of `lib`. `message` is the title, `detail` says what happened in full, `suggestion` what to
 * do, `url` where; `describe-error.ts` turns them into one text, `node-error.ts` into n8n's own error.
 */
export class ServerError extends Error {
	readonly type!: ErrorType;
	/** What happened in full, if the title omits something. */
	readonly detail!: string;
	/** What to do about it. */
	readonly suggestion!: string;
	/** The resolved URL the request went to. Never contains a key. */
	readonly url?: string;
	/** HTTP status, if there was a response. */
	readonly status?: number;
	/** The server's own code or the network's, for example `conversation_completed` or `ECONNREFUSED`. */
	readonly code?: string;
	/** The same request may be sent again: nothing was started. */
	readonly retryable!: boolean;
	/** The server message, shortened to 2,000 characters. */
	readonly serverText?: string;
	/**
	 * Set if the model server itself rejected the request with an error response: not for errors of proxies, errors about
	 * what the model wrote, and errors inside a response.
	 */
	readonly rejection?: ServerRejection;
	/** Text that had arrived before the error. */
	readonly partialText?: string;
	/** Reasoning that had arrived before the error. */
	readonly partialReasoning?: string;
	/** Further facts as plain data, for example ids or token counts. */
	readonly facts!: JsonRecord;
	/** The result so far, in the caller's own type. Never shown. */
	readonly result?: unknown;

	constructor({ title, facts = {}, ...details }: ServerErrorDetails) {
		// Without a `cause`: an undici error would carry the request, and with it the key, into logs.
		super(title);
		this.name = 'ServerError';
		const { type, detail = title, retryable = isRetryable(type) } = details;
		Object.assign(this, details, { facts, detail, retryable });
		this.partialText = truncatePartial(details.partialText);
		this.partialReasoning = truncatePartial(details.partialReasoning);
	}

	/** The same error with the content received until then. */
	withPartial(partial: { text?: string; reasoning?: string }): ServerError {
		return this.copyWith({
			partialText: partial.text || this.partialText,
			partialReasoning: partial.reasoning || this.partialReasoning,
		});
	}

	/** The same error with another suggestion. */
	withSuggestion(suggestion: string): ServerError {
		return this.copyWith({ suggestion });
	}

	/**
	 * The same error with other texts: a new `title` also replaces the `detail`. A new `type` also changes whether a
	 * retry is allowed.
	 */
	copyWith(changes: Partial<ServerErrorDetails>): ServerError {
		const {
			type = this.type,
			title = this.message,
			detail = changes.title ?? this.detail,
		} = changes;
		const retryable = type === this.type ? this.retryable : isRetryable(type);
		return new ServerError({ ...this, title, retryable, ...changes, detail });
	}
}

/** As a copy: a slice would keep all of the text in memory. */
function truncatePartial(text: string | undefined) {
	if (text === undefined || text.length <= MAX_PARTIAL_TEXT) return text;
	return Buffer.from(`${text.slice(0, MAX_PARTIAL_TEXT - 1)}…`).toString();
}

/**
 * For the `catch` of a promise whose error is inspected, not passed on. Other errors than a `ServerError` are
 * rethrown.
 */
export function captureError(error: unknown): ServerError {
	if (error instanceof ServerError) return error;
	throw error;
}

/** For `catch`: throws a `ServerError` as `explain` rewords it, and any other error unchanged. */
export function rethrowWith(
	explain: (error: ServerError) => ServerError,
): (error: unknown) => never {
	return (error) => {
		throw error instanceof ServerError ? explain(error) : error;
	};
}

export interface ErrorContext extends Pick<
	ErrorTextParams,
	'root' | 'typed' | 'service' | 'model'
> {
	/** Resolved URL of the request. */
	url: string;
	/** Values that must never appear in an error: keys and header values. */
	secrets?: readonly string[];
	/** The suggestion for this server type, instead of the one in the table. */
	getSuggestion?(type: ErrorType, model: string): string | undefined;
}

const OUT_OF_MEMORY =
	/\b(?:out of|enough|insufficient|available|system|more) (?:\w+ )?memory\b|\bOOM\b|\ballocat/i;

const MAX_SENTENCE_LENGTH = 10_000;

/** Replaces or completes the row of a type; `about`: facts for its sentences. */
export type ErrorOverrides = Partial<Omit<ServerErrorDetails, 'type' | 'url'>> & {
	about?: ErrorTextParams;
};

/**
 * Builds an error from the tables of texts. The context's secrets are masked in everything that was received. `title`
 * and `suggestion` replace those of the table.
 */
export function createServerError(
	type: ErrorType,
	context: Partial<ErrorContext>,
	overrides: ErrorOverrides = {},
): ServerError {
	const { about, ...details } = overrides;
	const { model, secrets } = context;
	const derived = {
		isOutOfMemory: OUT_OF_MEMORY.test(details.serverText ?? ''),
		promptTokens: asFiniteNumber(details.facts?.n_prompt_tokens),
		contextTokens: asFiniteNumber(details.facts?.n_ctx),
	};
	const maskedParams = maskDeep({ ...derived, ...about }, secrets);
	const url = maskUrl(context);
	const row = getErrorText(type, {
		...context,
		...parseHostAndPort(context.url),
		url,
		...maskedParams,
	});
	// The table's detail explains its own title only.
	const detail = details.detail ?? details.title;
	const toSentence = (sentence: string) => tidy(mask(sentence, secrets));
	return new ServerError({
		type,
		url,
		...details,
		suggestion: mask(
			details.suggestion ?? context.getSuggestion?.(type, model ?? '') ?? row.suggestion,
			secrets,
		),
		title: toSentence(details.title ?? row.title),
		detail: toSentence(detail ?? row.detail ?? row.title),
		partialText: maskPartial(details.partialText, secrets),
		partialReasoning: maskPartial(details.partialReasoning, secrets),
		code: maskExcerpt(details.code, secrets),
		serverText: maskExcerpt(details.serverText, secrets),
		facts: maskDeep(details.facts, secrets),
	});
}

/** The error for bad input (a field, or the result of an expression), raised before anything is sent. */
export function createInputError(
	title: string,
	suggestion: string,
	overrides: Pick<Partial<ServerErrorDetails>, 'detail' | 'facts'> = {},
): ServerError {
	return createServerError('invalidInput', {}, { title, suggestion, ...overrides });
}

function maskExcerpt(text: string | undefined, secrets?: readonly string[]) {
	return text === undefined ? undefined : maskedExcerpt(text, MAX_SERVER_TEXT, secrets);
}

function maskPartial(text: string | undefined, secrets?: readonly string[]) {
	return text === undefined ? undefined : mask(text, secrets);
}

/** A sentence without the gaps that unknown facts leave in it. It may quote a value of any length. */
function tidy(sentence: string) {
	return truncate(sentence, MAX_SENTENCE_LENGTH).replace(/ {2,}/g, ' ').replace(/ $/, '');
}

/**
 * Masks secrets after the part that the user entered. The target of a redirect may repeat sent headers, as login pages
 * do.
 */
function maskUrl({ url, root, secrets }: Partial<ErrorContext>) {
	if (url === undefined || root === undefined || !URL.canParse(url)) return url;
	const prefix = [root, new URL(url).origin].find((start) => url.startsWith(start)) ?? '';
	return prefix + mask(url.slice(prefix.length), secrets);
}

export function parseHostAndPort(url: string | undefined): { host?: string; port?: string } {
	if (url === undefined || !URL.canParse(url)) return {};
	const { hostname, port, protocol } = new URL(url);
	return { host: hostname, port: port || (protocol === 'https:' ? '443' : '80') };
}
