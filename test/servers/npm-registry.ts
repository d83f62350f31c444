/**
 * A local registry under the host name of npm's public one.
 *
 * n8n installs community packages from that address; another one needs a licence. So the test leaves n8n unchanged: n8n and
 * its npm get a proxy that redirects every connection here, and trust a certificate for that name. Requests are forwarded
 * to the registry behind it.
 */
import { X509Certificate } from 'node:crypto';

import { listen } from '../support/listening';
import { fs, http, https, net, path, process } from '../support/node';

const FIXTURES = path.join(process.cwd(), 'test', 'fixtures', 'tls');
const CERTIFICATE = path.join(FIXTURES, 'registry-cert.pem');
/** Host name of the certificate, which n8n connects to. */
const HOST = /CN=(\S+)/.exec(new X509Certificate(fs.readFileSync(CERTIFICATE)).subject)![1]!;

export interface PublicRegistry {
	/** Environment for a process that should use this registry. */
	readonly env: Record<string, string>;
	/** `METHOD path` of every request, in order. */
	readonly requests: readonly string[];
	stop(): Promise<void>;
}

/** @param registry address of the registry behind it, without a trailing slash */
export async function startPublicRegistry(registry: string): Promise<PublicRegistry> {
	const requests: string[] = [];
	const sockets = new Set<net.Socket>();
	const keep = (socket: net.Socket) => {
		sockets.add(socket);
		socket.on('error', () => socket.destroy());
		socket.on('close', () => sockets.delete(socket));
	};

	const key = fs.readFileSync(path.join(FIXTURES, 'registry-key.pem'));
	const front = https.createServer(
		{ key, cert: fs.readFileSync(CERTIFICATE) },
		(request, response) => {
			requests.push(`${request.method} ${decodeURIComponent((request.url ?? '/').split('?')[0]!)}`);
			handOn(registry, request, response);
		},
	);
	const frontPort = await listen(front);

	const proxy = http.createServer((_request, response) => response.writeHead(502).end());
	proxy.on('connect', (request: http.IncomingMessage, client: net.Socket) => {
		keep(client);
		if (request.url !== `${HOST}:443`) {
			client.end('HTTP/1.1 502 There is no Internet here\r\n\r\n');
			return;
		}
		const tunnel = net.connect(frontPort, '127.0.0.1', () => {
			client.write('HTTP/1.1 200 Connection established\r\n\r\n');
			tunnel.pipe(client);
			client.pipe(tunnel);
		});
		keep(tunnel);
	});
	const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`;

	return {
		env: {
			HTTPS_PROXY: proxyUrl,
			https_proxy: proxyUrl,
			HTTP_PROXY: proxyUrl,
			http_proxy: proxyUrl,
			NO_PROXY: '127.0.0.1,localhost',
			no_proxy: '127.0.0.1,localhost',
			NODE_EXTRA_CA_CERTS: CERTIFICATE,
		},
		requests,
		stop: async () => {
			const closed = [proxy, front].map(
				async (server) => await new Promise((resolve) => server.close(resolve)),
			);
			for (const socket of sockets) socket.destroy();
			await Promise.all(closed);
		},
	};
}

/**
 * Forwards a request. The registry builds the addresses of tarballs from `Host` and `X-Forwarded-Proto`.
 */
function handOn(
	registry: string,
	request: http.IncomingMessage,
	response: http.ServerResponse,
): void {
	const headers = {
		...request.headers,
		host: HOST,
		'x-forwarded-proto': 'https',
		connection: 'close',
	};
	// A separate agent: no idle connection keeps the registry from ending.
	const behind = http.request(
		`${registry}${request.url}`,
		{ method: request.method, headers, agent: false },
		(answer) => {
			response.writeHead(answer.statusCode ?? 502, answer.headers);
			answer.pipe(response);
			answer.on('error', () => response.destroy());
		},
	);
	behind.on('error', () => response.destroy());
	response.on('close', () => behind.destroy());
	request.pipe(behind);
}
