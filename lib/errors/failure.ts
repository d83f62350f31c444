import { type FailureDetails, type FailureKind, ServerError } from './server-error';
import { type RemedyFacts, remedyFor } from './remedies';
import { mask, masked } from './secrets';

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
export function failure(
	kind: FailureKind,
	context: Partial<FailureContext>,
	more: Partial<FailureDetails> & { about?: RemedyFacts } = {},
): ServerError {
	const { about, ...details } = more;
	const address = hostAndPort(context.url);
	const outside = masked({ ...about }, context.secrets);
	const url = shownUrl(context);
	const { message, remedy } = remedyFor(kind, {
		...address,
		url,
		root: context.root,
		model: context.model,
		service: context.service,
		...outside,
	});
	return new ServerError({
		kind,
		message: message.replace(/ {2,}/g, ' ').replace(/ +$/, ''),
		remedy,
		url,
		...details,
		serverText: mask(details.serverText, context.secrets),
		facts: masked(details.facts, context.secrets),
	});
}

/** An address that the server redirected to may hold what was sent to it, as the pages of a login do. */
function shownUrl({ url, root, secrets }: Partial<FailureContext>): string | undefined {
	if (url === undefined || root === undefined || url.startsWith(root) || !URL.canParse(url)) return url;
	const { origin } = new URL(url);
	return url.startsWith(origin) ? origin + mask(url.slice(origin.length), secrets) : mask(url, secrets);
}

export function hostAndPort(url: string | undefined): { host?: string; port?: string } {
	if (url === undefined || !URL.canParse(url)) return {};
	const { hostname, port, protocol } = new URL(url);
	return { host: hostname, port: port || (protocol === 'https:' ? '443' : '80') };
}
