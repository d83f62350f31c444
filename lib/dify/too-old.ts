import { type ServerError, throwAs } from '../errors/server-error';

/**
 * Dify before 1.14 has no such route and answers with a page, as any wrong Base URL does; its header tells its version.
 *
 * @param what begins a sentence: "Following a run"
 * @param instead what to do where Dify is not updated
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

/** The answer of a route that only newer versions have. @param what as in `tooOld` */
export async function needsNewer<T>(what: string, asked: Promise<T>): Promise<T> {
	return await asked.catch(throwAs((error) => tooOld(error, what)));
}
