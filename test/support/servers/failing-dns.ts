import dns from 'node:dns';
import { setImmediate } from 'node:timers';

type Done = (error: Error) => void;

/**
 * Makes all DNS lookups fail at once with ENOTFOUND, until `jest.restoreAllMocks()`.
 */
export function failDnsLookups(): void {
	const notFound = (name: string) =>
		Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
			code: 'ENOTFOUND',
			syscall: 'getaddrinfo',
			hostname: name,
		});
	const lookup = (name: string, ...rest: unknown[]) =>
		void setImmediate(() => (rest.at(-1) as Done)(notFound(name)));
	jest.spyOn(dns, 'lookup').mockImplementation(lookup as never);
	jest
		.spyOn(dns.promises, 'lookup')
		.mockImplementation(async (name: string) => await Promise.reject(notFound(name)));
}
