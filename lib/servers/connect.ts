import { failure } from '../errors/failure';
import { Connection } from '../http/connection';
import type { ConnectionSettings, ServerAddress } from '../http/types';
import { withLearnedRoot } from './api-root';
import { BaseUrlError, resolveBaseUrl } from './base-url';
import { knownServerKind } from './identify';
import { type KindName, kindOf } from './kinds';
import type { ServerKind } from './kinds/kind';
import { knownSlots, learnSlots } from './slots';

/** How to reach a server, with its base URL as the user typed it. */
export type ServerSettings = Omit<ConnectionSettings, 'address' | 'chosenKind' | 'remedyFor'> & {
	baseUrl: string;
	/** Default: the server is asked. */
	chosenKind?: KindName;
};

/**
 * Creates the connection to a server.
 *
 * @throws {ServerError} of kind `invalidUrl`
 */
export function connectTo({ baseUrl, ...settings }: ServerSettings): Connection {
	const address = withLearnedRoot(addressOf(() => resolveBaseUrl(baseUrl)));
	const ofKind = (model?: string): Partial<ServerKind> => {
		const kind = knownServerKind({ url: address, chosenKind: settings.chosenKind }, model);
		return kind === undefined ? {} : kindOf(kind);
	};
	const remedyFor: ConnectionSettings['remedyFor'] = (failureKind, model) =>
		ofKind(model).words?.remedies?.[failureKind];
	const connection: Connection = new Connection({
		knownSlots: () => knownSlots({ url: address }),
		onShared: (model) => void learnSlots(connection, model),
		...settings,
		address,
		remedyFor,
	});
	return connection;
}

/**
 * Resolves a base URL, and turns a `BaseUrlError` into the error that users see.
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
