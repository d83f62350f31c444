import { isRetryable, type ErrorType } from './error-types';
import type { JsonRecord } from '../values';

export interface ServerErrorDetails {
	type: ErrorType;
	/** A short title: what happened, without the URL and without a full stop. */
	message: string;
	/** What happened in full, where the title leaves something out. Default: the title. */
	detail?: string;
	/** What to do about it. */
	suggestion: string;
	/** The resolved URL the request went to. Never holds a key. */
	url?: string;
	/** HTTP status, if there was an answer. */
	status?: number;
	/** The server's own code or the network's, for example `conversation_completed` or `ECONNREFUSED`. */
	code?: string;
	/** The same request may be sent again: nothing was started. Default: by the kind. */
	retryable?: boolean;
	/** What the server said, shortened to 2,000 characters. */
	serverText?: string;
	/** Text that had arrived before the failure. */
	partialText?: string;
	/** Thinking that had arrived before the failure. */
	partialReasoning?: string;
	/** Further facts as plain data, for example ids or token counts. */
	facts?: JsonRecord;
	/** Result until then, in the caller's own type. Never shown. */
	result?: unknown;
}

const MAX_SERVER_TEXT = 2_000;
/** Characters. The details of a failure go into n8n's database, and a stream may have 512 MB. */
const MAX_PARTIAL_TEXT = 1_000_000;

/**
 * The one error class of `lib`. `message` is a short title, `meaning` says what happened in full, `remedy` what to do,
 * `url` where; `description.ts` turns them into one text, `node-error.ts` into n8n's own error.
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
		super(details.message);
		this.name = 'ServerError';
		this.type = details.type;
		this.detail = details.detail ?? details.message;
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

	/** The same failure with what had been received until then. */
	withPartial(partial: { text?: string; reasoning?: string }): ServerError {
		return this.with({
			partialText: partial.text || this.partialText,
			partialReasoning: partial.reasoning || this.partialReasoning,
		});
	}

	/** The same failure with other advice. */
	withSuggestion(suggestion: string): ServerError {
		return this.with({ suggestion });
	}

	/**
	 * The same failure with other texts: a new `message` replaces the `meaning` too. A new `kind` also changes whether a
	 * retry is allowed.
	 */
	copyWith(
		words: Partial<
			Pick<ServerErrorDetails, 'type' | 'message' | 'detail' | 'suggestion' | 'facts'>
		>,
	): ServerError {
		const { type = this.type, detail = words.message ?? this.detail } = words;
		return this.with({
			...words,
			detail,
			retryable: type === this.type ? this.retryable : isRetryable(type),
		});
	}

	private with(change: Partial<ServerErrorDetails>): ServerError {
		return new ServerError({ ...this, message: this.message, ...change });
	}
}

/** As a copy: a slice would keep all of the text in memory. */
function truncate(text: string | undefined): string | undefined {
	if (text === undefined || text.length <= MAX_PARTIAL_TEXT) return text;
	return Buffer.from(`${text.slice(0, MAX_PARTIAL_TEXT - 1)}…`).toString();
}

/**
 * For the `catch` of a promise whose failure is inspected, not passed on. Other errors than a `ServerError` are
 * rethrown.
 */
export function captureError(error: unknown): { failed: ServerError } {
	if (error instanceof ServerError) return { failed: error };
	throw error;
}

/** For `catch`: throws a `ServerError` as `explained` rewords it, and any other error unchanged. */
export function rethrowWith(
	explained: (error: ServerError) => ServerError,
): (error: unknown) => never {
	return (error) => {
		throw error instanceof ServerError ? explained(error) : error;
	};
}
