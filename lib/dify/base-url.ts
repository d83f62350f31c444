import { resolveBaseUrl } from '../servers/base-url';

/**
 * Base URL of Dify's Service API: the input up to the first `/v1`, which is added to a bare origin only, to keep the
 * prefix of a reverse proxy (docs/protocols/dify.md 1.1). No trailing slash: Dify does not support `//chat-messages`.
 *
 * @throws {BaseUrlError} with the invalid part
 */
export function resolveDifyBaseUrl(text: string): string {
	const { origin, root, api } = resolveBaseUrl(text);
	const path = /^.*?\/v1(?=\/|$)/.exec(api.slice(origin.length))?.[0];
	const isPrefixOnly = root !== origin && !/\/v1(?:\/|\s*$)/i.test(text);
	return path === undefined || isPrefixOnly ? root : origin + path;
}
