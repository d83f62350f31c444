import { failure } from '../errors/failure';
import { ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import { BodyTooLongError, readWhole } from '../http/too-long';
import { canFailOver } from '../servers/pool/failover';
import type { MediaOptions } from './task';
import { isLoopback } from '../errors/remedies';

const MAX_BYTES = 100 * 1024 * 1024;

/**
 * Downloads a picture by the URL that the server gave, over the same connection: n8n's egress filter checks it, and the
 * key goes to no other host.
 *
 * @throws {ServerError}
 */
export async function fetchImage(
	connection: Connection,
	address: string,
	{ limits, signal }: MediaOptions,
): Promise<Buffer> {
	const url = imageAddress(connection, address);
	if (url === undefined)
		throw failure('invalidAnswer', connection.contextOf(connection.url.api), {
			message: `The address of the picture cannot be used: "${address.slice(0, 200)}"`,
			remedy: 'Set the address under which the server names its files, or let it send base64.',
		});
	const headers = { accept: 'image/*, */*' };
	const { pieces } = await connection
		.download(url, { limits, signal, headers })
		.catch((error: unknown) => {
			// The picture is made, so no failover to another server.
			const message = 'The server made a picture, but does not give it out';
			if (!(error instanceof ServerError) || !canFailOver(error)) throw error;
			throw error.reworded({
				kind: 'invalidAnswer',
				message,
				meaning: `${message}: ${error.meaning}`,
			});
		});
	return await readWhole(pieces, MAX_BYTES).catch((error: unknown) => {
		if (!(error instanceof BodyTooLongError)) throw error;
		throw failure('invalidAnswer', connection.contextOf(url), {
			message: 'The picture is larger than 100 MB',
			remedy: 'What answers at this address is hardly a picture: look at the log of the server.',
		});
	});
}

/** Absolute URL of a picture. LocalAI and others call themselves `localhost`, which is another machine for n8n. */
export function imageAddress(
	{ url: { root, origin } }: Pick<Connection, 'url'>,
	address: string,
): string | undefined {
	const base = `${root}/`;
	if (!URL.canParse(address, base)) return undefined;
	const url = new URL(address, base);
	if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
	if (isLoopback(url.hostname) && !isLoopback(new URL(origin).hostname))
		return origin + url.pathname + url.search;
	return url.href;
}
