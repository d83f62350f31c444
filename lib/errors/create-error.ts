import type { ErrorType } from './error-types';
import { type ErrorTextParams, getErrorText } from './texts';
import { mask, maskDeep, maskedExcerpt } from './mask';
import { type ServerErrorDetails, ServerError } from './server-error';
import { truncate } from '../values';

export interface ErrorContext
	extends Pick<ErrorTextParams, 'root' | 'typed' | 'service' | 'model'> {
	/** Resolved URL of the request. */
	url: string;
	/** Values that must never appear in an error: keys and header values. */
	secrets?: readonly string[];
	/** What to do on this kind of server, in place of the advice of the table. */
	getSuggestion?(kind: ErrorType): string | undefined;
}

const MAX_SENTENCE = 10_000;

/** What replaces or completes the row of a kind; `about`: facts for its sentences. */
export type ErrorOverrides = Partial<Omit<ServerErrorDetails, 'type' | 'url'>> & {
	about?: ErrorTextParams;
};

/**
 * Builds the error of a kind from the tables of remedies. The context's secrets are masked in everything that came from
 * outside. `message` and `remedy` replace the title and the advice of the table.
 */
export function createServerError(
	type: ErrorType,
	context: Partial<ErrorContext>,
	more: ErrorOverrides = {},
): ServerError {
	const { about, ...details } = more;
	const { root, typed, model, service, secrets } = context;
	const address = parseHostAndPort(context.url);
	const outside = maskDeep({ ...about }, secrets);
	const url = maskUrl(context);
	const row = getErrorText(type, { ...address, url, root, typed, model, service, ...outside });
	// The table's meaning explains its own title only.
	const ownMeaning = details.detail ?? details.message;
	return new ServerError({
		type,
		url,
		...details,
		suggestion: details.suggestion ?? context.getSuggestion?.(type) ?? row.suggestion,
		message: tidy(details.message ?? row.title),
		detail: tidy(ownMeaning ?? row.detail ?? row.title),
		code: maskExcerpt(details.code, secrets),
		serverText: maskExcerpt(details.serverText, secrets),
		facts: maskDeep(details.facts, secrets),
	});
}

/** The error for bad input (a field, or the result of an expression), raised before anything is sent. */
export function createInputError(
	message: string,
	suggestion: string,
	more: Pick<Partial<ServerErrorDetails>, 'detail' | 'facts'> = {},
): ServerError {
	return createServerError('invalidInput', {}, { message, suggestion, ...more });
}

/** Nobody reads more of a server's words, and masking a megabyte of escapes would block n8n. */
const MAX_SERVER_TEXT = 16_000;

function maskExcerpt(text: string | undefined, secrets?: readonly string[]): string | undefined {
	return text === undefined ? undefined : maskedExcerpt(text, MAX_SERVER_TEXT, secrets);
}

/** A sentence without the gaps that unknown facts leave in it. It may quote a value of any length. */
function tidy(sentence: string): string {
	return truncate(sentence, MAX_SENTENCE).replace(/ {2,}/g, ' ').replace(/ $/, '');
}

/**
 * Masks secrets behind the part that the user typed. The target of a redirect may repeat what was sent, as login pages
 * do.
 */
function maskUrl({ url, root, secrets }: Partial<ErrorContext>): string | undefined {
	if (url === undefined || root === undefined || !URL.canParse(url)) return url;
	const own = [root, new URL(url).origin].find((start) => url.startsWith(start)) ?? '';
	return own + mask(url.slice(own.length), secrets);
}

export function parseHostAndPort(url: string | undefined): { host?: string; port?: string } {
	if (url === undefined || !URL.canParse(url)) return {};
	const { hostname, port, protocol } = new URL(url);
	return { host: hostname, port: port || (protocol === 'https:' ? '443' : '80') };
}
