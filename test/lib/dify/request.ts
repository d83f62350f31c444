import { delay, http, performance } from '../../support/node-builtins';
import { appKey, type DifySim } from '../../simulators/dify';
import type { DifyAppMode } from '../../../lib/dify/types';

export interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
	/** The body as JSON; undefined if it is not JSON. */
	json: Record<string, unknown>;
	/** The chunks of the body. */
	chunks: Buffer[];
	/** How the body ended: complete, broken off, or because the test stopped reading. */
	end: 'end' | 'broken' | 'left';
}

export interface Ask {
	/** Default: the key of the simulator's app of this mode. */
	mode?: DifyAppMode;
	key?: string;
	/** Null: no header. */
	authorization?: string | null;
	json?: unknown;
	raw?: string | Buffer;
	headers?: Record<string, string>;
	/** Stops reading as soon as the body so far satisfies this. */
	until?: (text: string) => boolean;
}

function parse(text: string): Record<string, unknown> {
	try {
		return JSON.parse(text) as Record<string, unknown>;
	} catch {
		return {};
	}
}

/** One request on its own connection, with nothing between the test and the bytes. */
export function ask(
	sim: DifySim,
	method: string,
	path: string,
	options: Ask = {},
): Promise<Answer> {
	const {
		mode = 'chat',
		key = appKey(mode),
		authorization = `Bearer ${key}`,
		json,
		until,
	} = options;
	const body = json === undefined ? options.raw : JSON.stringify(json);
	const headers: Record<string, string> = {
		...(authorization === null ? {} : { Authorization: authorization }),
		...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
		// Node sends the body of a DELETE without a length by default.
		...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
		...options.headers,
	};
	return new Promise((resolve, reject) => {
		let answered = false;
		const target = path.startsWith('http') ? path : `${sim.url}${path}`;
		const request = http.request(target, { method, headers, agent: false }, (response) => {
			answered = true;
			const chunks: Buffer[] = [];
			const done = (end: Answer['end']) => {
				const text = Buffer.concat(chunks).toString('utf8');
				const status = response.statusCode ?? 0;
				resolve({ status, headers: response.headers, text, json: parse(text), chunks, end });
			};
			response.on('data', (chunk: Buffer) => {
				chunks.push(chunk);
				if (until?.(Buffer.concat(chunks).toString('utf8')) !== true) return;
				done('left');
				request.destroy();
			});
			response.on('end', () => done('end'));
			response.on('error', () => done('broken'));
		});
		// A connection that breaks in a response is an error of request and response; the latter has more details.
		request.on('error', (error) => {
			if (!answered) reject(error);
		});
		request.end(body);
	});
}

/** A chat run as a stream. */
export async function chat(
	sim: DifySim,
	over: Record<string, unknown> = {},
	options: Ask = {},
): Promise<Answer> {
	const json = { query: 'hi', inputs: {}, user: 'u1', response_mode: 'streaming', ...over };
	return await ask(sim, 'POST', '/chat-messages', { json, ...options });
}

/** The JSON of all `data:` lines. */
export function eventsOf(text: string): Array<Record<string, unknown>> {
	const lines = text.split(/\r?\n/).filter((line) => line.startsWith('data: '));
	return lines.map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
}

export function namesOf(text: string): string[] {
	return eventsOf(text).map(({ event }) => String(event));
}

export interface FormFile {
	name: string;
	filename?: string;
	type?: string;
	content: string | Buffer;
}

/** A multipart body written by hand, so that a test can omit parts that a library would add. */
export function form(parts: FormFile[]): { raw: Buffer; headers: Record<string, string> } {
	const boundary = '----test-boundary';
	const pieces = parts.flatMap(({ name, filename, type, content }) => [
		Buffer.from(
			`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`,
		),
		Buffer.from(content),
		Buffer.from('\r\n'),
	]);
	return {
		raw: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
		headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
	};
}

/** Waits for something that happens inside the simulator. */
export async function waitFor(condition: () => boolean): Promise<void> {
	const latest = performance.now() + 30_000;
	while (!condition()) {
		if (performance.now() > latest)
			throw new Error(`Waited 30 s in vain for ${condition.toString()}`);
		await delay(2);
	}
}
