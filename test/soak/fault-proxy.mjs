/** A proxy that fails on demand: requests that contain `[[reset]]` are reset, all others pass. */
import { createServer, request } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** @typedef {{ url: string, open: () => number, stop: () => void }} FaultProxy */

const PAGE = '<!doctype html><html><head><title>502 Bad Gateway</title></head><body></body></html>';
const ERROR =
	'{"error":{"code":500,"message":"The model has stopped working","type":"server_error"}}';
const CUT_AFTER_BYTES = 800;
const CUT_AFTER_MS = 20;
const SLOW_PIECE_MS = 60;

/** Sends the beginning of a response, then drops the connection.
 * @param {import('node:http').IncomingMessage} answer @param {import('node:http').ServerResponse} outgoing */
const cutOff = async (answer, outgoing) => {
	for await (const piece of answer) {
		outgoing.write(piece.subarray(0, CUT_AFTER_BYTES));
		// Lets the written data be sent first.
		await delay(CUT_AFTER_MS);
		break;
	}
	outgoing.destroy();
};

/** Sends one event at a time, as slowly as a large model.
 * @param {import('node:http').IncomingMessage} answer @param {import('node:http').ServerResponse} outgoing */
const writeSlowly = async (answer, outgoing) => {
	for (const event of (await text(answer)).split(/(?<=\n\n)/)) {
		await delay(SLOW_PIECE_MS);
		outgoing.write(event);
	}
	outgoing.end();
};

/**
 * @param {string} target URL of the upstream server
 * @returns {Promise<FaultProxy>}
 */
export const startFaultProxy = async (target) => {
	let open = 0;
	/**
	 * @param {import('node:http').IncomingMessage} incoming
	 * @param {import('node:http').ServerResponse} outgoing
	 */
	const pass = async (incoming, outgoing) => {
		const body = await buffer(incoming);
		const [, fault = ''] = /\[\[(\w+)\]\]/.exec(body.toString('utf8')) ?? [];
		if (fault === 'reset') return void incoming.socket.resetAndDestroy();
		if (fault === 'silence') return;
		if (fault === 'error')
			return void outgoing.writeHead(500, { 'content-type': 'application/json' }).end(ERROR);
		if (fault === 'html')
			return void outgoing.writeHead(502, { 'content-type': 'text/html' }).end(PAGE);
		const { method, url = '/', headers } = incoming;
		const behind = request(new URL(url, target), { method, headers }, (answer) => {
			outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
			if (fault === 'cut') cutOff(answer, outgoing).catch(() => outgoing.destroy());
			else if (fault === 'slow') writeSlowly(answer, outgoing).catch(() => outgoing.destroy());
			else answer.on('error', () => outgoing.destroy()).pipe(outgoing);
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
	await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return {
		url: `http://127.0.0.1:${port}`,
		open: () => open,
		stop: () => {
			server.closeAllConnections();
			server.close();
		},
	};
};
