import { isRetryable, type ErrorType } from './error-types';
import type { JsonRecord } from '../values';

export interface ServerErrorDetails {
	type: ErrorType;
	/** A short title: what happened, without the URL and without a full stop. */
	title: string;
	/** What happened in full, if the title omits something. Default: the title. */
	detail?: string;
	/** What to do about it. */
	suggestion: string;
	/** The resolved URL the request went to. Never contains a key. */
	url?: string;
	/** HTTP status, if there was a response. */
	status?: number;
	/** The server's own code or the network's, for example `conversation_completed` or `ECONNREFUSED`. */
	code?: string;
	/** The same request may be sent again: nothing was started. Default: by the type. */
	retryable?: boolean;
	/** The server message, shortened to 2,000 characters. */
	serverText?: string;
	/** Text that had arrived before the error. */
	partialText?: string;
	/** Reasoning that had arrived before the error. */
	partialReasoning?: string;
	/** Further facts as plain data, for example ids or token counts. */
	facts?: JsonRecord;
	/** The result so far, in the caller's own type. Never shown. */
	result?: unknown;
}

const MAX_SERVER_TEXT = 2_000;
/** Characters. The details of an error are stored in n8n's database, and a stream may have 512 MB. */
const MAX_PARTIAL_TEXT = 1_000_000;

/**
 * The one error class of `lib`. `message` is the title, `detail` says what happened in full, `suggestion` what to
 * do, `url` where; `describe-error.ts` turns them into one text, `node-error.ts` into n8n's own error.
 */
export class ServerError extends Error {
	readonly type: ErrorType;
	readonly detail: string;
	readonly suggestion: string;
	readonly url: string | undefined;
	readonly status: number | undefined;
	readonly code: string | undefined;
	readonly retryable: boolean;
	readonly serverText: string | undefined;
	readonly partialText: string | undefined;
	readonly partialReasoning: string | undefined;
	readonly facts: JsonRecord;
	readonly result: unknown;

	constructor(details: ServerErrorDetails) {
		// Without a `cause`: an undici error would carry the request, and with it the key, into logs.
		super(details.title);
		this.name = 'ServerError';
		this.type = details.type;
		this.detail = details.detail ?? details.title;
		this.suggestion = details.suggestion;
		this.url = details.url;
		this.status = details.status;
		this.code = details.code;
		this.retryable = details.retryable ?? isRetryable(details.type);
		this.serverText = details.serverText?.slice(0, MAX_SERVER_TEXT);
		this.partialText = truncate(details.partialText);
		this.partialReasoning = truncate(details.partialReasoning);
		this.facts = details.facts ?? {};
		this.result = details.result;
	}

	/** The same error with the content received until then. */
	withPartial(partial: { text?: string; reasoning?: string }): ServerError {
		return this.copy({
			partialText: partial.text || this.partialText,
			partialReasoning: partial.reasoning || this.partialReasoning,
		});
	}

	/** The same error with another suggestion. */
	withSuggestion(suggestion: string): ServerError {
		return this.copy({ suggestion });
	}

	/**
	 * The same error with other texts: a new `title` also replaces the `detail`. A new `type` also changes whether a
	 * retry is allowed.
	 */
	copyWith(
		changes: Partial<
			Pick<ServerErrorDetails, 'type' | 'title' | 'detail' | 'suggestion' | 'facts'>
		>,
	): ServerError {
		const { type = this.type, detail = changes.title ?? this.detail } = changes;
		return this.copy({
			...changes,
			detail,
			retryable: type === this.type ? this.retryable : isRetryable(type),
		});
	}

	private copy(change: Partial<ServerErrorDetails>) {
		return new ServerError({ ...this, title: this.message, ...change });
	}
}

/** As a copy: a slice would keep all of the text in memory. */
function truncate(text: string | undefined) {
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
