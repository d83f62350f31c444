import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { BodyTooLongError, readWhole } from '../http/too-long';
import { canFailOver } from '../servers/pool/failover';
import type { MediaOptions } from './task';
import { isLoopback } from '../errors/remedies';

const MAX_BYTES = 100 * 1024 * 1024;

/**
 * Downloads a picture by the URL that the server gave, over the same connection: n8n's egress filter checks it, and the
 * key goes to no other host. A server could name any address in the network of n8n, so only those of the credential are
 * asked, after a redirect too.
 *
 * @param origins of the credential's servers
 * @throws {ServerError}
 */
export async function fetchImage(
	connection: Connection,
	address: string,
	origins: readonly string[],
	{ limits, signal }: MediaOptions,
): Promise<Buffer> {
	const url = imageAddress(connection, address, origins);
	if (url === undefined) throw unusable(connection, address);
	const refusalOf = (place: string) => {
		const { origin } = new URL(place);
		return origins.includes(origin) ? undefined : liesElsewhere(connection, origin);
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
		message: `The picture lies at ${origin}, which is no server of the credential, so it is not fetched`,
		remedy: `Let the server send base64 in place of addresses (it is asked for that by response_format "b64_json", unless it refuses this field), or let it name its files under ${connection.url.origin}.`,
	});
}

/** The picture is made, so no failover to another server. */
function notGivenOut(error: unknown): unknown {
	if (!(error instanceof ServerError) || !canFailOver(error)) return error;
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
	origins: readonly string[],
): string | undefined {
	const base = `${root}/`;
	if (!URL.canParse(address, base)) return undefined;
	const url = new URL(address, base);
	if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
	const isOwn = isLoopback(url.hostname) && !origins.includes(url.origin);
	return (isOwn ? origin : url.origin) + url.pathname + url.search;
}
