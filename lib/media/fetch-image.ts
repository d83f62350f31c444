import type { FailureKind } from '../errors/kinds';
import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { BodyTooLongError, readWhole } from '../http/too-long';
import type { MediaOptions } from './task';
import { isLoopback } from '../errors/remedies';

const MAX_BYTES = 100 * 1024 * 1024;
/** Failures that would read as if no picture had been made. */
const NOT_GIVEN_OUT: ReadonlySet<FailureKind> = new Set([
	'refused',
	'unreachable',
	'connectTimeout',
	'busy',
	'firstTokenLimit',
	'modelNotFound',
	'notSupported',
	'wrongPath',
	'gateway',
]);

/**
 * Downloads a picture by the URL that the server gave, over the same connection: n8n's egress filter checks it, and the
 * key goes to no other host. A server could name any address in the network of n8n, so only that of the credential is
 * asked, after a redirect too.
 * @throws {ServerError}
 */
export async function fetchImage(
	connection: Connection,
	address: string,
	{ limits, signal }: MediaOptions,
): Promise<Buffer> {
	const url = imageAddress(connection, address);
	if (url === undefined) throw unusable(connection, address);
	const refusalOf = (place: string) => {
		const { origin } = new URL(place);
		return origin === connection.url.origin ? undefined : liesElsewhere(connection, origin);
	};
	const refused = refusalOf(url);
	if (refused !== undefined) throw refused;
	const download = await connection
		.download(url, {
			limits,
			signal,
			headers: { accept: 'image/*, */*' },
			refuseRedirect: refusalOf,
		})
		.catch((error: unknown) => {
			throw notGivenOut(error);
		});
	return await readWhole(download.pieces, MAX_BYTES).catch((error: unknown) => {
		if (!(error instanceof BodyTooLongError)) throw error;
		throw connection.failure('invalidAnswer', {
			url,
			message: 'The picture is larger than 100 MB',
			remedy: 'What answers at this address is hardly a picture: look at the log of the server.',
		});
	});
}

function unusable(connection: Connection, address: string): ServerError {
	return connection.failure('invalidAnswer', {
		message: `The address of the picture cannot be used: "${address.slice(0, 200)}"`,
		remedy: 'Set the address under which the server names its files, or let it send base64.',
	});
}

function liesElsewhere(connection: Connection, origin: string): ServerError {
	return connection.failure('invalidAnswer', {
		message: `The picture lies at ${origin}, which is not the server of the credential, so it is not fetched`,
		remedy: `Let the server send base64 in place of addresses (it is asked for that by response_format "b64_json", unless it refuses this field), or let it name its files under ${connection.url.origin}.`,
	});
}

/** The picture is made: asking again would make another one. */
function notGivenOut(error: unknown): unknown {
	if (!(error instanceof ServerError) || !NOT_GIVEN_OUT.has(error.kind)) return error;
	const message = 'The server made a picture, but does not give it out';
	return error.reworded({
		kind: 'invalidAnswer',
		message,
		meaning: `${message}: ${error.meaning}`,
	});
}

/**
 * Absolute URL of a picture. LocalAI and others call themselves `localhost`, which is another machine for n8n, or
 * another port.
 */
export function imageAddress(
	{ url: { root, origin } }: Pick<Connection, 'url'>,
	address: string,
): string | undefined {
	const base = `${root}/`;
	if (!URL.canParse(address, base)) return undefined;
	const url = new URL(address, base);
	if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
	return (isLoopback(url.hostname) ? origin : url.origin) + url.pathname + url.search;
}
