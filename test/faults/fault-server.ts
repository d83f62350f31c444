/** A server that fails in ten ways. It knows no API: the responses are written by hand. */
import { startScripted } from '../support/servers/scripted-server';
import * as http from 'node:http';
import timers from 'node:timers';
import { FIRST_WORDS, LAST_WORDS } from './good-responses';

export type Fault =
	| 'refused'
	| 'closed'
	| 'cut'
	| 'frozen'
	| '401'
	| '404'
	| '429'
	| '503'
	| 'garbage'
	| 'slow';

export interface FaultServer {
	/** An address at which every request gets the fault. `name` makes it unique, since facts about servers are cached. */
	at(fault: Fault, name: string): string;
	/** Requests to an address, as method and path. */
	requestsTo(address: string): string[];
	/** Requests that have no complete response, and whose client is connected. */
	open(): number;
	/** Grows with each request that begins or ends. */
	activity(): number;
	close(): Promise<void>;
}

type Json = Record<string, unknown>;

const EVENTS = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

const toEvents = (...events: Json[]): string =>
	events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
const chatChunk = (delta: Json, finish: string | null = null): Json => ({
	object: 'chat.completion.chunk',
	model: 'a-model',
	choices: [{ index: 0, delta, text: delta.content, finish_reason: finish }],
});

const IDS = { task_id: 't', message_id: 'm', conversation_id: 'c' };
const RUN = { task_id: 't', workflow_run_id: 'r' };

const MODEL_EVENTS = `${toEvents(
	chatChunk({ role: 'assistant', content: FIRST_WORDS }),
	chatChunk({ content: LAST_WORDS }),
	chatChunk({}, 'stop'),
)}data: [DONE]\n\n`;
const DIFY_MESSAGE = toEvents(
	{ event: 'message', ...IDS, answer: FIRST_WORDS },
	{ event: 'message', ...IDS, answer: LAST_WORDS },
	{ event: 'message_end', ...IDS, metadata: {} },
);
const DIFY_WORKFLOW = toEvents(
	{ event: 'workflow_started', ...RUN, data: { id: 'r' } },
	{ event: 'text_chunk', ...RUN, data: { text: FIRST_WORDS } },
	{ event: 'workflow_finished', ...RUN, data: { id: 'r', status: 'succeeded', outputs: {} } },
);

/** Good responses, by the end of the path. */
const GOOD: ReadonlyArray<[path: RegExp, headers: Json, body: string]> = [
	[/\/(?:chat\/)?completions$/, EVENTS, MODEL_EVENTS],
	[/\/(?:chat|completion)-messages$/, EVENTS, DIFY_MESSAGE],
	[/\/workflows\/.*run$/, EVENTS, DIFY_WORKFLOW],
	[/\/embeddings$/, JSON_TYPE, JSON.stringify({ data: [{ index: 0, embedding: [0.6, 0.8] }] })],
	[/\/rerank$/, JSON_TYPE, JSON.stringify({ results: [{ index: 0, relevance_score: 0.5 }] })],
	[/./, JSON_TYPE, JSON.stringify({ data: [], has_more: false, limit: 20, total: 0, page: 1 })],
];

const SLOW_MS = 1_000;
/** Short, so that the retries of a request end before its timeout. */
const CUT_MS = 100;
const NOISE = Buffer.from(Array.from({ length: 2_000 }, (_, at) => (at * 167 + 13) % 256));

/** A port on which nothing listens. */
const CLOSED = 'http://127.0.0.1:9';

/** The secrets of a request in the forms in which servers and proxies repeat them. */
function echoOf({ headers }: http.IncomingMessage): string {
	const secrets = [headers.authorization?.replace(/^\S+ /, ''), headers['x-proxy-token']];
	return secrets
		.filter((secret) => secret !== undefined)
		.flatMap((secret) => [
			String(secret),
			encodeURIComponent(String(secret)),
			JSON.stringify(secret),
		])
		.join(' | ');
}

