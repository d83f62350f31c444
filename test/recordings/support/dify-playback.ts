/**
 * A server that replays one recorded exchange with Dify. Repeated requests get the same response; other requests get a
 * run's record from recordings of the same set, or a response from a small table, or Dify's 404. So the results do not
 * depend on the number and order of the requests.
 */
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import type * as http from 'node:http';
import { setImmediate } from 'node:timers';
import { tableAnswer, UNKNOWN } from './dify-answers';
import type { TableAnswer } from './dify-answers';
import { stir } from './virtual-time';
import { eventsOf, isStream, jsonOf } from './dify-exchanges';
import type { DifyExchange } from './dify-exchanges';

export interface DifyPlayback {
	/** Base URL of the credential. */
	url: string;
	/** Number of requests that started a run. */
	starts(): number;
	/** Ends later responses after this number of bytes, by a disconnect or by silence. */
	cut(bytes: number, isFrozen?: boolean): void;
	/** Ends later streams by a disconnect after this number of events, pings included. */
	cutAfterEvents(events: number): void;
	close(): Promise<void>;
}

/** A request that starts a run. */
const STARTS_RUN =
	/^POST \/(?:chat-messages|completion-messages|workflows(?:\/[^/]+)?\/run|datasets\/[^/]+\/pipeline\/run)$/;
const RECORD = /^GET \/workflows\/run\/([^/]+)$/;
const SIGNED_FILE = /^GET \/files\/[^/]+\/(?:file-preview|image-preview)$/;
const RECORDED_ORIGIN = /http:(\\?\/)(?:\1)127\.0\.0\.1:(?:5001|15\d\d\d)/g;

/**
 * @param exchange exchange to replay
 * @param route endpoint of the replayed requests: method and path without IDs
 * @param siblings exchanges of the same set
 */
export async function startDifyPlayback(
	exchange: DifyExchange,
	route: { method: string; path: RegExp },
	siblings: readonly DifyExchange[],
): Promise<DifyPlayback> {
	let starts = 0;
	let disconnect: Cut | undefined;
	let origin = '';
	const answer: Answer = (request, response) => {
		const url = new URL(request.path, 'http://localhost');
		const path = url.pathname.replace(/^\/v1(?=\/)/, '');
		const requestRoute = `${request.method} ${path}`;
		if (STARTS_RUN.test(requestRoute)) starts += 1;
		if (request.method === route.method && route.path.test(path)) {
			play(exchange, url.searchParams, origin, response, disconnect);
			return;
		}
		if (SIGNED_FILE.test(requestRoute)) {
			response.setHeader('content-type', 'text/plain').end('file');
			return;
		}
		const other = otherAnswer(requestRoute, url, exchange, siblings);
		sendJson(response, withOrigin(JSON.stringify(other.json), origin), other.status);
	};
	const server = await startScripted(answer, {
		onArrival: (_incoming, response) => {
			stir();
			response.on('close', stir);
		},
	});
	origin = server.url;
	return {
		close: server.close,
		url: `${origin}/v1`,
		starts: () => starts,
		cut: (bytes, isFrozen = false) => {
			disconnect = { getEnd: () => bytes, isFrozen };
		},
		cutAfterEvents: (events) => {
			disconnect = { getEnd: (body) => findEventEnd(body, events), isFrozen: false };
		},
	};
}

function otherAnswer(
	asked: string,
	{ searchParams }: URL,
	exchange: DifyExchange,
	siblings: readonly DifyExchange[],
): TableAnswer {
	const [method = '', path = ''] = asked.split(' ');
	const messages = asked === 'GET /messages' ? messagesOf(searchParams, siblings) : undefined;
	if (messages !== undefined) return { status: 200, json: messages };
	const [, runId] = RECORD.exec(asked) ?? [];
	if (runId === undefined) return tableAnswer(method, path, exchange.app);
	const record = recordOf(runId, exchange, siblings);
	return record === undefined ? UNKNOWN : { status: 200, json: record };
}

