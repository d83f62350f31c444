import { failure } from '../errors/failure';
import { Connection } from '../http/connection';
import type { ConnectionSettings, ServerAddress } from '../http/types';
import { BaseUrlError, resolveBaseUrl } from './base-url';

/** How to reach a server, with its base URL as the user typed it. */
export type ServerSettings = Omit<ConnectionSettings, 'address'> & { baseUrl: string };

/**
 * The connection to a server.
 *
 * @throws {ServerError} of kind `invalidUrl`
 */
export function connectTo({ baseUrl, ...settings }: ServerSettings): Connection {
	return new Connection({ ...settings, address: addressOf(() => resolveBaseUrl(baseUrl)) });
}

/**
 * What a resolver of base URLs gives, its refusal as the error that users see.
 *
 * @throws {ServerError} of kind `invalidUrl`
 */
export function addressOf<T = ServerAddress>(resolve: () => T): T {
	try {
		return resolve();
	} catch (error) {
		throw failure(
			'invalidUrl',
			{},
			error instanceof BaseUrlError ? { message: error.message, facts: { part: error.part } } : {},
		);
	}
}
