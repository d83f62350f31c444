import type { ServerAddress } from '../http/types';
import { LruCache } from '../lru-cache';
import { modelEntries } from './models';

/** An answer to the question for a list. */
interface Listed {
	status: number;
	json: unknown;
}

/** Servers whose routes have no version (infinity, FastAPI servers), by the API URL that was assumed first. */
const withoutVersion = LruCache.shared<true>({ ttlMs: 10 * 60_000 });

/** The address, with the API URL as learned by `findApiRoot`. */
export function withLearnedRoot(address: ServerAddress): ServerAddress {
	const { api, root } = address;
	return Object.defineProperty({ ...address }, 'api', {
		enumerable: true,
		get: () => (withoutVersion.has(api) ? root : api),
	});
}

/**
 * If the API has no list of models, looks for one without the version in the path, and without any list for the route
 * of chats. If it is found there, all connections to this address use that API from then on.
 */
export async function findApiRoot<A extends Listed>(
	{ url: { api, root } }: { url: ServerAddress },
	list: A,
	look: (url: string) => Promise<A | undefined>,
): Promise<A> {
	if (list.status !== 404 || api === root) return list;
	const takesChats = async (place: string) => isForPosts(await look(place + CHAT_ROUTE));
	const other = await look(`${root}/models`);
	const isListed = other !== undefined && provesApi(other);
	const isThere = isListed || (!(await takesChats(api)) && (await takesChats(root)));
	if (isThere) withoutVersion.set(api, true);
	return isListed ? other : list;
}

export const CHAT_ROUTE = '/chat/completions';

/** How FastAPI, Flask and others answer GET where a route takes POST: nothing is generated. */
export function isForPosts<A extends object>(answer: A | undefined): answer is A {
	return (answer as { status?: number } | undefined)?.status === 405;
}

/** Refusing the key, after 404 at the versioned address, proves the API as well as a list does. */
function provesApi({ status, json }: Listed): boolean {
	if (status === 401 || status === 403) return true;
	const isRedirect = status >= 300 && status < 400;
	return !isRedirect && modelEntries(json) !== undefined;
}
