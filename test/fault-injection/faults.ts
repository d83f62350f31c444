/** Faults of a connection, and the bytes that they send. */
import type { net } from '../support/node-builtins';
import { pause, send } from './fault-server';
import type { AnswerForm } from './fault-offsets';

export const FAULTS = [
	'refused',
	'reset',
	'silence',
	'pings',
	'slow',
	'garbage',
	'html',
	'500',
	'cut',
	'endless',
	'huge',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Point at which the fault occurs: the part that the client expects next. */
export type Place = 'handshake' | 'upload' | 'head' | 'body';

export interface Strike {
	socket: net.Socket;
	fault: Fault;
	place: Place;
	form: AnswerForm;
	/** The correct bytes, to send them slowly. */
	rest: Buffer;
	/** An event with content, which an endless body repeats. */
	again: Buffer;
	/** Request headers with secrets, which servers echo in errors. */
	echo: string;
}

const SLOW_MS = 150;
const PING_MS = 100;
/** 100 MB. */
export const HUGE_BYTES = 100 * 1024 * 1024;
const PIECE = Buffer.alloc(256 * 1024, 'x');

/** Bytes as one HTTP chunk. */
export function chunk(bytes: string | Buffer): Buffer {
	const body = Buffer.from(bytes as string);
	return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

export function randomBytes(length: number, random: () => number): Buffer {
	return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

const PAGE = (echo: string) =>
	`<!doctype html><html><head><title>Oops</title></head><body><h1>Something broke</h1><pre>${echo}</pre></body></html>\n`;

const errorJson = (form: AnswerForm, echo: string): string =>
	form === 'dify'
		? JSON.stringify({
				code: 'internal_server_error',
				message: `Worker lost. ${echo}`,
				status: 500,
			})
		: JSON.stringify({
				error: { code: 500, message: `Compute error. ${echo}`, type: 'server_error' },
			});

/** The error within a body with status 200. */
function errorInside(form: AnswerForm, echo: string): string {
	const json = errorJson(form, echo);
	if (form === 'sse') return `data: ${json}\n\n`;
	if (form === 'dify')
		return `data: ${JSON.stringify({ event: 'error', ...(JSON.parse(json) as object) })}\n\n`;
	return form === 'lines' ? `${JSON.stringify({ error: `Compute error. ${echo}` })}\n` : json;
}

const PINGS: Record<AnswerForm, string> = {
	sse: ':\n\n',
	dify: 'event: ping\n\n',
	lines: '\n',
	json: ' ',
	file: '',
};

/** Performs the fault. Resolves when it is done, or the client has disconnected. */
export async function strike(given: Strike): Promise<void> {
	const { socket, fault, place, form } = given;
	const write = async (bytes: string | Buffer) =>
		await send(socket, place === 'body' ? chunk(bytes) : bytes);
	switch (fault) {
		case 'refused':
		case 'silence':
			return;
		case 'reset':
			socket.resetAndDestroy();
			return;
		case 'cut':
			socket.end();
			return;
		case 'pings':
			while (await write(place === 'body' ? PINGS[form] : 'HTTP/1.1 102 Processing\r\n\r\n'))
				await pause(PING_MS);
			return;
		case 'slow':
			await slowly(given);
			return;
		case 'garbage': {
			const noise = randomBytes(2_000, randomFrom(7));
			await write(Buffer.concat([noise, Buffer.from(`\n${given.echo}\n`), noise]));
			break;
		}
		case 'html':
			await write(place === 'handshake' ? tlsWanted(PAGE(given.echo)) : PAGE(given.echo));
			break;
		case '500':
			await write(
				place === 'body' ? errorInside(form, given.echo) : whole500(errorJson(form, given.echo)),
			);
			break;
		case 'endless':
			await endlessly(given, write);
			return;
		case 'huge':
			await hugely(given, write);
			break;
	}
	if (place === 'body') await send(socket, '0\r\n\r\n');
	socket.end();
}

/** Sends the correct bytes one at a time, with headers that announce all of them. */
async function slowly({ socket, place, rest }: Strike): Promise<void> {
	if (place === 'upload') {
		// Reads a thousand bytes at a time.
		socket.pause();
		while (!socket.destroyed) {
			socket.read(1_000);
			await pause(SLOW_MS);
		}
		return;
	}
	const bytes = rest.length > 0 ? rest : Buffer.from('x');
	if (place === 'body') await send(socket, `${bytes.length.toString(16)}\r\n`);
	for (let at = 0; at < bytes.length; at += 1) {
		if (!(await send(socket, bytes.subarray(at, at + 1)))) return;
		await pause(SLOW_MS);
	}
}

async function endlessly(
	{ place, form, again }: Strike,
	write: (bytes: string | Buffer) => Promise<boolean>,
): Promise<void> {
	if (place !== 'body') {
		// Endless header lines, after the status line that a client waits for.
		let goes = await write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n');
		for (let at = 0; goes; at += 1) {
			goes = await write(`X-Line-${at}: ${'x'.repeat(1_000)}\r\n`);
			await pause(1);
		}
		return;
	}
	const piece = form === 'json' || form === 'file' ? PIECE : again;
	while (await write(piece)) await pause(5);
}

async function hugely(
	{ place, form }: Strike,
	write: (bytes: string | Buffer) => Promise<boolean>,
): Promise<void> {
	const beginning: Record<AnswerForm, string> = {
		sse: 'data: {"choices":[{"delta":{"content":"',
		dify: 'data: {"event":"message","answer":"',
		lines: '{"message":{"content":"',
		json: '{"text":"',
		file: '',
	};
	if (!(await write(place === 'body' ? beginning[form] : 'HTTP/1.1 200 OK\r\nX-Line: '))) return;
	for (let bytesSent = 0; bytesSent < HUGE_BYTES; bytesSent += PIECE.length)
		if (!(await write(PIECE))) return;
}

function whole500(body: string): string {
	return `HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

function tlsWanted(page: string): string {
	return `HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: ${Buffer.byteLength(page)}\r\n\r\n${page}`;
}
