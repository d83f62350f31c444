/** Creates errors from what is known of a request. */
import { truncateMiddle } from '../values/text';
import { mask, maskDeep } from './mask';
import type { SentenceFacts } from './rows/sentence-facts';
import { parseHostAndPort } from './host-and-port';
import type { ErrorType } from './error-types';
import { getErrorText } from './error-types';
import type { ServerErrorDetails } from './server-error';
import { MAX_SERVER_TEXT, ServerError, maskPartial } from './server-error';

/** Where an error happened. */
export interface ErrorContext extends Pick<
	SentenceFacts,
	'root' | 'typed' | 'service' | 'model' | 'hasAnswered'
> {
	/** Resolved URL of the request. */
	url: string;
	/** Values that must never appear in an error: keys and header values. */
	secrets?: readonly string[];
	/** The suggestion of the server type, instead of the one in the table: `createModelServer` (lib/servers/endpoint.ts) looks it up. */
	getSuggestion?(type: ErrorType, model: string): string | undefined;
}

/** Characters. A notification shows the title. */
const MAX_TITLE_LENGTH = 1000;
const MAX_DETAIL_LENGTH = 4000;

/** Replaces or completes the row of a type; `about`: facts for its sentences. */
export type ErrorOverrides = Partial<Omit<ServerErrorDetails, 'type' | 'url'>> & {
	about?: SentenceFacts;
};

/**
 * Builds an error from the tables of texts. The context's secrets are masked in everything that was received.
 *
 * @param overrides `title` and `suggestion` replace those of the table; `about`: facts for its sentences. A `title` without
 *   a `detail` is also the detail
 */
export function createServerError(
	type: ErrorType,
	context: Partial<ErrorContext>,
	overrides: ErrorOverrides = {},
): ServerError {
	const { about, ...details } = overrides;
	const { model, secrets, service } = context;
	const maskedFacts = maskDeep({ ...about }, secrets);
	const url = maskUrl(context);
	const row = getErrorText(type, {
		...context,
		...parseHostAndPort(context.url),
		url,
		...maskedFacts,
	});
	// The table's detail explains its own title only.
	const detail = details.detail ?? details.title;
	const toSentence = (sentence: string, maxLength: number) =>
		tidy(mask(sentence, secrets), maxLength);
	return new ServerError({
		type,
		url,
		service,
		hasPlainAdvice: details.suggestion === undefined,
		...details,
		suggestion: mask(
			details.suggestion ?? context.getSuggestion?.(type, model ?? '') ?? row.suggestion,
			secrets,
		),
		title: toSentence(details.title ?? row.title, MAX_TITLE_LENGTH),
		detail: toSentence(detail ?? row.detail ?? row.title, MAX_DETAIL_LENGTH),
		partialText: maskPartial(details.partialText, secrets),
		partialReasoning: maskPartial(details.partialReasoning, secrets),
		code: maskExcerpt(details.code, secrets),
		serverText: maskExcerpt(details.serverText, secrets),
		facts: maskDeep(details.facts, secrets),
	});
}

/**
 * The error for bad input (a field, or the result of an expression), raised before anything is sent.
 *
 * @param title what is wrong, without a full stop
 * @param suggestion what to do about it, as sentences
 * @param overrides default of `detail`: the title
 */
export function createInputError(
	title: string,
	suggestion: string,
	overrides: Pick<
		Partial<ServerErrorDetails>,
		'detail' | 'facts' | 'field' | 'inputProblem' | 'hasPlainAdvice'
	> = {},
): ServerError {
	return createServerError('invalidInput', {}, { title, suggestion, ...overrides });
}

function maskExcerpt(text: string | undefined, secrets?: readonly string[]) {
	return text === undefined ? undefined : mask(text, secrets).slice(0, MAX_SERVER_TEXT);
}

/** A sentence without the gaps that unknown facts leave in it. It may quote a value of any length. */
function tidy(sentence: string, maxLength: number) {
	return truncateMiddle(sentence, maxLength).replace(/ {2,}/g, ' ').replace(/ $/, '');
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
