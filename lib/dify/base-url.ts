import { resolveBaseUrl } from '../servers/base-url';

/**
 * Base URL of Dify's Service API: what was typed up to the first `/v1`, which is added to a bare origin only, so that
 * the prefix of a reverse proxy survives (docs/protocols/dify.md 1.1). No trailing slash: Dify does not know
 * `//chat-messages`.
 *
 * @throws {BaseUrlError} naming the part that is wrong
 */
export function resolveDifyBaseUrl(typed: string): string {
	const { origin, root, api } = resolveBaseUrl(typed);
	const path = /^.*?\/v1(?=\/|$)/.exec(api.slice(origin.length))?.[0];
	const isPrefixOnly = root !== origin && !/\/v1(?:\/|\s*$)/i.test(typed);
	return path === undefined || isPrefixOnly ? root : origin + path;
}
