/**
 * A forward proxy as strict as squid's default configuration: plain http in absolute form, CONNECT to given ports only.
 */
import { startListening } from '../support/servers/listen';
import type { Listening } from '../support/servers/listen';
import * as http from 'node:http';
import * as net from 'node:net';

export interface ProxyServer extends Listening {
	/** All requests, with their Proxy-Authorization header. */
	readonly log: Array<{ method: string; target: string; authorization: string | undefined }>;
	/** Connections made to the proxy so far. */
	readonly accepted: number;
}

export interface ProxyOptions {
	/** Ports to which CONNECT is allowed; squid's default is 443. */
	tunnelTo?: readonly number[];
	/** Required `user:password`. */
	user?: string;
}

export async function startProxy({
	tunnelTo = [443],
	user,
}: ProxyOptions = {}): Promise<ProxyServer> {
	const log: ProxyServer['log'] = [];
	let accepted = 0;
	const expectedAuth =
		user === undefined ? undefined : `Basic ${Buffer.from(user).toString('base64')}`;
	const note = ({ method = '', url = '', headers }: http.IncomingMessage) => {
		const authorization = headers['proxy-authorization'];
		log.push({ method, target: url, authorization });
		return expectedAuth === undefined || authorization === expectedAuth;
	};

	const server = http.createServer((incoming, outgoing) => {
		if (!note(incoming)) {
			outgoing.writeHead(407, { 'proxy-authenticate': 'Basic' }).end('who are you?');
			return;
		}
		const headers = { ...incoming.headers };
		delete headers['proxy-authorization'];
		const onward = http.request(
			incoming.url ?? '',
			{ method: incoming.method, headers, agent: false },
			(answer) => {
				outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
				answer.pipe(outgoing);
				outgoing.on('close', () => answer.destroy());
			},
		);
		onward.on('error', () => outgoing.writeHead(502).end('no way through'));
		outgoing.on('close', () => onward.destroy());
		incoming.pipe(onward);
	});
	server.on('connection', () => (accepted += 1));
	server.on('connect', (incoming: http.IncomingMessage, client: net.Socket) => {
		const allowed = note(incoming);
		const [host = '', port = ''] = (incoming.url ?? '').split(':');
		if (!allowed || !tunnelTo.includes(Number(port))) {
			client.end(
				`HTTP/1.1 ${allowed ? '403 Forbidden' : '407 Proxy Authentication Required'}\r\nContent-Length: 0\r\n\r\n`,
			);
			return;
		}
		const onward = net.connect(Number(port), host, () => {
			client.write('HTTP/1.1 200 Connection established\r\n\r\n');
			onward.pipe(client).pipe(onward);
		});
		for (const [one, other] of [
			[client, onward],
			[onward, client],
		] as const) {
			one.on('error', () => other.destroy());
			one.on('close', () => other.destroy());
		}
	});
	return {
		...(await startListening(server)),
		log,
		get accepted() {
			return accepted;
		},
	};
}
