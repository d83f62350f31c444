/** URLs of a server. */
import type { Endpoint } from '../http/types';
import type { ModelServer } from './types/server-type';

/** @param path - Below the root of the server, or a URL. */
export function toUrl(server: Endpoint, path: string): string {
	return path.startsWith('/') ? server.url.root + path : path;
}

/** URL of the model list. */
export function toListUrl(server: ModelServer): string {
	return `${server.getApiUrl()}/models`;
}

/** Path below the URL of the API. */
export const CHAT_ROUTE = '/chat/completions';
