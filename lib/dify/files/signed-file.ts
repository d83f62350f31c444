import type { ServerError } from '../../errors/server-error';
import type { Download } from '../../http/types';
import type { DifyClient } from '../client';
import { localError } from '../errors/failure';

const LIMITS = { firstTokenMs: 60_000, idleMs: 60_000 };

/**
 * Opens a file by the address that Dify gives. That is signed, so no key is sent. One without a host belongs to Dify's
 * origin (docs/protocols/dify.md 2.9). A model can write an address too, so only known origins are asked.
 *
 * @param client without the headers of the credential
 * @param origins besides that of the credential
 * @throws {ServerError} also for another origin
 */
export async function openSignedFile(
	{ connection, api, signal }: DifyClient,
	address: string,
	origins: readonly string[],
): Promise<Download> {
	if (!URL.canParse(address, api)) throw localError('fileRejected', `"${address}" is no address`);
	const { href } = new URL(address, api);
	const refusalOf = (url: string) => originFailure(url, api, origins);
	const refused = refusalOf(href);
	if (refused !== undefined) throw refused;
	return await connection.download(href, {
		method: 'GET',
		signal,
		limits: LIMITS,
		refuseRedirect: refusalOf,
	});
}

/** The error for a URL that leads neither to Dify nor to a place that the node names. */
function originFailure(
	url: string,
	api: string,
	origins: readonly string[],
): ServerError | undefined {
	const { origin, protocol } = new URL(url);
	if (!/^https?:$/.test(protocol))
		return localError(
			'fileRejected',
			`its address begins with ${protocol}, and only http and https are fetched`,
		);
	if (origin === new URL(api).origin || origins.includes(origin)) return undefined;
	return localError(
		'fileRejected',
		`it lies at ${origin}, not at the Dify of the credential. If this Dify stores its files there (FILES_URL, S3), add ${origin} to the option "Fetch Files From"`,
	);
}

/** Origins in the text of a field, separated by commas or blanks. @throws {ServerError} for what is no address */
export function originsIn(typed: string): string[] {
	return typed
		.split(/[\s,]+/)
		.filter((each) => each !== '')
		.map((each) => {
			if (/^https?:/i.test(each) && URL.canParse(each)) return new URL(each).origin;
			const remedy = 'Enter addresses such as https://files.example.com, separated by commas.';
			throw localError('inputs', `"${each}" in Fetch Files From is no address`, remedy);
		});
}
