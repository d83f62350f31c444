/** n8n's egress filter, from `helpers.getSecureEgressFilter()` in n8n 2.30 and newer. */
export interface EgressFilter {
	validateUrl(url: string | URL): Promise<{ ok: boolean; error?: Error }>;
	createSecureLookup(): (
		hostname: string,
		options: object,
		done: (...args: never[]) => void,
	) => void;
	validateRedirectSync(url: string): void;
}

/** The addresses of a server, which `lib/servers` derives from what the user typed. */
export interface ServerAddress {
	/** What the user typed, unchanged. */
	typed: string;
	/** Scheme, host and port. The credential's headers are sent only there. */
	origin: string;
	/** Origin and path prefix, for routes outside the API, and for advice. */
	root: string;
	/** URL of the API. Part of the key of the credential's queue. */
	api: string;
}
