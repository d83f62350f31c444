/** Creates errors from what is known of a request. */
import { mask, maskDeep } from './mask';
import { truncateMiddle } from '../values/text';
import type { KnownFacts } from './facts';
import type { InputWords } from './failure';
import { parseHostAndPort } from './host-and-port';
import type { ErrorType } from './error-types';
import type { ServerErrorDetails } from './server-error';
import { MAX_SERVER_TEXT, ServerError, maskPartial } from './server-error';

/** Where an error happened. */
export interface ErrorContext extends Pick<
	KnownFacts,
	'root' | 'typed' | 'service' | 'model' | 'hasAnswered'
> {
	/** Resolved URL of the request. */
	url: string;
	/** Values that must never appear in an error: keys and header values. */
	secrets?: readonly string[];
	/** What is known of the server without a request. */
	getServerFacts?(model: string): Pick<KnownFacts, 'serverType' | 'isCloudModel' | 'lacksHeaders'>;
}

/** What is known in addition to the type and the context; `about`: facts. */
export type ErrorOverrides = Partial<Omit<ServerErrorDetails, 'type' | 'url' | 'known'>> & {
	about?: KnownFacts;
};

/** Builds an error from what is known. The context's secrets are masked in everything that was received. */
export function createServerError(
	type: ErrorType,
	context: Partial<ErrorContext>,
	overrides: ErrorOverrides = {},
): ServerError {
	const { about, inputWords, sentence, ...details } = overrides;
	const { secrets, getServerFacts, root, typed, service, model, hasAnswered } = context;
	const url = maskUrl(context);
	const known: KnownFacts = {
		...parseHostAndPort(context.url),
		...{ root, typed, service, model, hasAnswered },
		url,
		...getServerFacts?.(model ?? ''),
		...about,
	};
	return new ServerError({
		type,
		url,
		service,
		...details,
		known: maskDeep(known, secrets),
		inputWords: maskDeep(inputWords, secrets),
		sentence: sentence && mask(sentence, secrets),
		place: details.place && mask(details.place, secrets),
		partialText: maskPartial(details.partialText, secrets),
		partialReasoning: maskPartial(details.partialReasoning, secrets),
		code: maskExcerpt(details.code, secrets),
		serverText: maskExcerpt(details.serverText, secrets),
		facts: maskDeep(details.facts, secrets),
	});
}

/** What is known of an input, in addition to what is wrong with it. */
interface InputErrorOverrides
	extends
		Pick<InputWords, 'detail'>,
		Pick<ErrorOverrides, 'facts' | 'field' | 'inputProblem' | 'about'> {}

/**
 * The error for bad input (a field, or the result of an expression), raised before anything is sent.
 *
 * @param title what is wrong, without a full stop
 * @param suggestion what to do about it, as sentences. Default: what the table says
 * @param overrides default of `detail`: the title
 */
export function createInputError(
	title: string,
	suggestion: string | undefined,
	{ detail, ...overrides }: InputErrorOverrides = {},
): ServerError {
	return createServerError(
		'invalidInput',
		{},
		{ inputWords: { title, detail, suggestion }, ...overrides },
	);
}

function maskExcerpt(text: string | undefined, secrets?: readonly string[]) {
	return text === undefined ? undefined : truncateMiddle(mask(text, secrets), MAX_SERVER_TEXT);
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
