/**
 * A proxy that fails on demand: a request whose text holds `[[chat:reset]]` is reset by the proxy named "chat",
 * `[[any:reset]]` by each, and all other requests pass.
 */
import { createServer, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { listenLocally } from '../lib/local-server.mjs';

/** @typedef {{ url: string, open: () => number, stop: () => void }} FaultProxy */

const PAGE =
	'<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>';
const CUT_AFTER_BYTES = 800;
const CUT_AFTER_MS = 20;
const SLOW_PIECE_MS = 60;

/** @param {import('node:http').IncomingMessage} incoming */
const bodyOf = async (incoming) => {
	/** @type {Buffer[]} */
	const pieces = [];
	for await (const piece of incoming) pieces.push(piece);
	return Buffer.concat(pieces);
};

/**
 * Sends the beginning of an answer, then drops the connection.
 *
 * @param {import('node:http').IncomingMessage} answer
 * @param {import('node:http').ServerResponse} outgoing
 */
const cutOff = async (answer, outgoing) => {
	for await (const piece of answer) {
		outgoing.write(piece.subarray(0, CUT_AFTER_BYTES));
		// Let the written data go out first.
		await delay(CUT_AFTER_MS);
		break;
	}
	outgoing.destroy();
};

/**
 * Sends one event after the other, as slowly as a large model.
 *
 * @param {string} text
 * @param {import('node:http').ServerResponse} outgoing
 */
const writeSlowly = async (text, outgoing) => {
	for (const event of text.split(/(?<=\n\n)/)) {
		await delay(SLOW_PIECE_MS);
		outgoing.write(event, 'latin1');
	}
};

/**
 * @param {string} name
 * @param {string} target address of the server behind it
 * @param {number} [port]
 * @returns {Promise<FaultProxy>}
 */
export const startFaultProxy = async (name, target, port = 0) => {
	const marker = new RegExp(`\\[\\[(?:any|${name}):(\\w+)\\]\\]`);
	let open = 0;

	/**
	 * @param {import('node:http').IncomingMessage} incoming
	 * @param {import('node:http').ServerResponse} outgoing
	 */
	const pass = async (incoming, outgoing) => {
		const body = await bodyOf(incoming);
		const fault = marker.exec(body.toString('utf8'))?.[1];
		if (fault === 'reset') return void incoming.socket.resetAndDestroy();
		if (fault === 'silence') return;
		if (fault === 'error') {
			outgoing.writeHead(500, { 'content-type': 'application/json' });
			return void outgoing.end(
				'{"error":{"code":500,"message":"The model has stopped working","type":"server_error"}}',
			);
		}
		if (fault === 'html') {
			outgoing.writeHead(502, { 'content-type': 'text/html' });
			return void outgoing.end(PAGE);
		}
		if (fault === 'garbage') {
			outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
			return void outgoing.end('data: {"choices":[{"del\n\ndata: \u0000\u0001\n\ndata: []\n\n');
		}
		const { method, url = '/', headers } = incoming;
		const behind = request(new URL(url, target), { method, headers }, (answer) => {
			const forward = async () => {
				outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
				if (fault === 'cut') return await cutOff(answer, outgoing);
				for await (const piece of answer) {
					if (fault !== 'slow') outgoing.write(piece);
					else await writeSlowly(piece.toString('latin1'), outgoing);
				}
				outgoing.end();
			};
			forward().catch(() => outgoing.destroy());
		});
		outgoing.once('close', () => behind.destroy());
		// Looks like a server that is down, although the proxy still listens.
		behind.once('error', () => incoming.socket.destroy());
		behind.end(body);
	};

	const server = createServer({ keepAliveTimeout: 5000 }, (incoming, outgoing) => {
		open += 1;
		outgoing.once('close', () => (open -= 1));
		outgoing.on('error', () => outgoing.destroy());
		pass(incoming, outgoing).catch(() => incoming.socket.destroy());
	});
	return { ...(await listenLocally(server, port)), open: () => open };
};
