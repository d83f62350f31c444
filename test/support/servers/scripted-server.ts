/** The scripted server of the tests. It does not import the package. */
import { pollUntil, withDeadline } from '../waiting/deadline';
import { startListening } from './listen';
import * as http from 'node:http';
import * as https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { testCertificate } from './tls';

export interface ScriptedRequest {
	readonly method: string;
	/** As sent, with its query. */
	readonly path: string;
	readonly headers: http.IncomingHttpHeaders;
	/** The body to the letter. */
	readonly text: string;
	/** The body as JSON; empty if it is not JSON. */
	readonly body: Record<string, unknown>;
	readonly bytes: Buffer;
	/** Of the body, also where `keepsBodies` is false. */
	readonly byteLength: number;
	/** Resolves when the client closed the connection before the answer was complete. */
	readonly cut: Promise<void>;
}

export type Answer = (request: ScriptedRequest, response: http.ServerResponse) => unknown;

/** `POST /v1/chat/completions` → its answers in turn, the last one again and again. */
export type Routes = Record<string, Answer | Answer[]>;

export interface ScriptedServer {
	readonly url: string;
	readonly port: number;
	/** In order of arrival. */
	readonly requests: ScriptedRequest[];
	/** Bodies of the requests whose path ends so. */
	sent(path: string): Array<Record<string, unknown>>;
	/** Resolves when so many requests to paths that end so have arrived. */
	arrived(path: string, count?: number): Promise<ScriptedRequest[]>;
	close(): Promise<void>;
}

export interface ServerOptions {
	/** Default 127.0.0.1. */
	host?: string;
	tls?: boolean;
	/** False for bodies too large for the memory: only their length is known. */
	keepsBodies?: boolean;
	/** Called when a request begins, before its body is read. */
	onArrival?(incoming: http.IncomingMessage, response: http.ServerResponse): void;
}

/** What llama-server says of a route that it does not have. */
const notFound: Answer = (_request, response) =>
	sendJson(
		response,
		{ error: { code: 404, message: 'File Not Found', type: 'not_found_error' } },
		404,
	);

export function sendJson(
	response: http.ServerResponse,
	body: unknown,
	status = 200,
	headers: Record<string, string> = {},
): void {
	response.writeHead(status, { 'content-type': 'application/json', ...headers });
	response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export const json =
	(body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
	(_request, response) =>
		sendJson(response, body, status, headers);

function bodyOf(text: string): Record<string, unknown> {
	try {
		return JSON.parse(text) as Record<string, unknown>;
	} catch {
		return {};
	}
}

/** Starts a server with one handler for all requests, or with routes; others are answered with 404. */
export async function startScripted(
	routes: Routes | Answer,
	{ host = '127.0.0.1', tls = false, keepsBodies = true, onArrival }: ServerOptions = {},
): Promise<ScriptedServer> {
	const requests: ScriptedRequest[] = [];
	const waiting = new Set<() => void>();
	const left = new Map(Object.entries(routes).map(([route, answers]) => [route, [answers].flat()]));
	const answerTo = (route: string): Answer => {
		if (typeof routes === 'function') return routes;
		const answers = left.get(route) ?? [];
		return (answers.length > 1 ? answers.shift() : answers[0]) ?? notFound;
	};
	const onRequest = (incoming: http.IncomingMessage, response: http.ServerResponse): void => {
		const pieces: Buffer[] = [];
		let byteLength = 0;
		onArrival?.(incoming, response);
		// The client has left.
		incoming.on('error', () => undefined);
		incoming.on('data', (piece: Buffer) => {
			byteLength += piece.byteLength;
			if (keepsBodies) pieces.push(piece);
		});
		incoming.on('end', () => {
			const { method = '', url = '', headers } = incoming;
			const bytes = Buffer.concat(pieces);
			const text = bytes.toString('utf8');
			const closedEarly = new Promise<void>((resolve) => {
				response.on('close', () => (response.writableFinished ? undefined : resolve()));
			});
			const data = { method, path: url, headers, text, body: bodyOf(text) };
			// Not enumerable, so not printed; and the time begins when a test waits for `cut`.
			const request = Object.defineProperties(data, {
				bytes: { value: bytes },
				byteLength: { value: byteLength },
				cut: {
					get: async () =>
						await withDeadline(closedEarly, () => `the client to close ${method} ${url}`),
				},
			}) as ScriptedRequest;
			requests.push(request);
			answerTo(`${method} ${url.split('?')[0]}`)(request, response);
			for (const look of waiting) look();
		});
	};
	const server = tls
		? https.createServer({ ...testCertificate() }, onRequest)
		: http.createServer(onRequest);
	const { port, close } = await startListening(server, { host });
	const to = (path: string) =>
		requests.filter((request) => request.path.split('?')[0]!.endsWith(path));
	return {
		url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
		port,
		requests,
		sent: (path) => to(path).map(({ body }) => body),
		arrived: async (path, count = 1) => {
			const arrival = new Promise<ScriptedRequest[]>((resolve) => {
				const look = () => {
					if (to(path).length < count) return;
					waiting.delete(look);
					resolve(to(path));
				};
				waiting.add(look);
				look();
			});
			return await withDeadline(arrival, () => `request ${count} to …${path}`);
		},
		close,
	};
}

/** Call at the top of a suite: servers that are closed after each test. */
export function useServers(): (
	routes: Routes | Answer,
	options?: ServerOptions,
) => Promise<ScriptedServer> {
	const running: ScriptedServer[] = [];
	afterEach(async () => {
		await Promise.all(running.splice(0).map(async (server) => await server.close()));
	});
	return async (routes, options) => {
		const server = await startScripted(routes, options);
		running.push(server);
		return server;
	};
}

/**
 * Polls until a condition holds for which there is no event.
 *
 * @param what - For the error. Default: the source of the condition.
 */
export async function until(isSo: () => boolean, what?: () => string): Promise<void> {
	// A process that only looks is never idle, and would wait for ever.
	await pollUntil(isSo, async () => await delay(1), what);
}
