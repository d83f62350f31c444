import { listen } from '../support/listen';
import * as http from 'node:http';
import type * as net from 'node:net';
import { parseObject } from '../../lib/values';

/** One request to a scripted server. */
export interface ScriptedRequest {
	method: string;
	path: string;
	headers: http.IncomingHttpHeaders;
	body: Record<string, unknown>;
}

export interface ScriptedServer {
	url: string;
	/** In order of arrival. */
	requests: ScriptedRequest[];
	close(): Promise<void>;
}

export type Script = (request: ScriptedRequest, response: http.ServerResponse) => void;

/** Starts a server whose answers a test writes itself. */
export async function startScripted(script: Script): Promise<ScriptedServer> {
	const requests: ScriptedRequest[] = [];
	const sockets = new Set<net.Socket>();
	const server = http.createServer((incoming, response) => {
		let text = '';
		incoming.setEncoding('utf8');
		incoming.on('data', (piece: string) => (text += piece));
		incoming.on('end', () => {
			const { method = '', url = '', headers } = incoming;
			const request = { method, path: url, headers, body: parseObject(text) ?? {} };
			requests.push(request);
			script(request, response);
		});
	});
	server.on('connection', (socket) => sockets.add(socket));
	const port = await listen(server);
	return {
		url: `http://127.0.0.1:${port}`,
		requests,
		close: async () => {
			for (const socket of sockets) socket.destroy();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

const EVENTS = { 'content-type': 'text/event-stream' };

/** Chat chunks as an event stream, with `[DONE]`. */
export const sse = (...events: Array<object | string>) =>
	events
		.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
		.join('');

export const delta = (of: object, finish: string | null = null) => ({
	id: 'c',
	object: 'chat.completion.chunk',
	choices: [{ index: 0, delta: of, finish_reason: finish }],
});

/** A complete chat stream. */
export const good = (text: string) =>
	sse(
		delta({ role: 'assistant', content: '' }),
		delta({ content: text }),
		delta({}, 'stop'),
		'[DONE]',
	);

export function events(response: http.ServerResponse, body: string): void {
	response.writeHead(200, EVENTS);
	response.end(body);
}

export function json(
	response: http.ServerResponse,
	body: unknown,
	status = 200,
	headers: Record<string, string> = {},
): void {
	response.writeHead(status, { 'content-type': 'application/json', ...headers });
	response.end(JSON.stringify(body));
}
