/** A server that fulfils every request, and tells what it got. A test may have it react otherwise. */
import { startScripted } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';
import type * as http from 'node:http';
import { getGoodResponse, getUnfinishedResponse } from './good-responses';
import type { GoodResponse } from './good-responses';

export interface Received {
	/** The name of the address. */
	readonly name: string;
	/** Method and path below the address, with its query. */
	readonly line: string;
	readonly method: string;
	readonly headers: http.IncomingHttpHeaders;
	readonly text: string;
	/** When it arrived, in milliseconds of the clock of the test. */
	readonly at: number;
	/** Until it has ended. */
	isOpen: boolean;
	/** Of the good response. */
	readonly contentType: string;
}

/**
 * `hold`: no response until the client goes. `half`: only the beginning of the good response. `lost`: the connection is closed
 * without a response. `unfinished`: the work has not ended yet. A response as given; by default the good one.
 */
export type Reaction = 'hold' | 'half' | 'lost' | 'unfinished' | GoodResponse | undefined;

/** @param index number of the request at its address, from 0 */
export type React = (request: Received, index: number) => Reaction | Promise<Reaction>;

export interface GoodServer {
	/** A Base URL of its own for each name, since facts about servers are cached. */
	at(name: string): string;
	/** Requests to an address, in order of arrival. */
	to(name: string): Received[];
	/** All requests. */
	all(): Received[];
	/** Grows with each request that begins or ends. */
	activity(): number;
	close(): Promise<void>;
}

/** Starts on a free port of 127.0.0.1. */
export async function startGoodServer(
	react: React = (): Reaction => undefined,
): Promise<GoodServer> {
	const received: Received[] = [];
	let baseUrl = '';
	let activity = 0;
	const answer: Answer = ({ method, path, headers, text }, response) => {
		const [, name = '', target = ''] = /^\/([^/]*)(.*)$/.exec(path) ?? [];
		const at = performance.now();
		const line = `${method} ${target}`;
		const parts = { method, target, text, baseUrl: `${baseUrl}/${name}` };
		const good = getGoodResponse(parts);
		const contentType = String(good.headers['content-type']);
		const request: Received = {
			name,
			line,
			method,
			headers,
			text,
			at,
			isOpen: true,
			contentType,
		};
		const index = to(name).length;
		received.push(request);
		response.on('close', () => {
			activity += 1;
			request.isOpen = false;
		});
		void send(response, react(request, index), (isUnfinished) =>
			isUnfinished ? getUnfinishedResponse(parts) : good,
		);
	};
	const to = (name: string): Received[] => received.filter((request) => request.name === name);
	const { url, close } = await startScripted(answer, { onArrival: () => void (activity += 1) });
	baseUrl = url;
	return {
		at: (name) => `${url}/${toName(name)}`,
		to: (name) => to(toName(name)),
		all: () => received,
		activity: () => activity,
		close,
	};
}

const toName = (text: string): string => text.replace(/\W+/g, '-');

async function send(
	response: http.ServerResponse,
	reacting: Reaction | Promise<Reaction>,
	getResponse: (isUnfinished: boolean) => GoodResponse,
): Promise<void> {
	const reaction = await reacting;
	if (reaction === 'hold' || response.destroyed) return;
	if (reaction === 'lost') {
		response.destroy();
		return;
	}
	const isHalf = reaction === 'half';
	const {
		status = 200,
		headers,
		body,
	} = typeof reaction === 'object' ? reaction : getResponse(reaction === 'unfinished');
	response.writeHead(status, headers);
	if (isHalf) response.write(getHalf(body));
	else response.end(body);
}

/** Up to the first event, or the half of a response without events. */
function getHalf(body: string | Buffer): Buffer {
	const bytes = Buffer.from(body);
	const end = bytes.indexOf('\n\n');
	return bytes.subarray(0, end > 0 ? end + 2 : bytes.length / 2);
}
