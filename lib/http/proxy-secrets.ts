import { quietly } from '../values';
import { env } from '../vendor';

const VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** What the proxies of the environment get as their user and password: an echo of it is masked as a key is. */
export function proxyHeaders(): Record<string, string> {
	const values = VARIABLES.map((name) => env[name] ?? '').filter((value) => value.includes('@'));
	const pairs = values.flatMap((value, index) => {
		const authorization = authorizationOf(value);
		return authorization === undefined ? [] : [[`proxy-authorization-${index}`, authorization]];
	});
	return Object.fromEntries(pairs) as Record<string, string>;
}

function authorizationOf(address: string): string | undefined {
	const url = quietly(() => new URL(address));
	if (url === undefined || url.password === '') return undefined;
	const pair = `${decoded(url.username)}:${decoded(url.password)}`;
	return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function decoded(part: string): string {
	return quietly(() => decodeURIComponent(part)) ?? part;
}