/** Dify's codes. */
const CODES: Readonly<Record<number, string>> = {
	401: 'unauthorized',
	404: 'not_found',
	429: 'too_many_requests',
};

const errorBody = (message: string, status: number): string =>
	JSON.stringify({
		error: { message, code: status, type: 'invalid_request_error' },
		code: CODES[status],
		message,
		status,
	});

function sendError(response: http.ServerResponse, status: number, echo: string): void {
	response.writeHead(status, { ...JSON_TYPE, 'x-request-id': encodeURIComponent(echo) });
	response.end(errorBody(`${http.STATUS_CODES[status]}: ${echo}`, status));
}

const PAGE = (echo: string) =>
	`<html><head><title>503 Service Temporarily Unavailable</title></head><body><center>nginx</center>${echo}</body></html>`;

function beginHalf(response: http.ServerResponse, path: string): void {
	const [, headers, body] = GOOD.find(([pattern]) => pattern.test(path))!;
	response.writeHead(200, headers as http.OutgoingHttpHeaders);
	// After the first event, if there are several.
	const end = body.indexOf('\n\n', body.indexOf(FIRST_WORDS)) + 2;
	response.write(body.slice(0, end > 1 ? end : body.length / 2));
}

async function sendSlowly(response: http.ServerResponse, path: string): Promise<void> {
	const [, headers, body] = GOOD.find(([pattern]) => pattern.test(path))!;
	response.writeHead(200, headers as http.OutgoingHttpHeaders);
	const pieces = body.match(/[^]{1,40}/g) ?? [];
	for (const piece of pieces) {
		if (response.destroyed) return;
		response.write(piece);
		await new Promise<void>((resolve) => {
			timers.setTimeout(resolve, SLOW_MS);
		});
	}
	response.end();
}

function strike(fault: string, request: http.IncomingMessage, response: http.ServerResponse): void {
	const path = (request.url ?? '').split('?')[0]!;
	const echo = echoOf(request);
	switch (fault) {
		case 'closed':
			request.socket.destroy();
			return;
		case 'cut':
			beginHalf(response, path);
			// Let the client read it: a broken connection may discard pending data.
			timers.setTimeout(() => request.socket.destroy(), CUT_MS);
			return;
		case 'frozen':
			beginHalf(response, path);
			return;
		case '503':
			response.writeHead(503, { 'content-type': 'text/html' });
			response.end(PAGE(echo));
			return;
		case 'garbage':
			response.writeHead(200, JSON_TYPE);
			response.end(Buffer.concat([NOISE, Buffer.from(`\n${echo}\n`), NOISE]));
			return;
		case 'slow':
			void sendSlowly(response, path);
			return;
		default:
			sendError(response, Number(fault), echo);
	}
}

/** Starts on a free port of 127.0.0.1. */
export async function startFaultServer(): Promise<FaultServer> {
	const requests: string[] = [];
	const open = new Set<http.ServerResponse>();
	let activity = 0;
	const onArrival = (request: http.IncomingMessage, response: http.ServerResponse): void => {
		const target = request.url ?? '';
		requests.push(`${target.split('/').slice(1, 3).join('/')} ${request.method} ${target}`);
		activity += 1;
		open.add(response);
		response.on('close', () => {
			activity += 1;
			open.delete(response);
		});
	};
	const { url, close } = await startScripted(
		(request, response) => strike(request.path.split('/')[1]!, response.req, response),
		{ onArrival },
	);
	return {
		at: (fault, name) =>
			`${fault === 'refused' ? CLOSED : url}/${fault}/${name.replace(/\W+/g, '-')}`,
		requestsTo: (address) => {
			const prefix = `${new URL(address).pathname.slice(1)} `;
			return requests
				.filter((request) => request.startsWith(prefix))
				.map((request) => request.slice(prefix.length));
		},
		open: () => open.size,
		activity: () => activity,
		close,
	};
}
