import { type ServerError, throwAs } from '../../errors/server-error';

/**
 * Rewords the error of a route that Dify lacks before 1.14. It answers with a page, as any wrong Base URL does, but a
 * header has its version.
 *
 * @param what beginning of the sentence: "Following a run"
 * @param instead what to do without an update
 */
export function tooOld(error: ServerError, what: string, instead = ''): ServerError {
	if (error.kind !== 'routeNotFound') return error;
	const { difyVersion: version } = error.facts;
	const isKnown = typeof version === 'string';
	if (isKnown && !/^(?:0\.|1\.\d\b|1\.1[0-3]\b)/.test(version)) return error;
	return error.reworded({
		kind: 'routeNotFound',
		message: `${what} needs Dify 1.14 or newer${isKnown ? `, this is ${version}` : ''}`,
		remedy: isKnown
			? `Update Dify.${instead}`
			: 'Update Dify. If it is new enough, check the Base URL in the credential: it must lead to the API of Dify and usually ends in /v1.',
	});
}

/** Awaits the answer of a route. @param what as in `tooOld`, where the route needs Dify 1.14 */
export async function needsNewer<T>(what: string | undefined, asked: Promise<T>): Promise<T> {
	if (what === undefined) return await asked;
	return await asked.catch(throwAs((error) => tooOld(error, what)));
}
