/** What the servers of a test have received, for the message of a test that waits in vain. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { performance } from 'node:perf_hooks';

interface Received {
	route: string;
	startedAt: number;
	/** Undefined while the response is open. */
	outcome?: string;
}

/** The last ones are the ones that matter. */
const MAX_LISTED = 12;

let received: Received[] = [];
/** Connections that no HTTP server reads. */
let rawConnections = 0;

/** Lists the requests to a server from now on. */
export function watchRequests(server: net.Server): void {
	server.on('connection', () => {
		if (server.listenerCount('request') < 2) rawConnections++;
	});
	server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
		const entry: Received = {
			route: `${request.method} ${request.url}`,
			startedAt: performance.now(),
		};
		received.push(entry);
		response.on('close', () => {
			entry.outcome = response.writableFinished
				? String(response.statusCode)
				: `${response.statusCode}, closed before its end`;
		});
	});
}

export function forgetRequests(): void {
	received = [];
	rawConnections = 0;
}

/** A sentence and a list of the requests. */
export function describeRequests(): string {
	const connections = rawConnections > 0 ? ` ${rawConnections} connections to other servers.` : '';
	if (received.length === 0) return `The servers of the test received no request.${connections}`;
	const now = performance.now();
	const lines = received.slice(-MAX_LISTED).map(({ route, startedAt, outcome }) => {
		const seconds = ((now - startedAt) / 1000).toFixed(1);
		return `  ${route}: ${outcome ?? `no complete response for ${seconds} s`}`;
	});
	const omitted = received.length - lines.length;
	const title = `The servers of the test received ${received.length} requests`;
	return [`${title}${omitted > 0 ? `, at last` : ''}:${connections}`, ...lines].join('\n');
}
