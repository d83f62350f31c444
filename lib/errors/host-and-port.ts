/** Host and port of a URL, as errors name them; the default port of its scheme. */
export function parseHostAndPort(url: string | undefined): { host?: string; port?: string } {
	if (url === undefined || !URL.canParse(url)) return {};
	const { hostname, port, protocol } = new URL(url);
	return { host: hostname, port: port || (protocol === 'https:' ? '443' : '80') };
}