/** The recorded messages of a conversation. */
function messagesOf(query: URLSearchParams, siblings: readonly DifyExchange[]): unknown {
	const id = query.get('conversation_id');
	const recorded = siblings.find(
		(sibling) => sibling.path === '/messages' && sibling.query.get('conversation_id') === id,
	);
	return recorded === undefined ? undefined : jsonOf(recorded);
}

interface Cut {
	/** Number of bytes that are sent. */
	getEnd: (body: Buffer) => number;
	isFrozen: boolean;
}

function findEventEnd(body: Buffer, events: number): number {
	let end = 0;
	for (let count = 0; count < events; count++) end = body.indexOf('\n\n', end) + 2;
	return end;
}

/** Replays the recording, or its first bytes. A list has one page. */
function play(
	exchange: DifyExchange,
	query: URLSearchParams,
	origin: string,
	response: http.ServerResponse,
	cut?: Cut,
): void {
	const { answer, ended } = exchange;
	const isText = answer.headers.some(([, value]) => /^(?:application\/json|text\/)/.test(value));
	const replaced = () => Buffer.from(withOrigin(answer.body.toString('utf8'), origin));
	const body = isText ? replaced() : answer.body;
	const later = isLaterPage(query) ? emptyPage(exchange) : undefined;
	const headers = answer.headers.filter(
		([name]) => !/^(?:content-length|transfer-encoding|connection)$/i.test(name),
	);
	response.writeHead(answer.status, Object.fromEntries(headers));
	if (later !== undefined) response.end(later);
	else if (ended === undefined && cut === undefined) response.end(body);
	else if (cut?.isFrozen === true) response.write(body.subarray(0, cut.getEnd(body)));
	// The client receives the bytes so far, then the connection is cut.
	else
		response.write(body.subarray(0, cut?.getEnd(body)), () =>
			setImmediate(() => response.destroy()),
		);
}

/** Addresses of the recorded Dify are those of the playback. */
function withOrigin(text: string, origin: string): string {
	return text.replace(RECORDED_ORIGIN, (_found, slash: string) => origin.replaceAll('/', slash));
}

function isLaterPage(query: URLSearchParams): boolean {
	const cursors = ['last_id', 'first_id', 'after_id'];
	return Number(query.get('page') ?? 1) > 1 || cursors.some((name) => query.has(name));
}

function emptyPage(exchange: DifyExchange): string | undefined {
	const list = jsonOf(exchange);
	const isList = typeof list === 'object' && list !== null && 'data' in list;
	return isList ? JSON.stringify({ ...list, data: [], has_more: false }) : undefined;
}

type Json = Record<string, unknown>;

const isEnded = ({ status }: Json) => status !== 'running' && status !== 'paused';

/** A run's record: the recorded one, otherwise one built from the end of a recorded stream. */
function recordOf(
	runId: string,
	exchange: DifyExchange,
	siblings: readonly DifyExchange[],
): Json | undefined {
	const records = siblings
		.filter(({ method, path }) => method === 'GET' && path === `/workflows/run/${runId}`)
		.map((sibling) => jsonOf(sibling) as Json | undefined)
		.filter((record) => record?.id === runId);
	return (
		records.find((record) => record !== undefined && isEnded(record)) ??
		endOf(runId, [exchange, ...siblings]) ??
		records[0]
	);
}

function endOf(runId: string, exchanges: readonly DifyExchange[]): Json | undefined {
	for (const exchange of exchanges) {
		if (!isStream(exchange)) continue;
		const end = eventsOf(exchange).find(
			(event) => event.event === 'workflow_finished' && event.workflow_run_id === runId,
		);
		if (end !== undefined) return recordFrom(end.data as Json);
	}
	return undefined;
}

function recordFrom(end: Json): Json {
	const { id, workflow_id, status, outputs, error } = end;
	const { elapsed_time, total_tokens, total_steps, created_at, finished_at } = end;
	return {
		id,
		workflow_id,
		status,
		inputs: '{}',
		outputs,
		error,
		total_steps,
		total_tokens,
		created_at,
		finished_at,
		elapsed_time,
	};
}
