/**
 * The host that a server or a gateway could not connect to, by the message of its client: Go, aiohttp, urllib3, Node.js. A process
 * on the same machine is one of the server itself.
 */

const HOSTS: readonly RegExp[] = [
	/\blookup ([\w.-]{1,253})(?: on \S{1,100})?: /i,
	/\bdial (?:tcp|udp)[46]? ([\w.-]{1,253}):\d{1,5}\b/i,
	/\bcannot connect to host ([\w.-]{1,253}):\d{1,5}\b/i,
	/\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]{1,253})/i,
	/\bconnect E[A-Z]{3,20} ([\w.-]{1,253}):\d{1,5}\b/,
	/\bhost='([\w.-]{1,253})', port=\d/i,
];

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0)$/i;

/** @returns undefined if the message names none, or this machine */
export function findUnreachedHost(message: string): string | undefined {
	const host = HOSTS.map((pattern) => pattern.exec(message)?.[1]).find(
		(name) => name !== undefined,
	);
	return host === undefined || LOOPBACK.test(host) ? undefined : host;
}
