import { ServerError } from '../../errors/server-error';
import { nonEmptyText } from '../../values';

/**
 * Asks a route that only newer servers have. An older one answers it with a page of HTML or "method not allowed", which
 * otherwise means a wrong base URL.
 *
 * @param what begins the sentence: "Downloading documents"
 */
export async function needsNewer<T>(what: string, ask: () => Promise<T>): Promise<T> {
	return await ask().catch((error: unknown) => {
		throw tooOld(what, error);
	});
}

function tooOld(what: string, error: unknown): unknown {
	if (!(error instanceof ServerError) || error.kind !== 'routeNotFound') return error;
	const version = nonEmptyText(error.facts.difyVersion);
	const needs = `${what} needs Dify 1.14 or newer`;
	return new ServerError({
		...error,
		message: needs,
		meaning: version === undefined ? needs : `${needs}, and this is ${version}`,
		remedy:
			version === undefined
				? 'Upgrade Dify. If it is new enough, check the base URL in the credential: it must lead to the API of Dify and usually ends in /v1.'
				: 'Upgrade Dify.',
	});
}
