/** Correct responses to an operation: recorded once from a simulator, replayed any number of times. */
import { http } from '../support/node-builtins';
import { type FaultRequest, send, startFaultServer } from './fault-server';

/** One received response. */
export interface RecordedAnswer {
	status: number;
	reason: string;
	/** Without framing headers. */
	headers: Array<[name: string, value: string]>;
	body: Buffer;
}

/** Responses by method and path, in order. */
export type Recording = ReadonlyMap<string, readonly RecordedAnswer[]>;

/** Headers of the connection rather than the response. */
const FRAMING = /^(?:transfer-encoding|content-length|connection|keep-alive)$/i;

/**
 * Runs an operation against a server, and records the responses.
 *
 * @param upstream URL of the server, whose path is kept as prefix
 */
export async function record(
	upstream: string,
	run: (url: string) => Promise<unknown>,
): Promise<Recording> {
	const answers = new Map<string, RecordedAnswer[]>();
	const failures: unknown[] = [];
	const server = await startFaultServer({
		handle: async (request) => {
			try {
				await request.whole;
				const answer = await forward(new URL(upstream).origin, request);
				const key = `${request.method} ${request.path}`;
				answers.set(key, [...(answers.get(key) ?? []), answer]);
				await sendWhole(request, answer);
			} catch (error) {
				// The client must not wait for a response that never arrives.
				failures.push(error);
				request.socket.destroy();
			}
		},
	});
	try {
		await run(`${server.url}${new URL(upstream).pathname.replace(/\/$/, '')}`);
	} finally {
		await server.close();
	}
	if (failures.length > 0) throw failures[0];
	return answers;
}

async function forward(origin: string, request: FaultRequest): Promise<RecordedAnswer> {
	return await new Promise((resolve, reject) => {
		const outgoing = http.request(
			`${origin}${request.target}`,
			{
				method: request.method,
				headers: { ...request.headers, host: new URL(origin).host },
				agent: false,
			},
			(response) => {
				const pieces: Buffer[] = [];
				response.on('data', (piece: Buffer) => pieces.push(piece));
				response.on('error', reject);
				response.on('end', () => {
					const { rawHeaders } = response;
					const headers = rawHeaders.flatMap(
						(name, at): Array<[string, string]> =>
							at % 2 === 0 && !FRAMING.test(name) ? [[name, rawHeaders[at + 1]!]] : [],
					);
					resolve({
						status: response.statusCode ?? 0,
						reason: response.statusMessage ?? '',
						headers,
						body: Buffer.concat(pieces),
					});
				});
			},
		);
		outgoing.on('error', reject);
		outgoing.end(unchunked(request));
	});
}

/** The body of a request. Node's client frames it again. */
function unchunked(request: FaultRequest): Buffer {
	const bytes = request.body();
	if (!/chunked/i.test(request.headers['transfer-encoding'] ?? '')) return bytes;
	const parts: Buffer[] = [];
	for (let at = 0; ; ) {
		const lineEnd = bytes.indexOf('\r\n', at);
		const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
		if (!(size > 0)) return Buffer.concat(parts);
		parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
		at = lineEnd + 2 + size + 2;
	}
}

/** The head of a response, up to the empty line. */
export function headOf(
	{ status, reason, headers }: Omit<RecordedAnswer, 'body'>,
	framing: string,
): string {
	return `HTTP/1.1 ${status} ${reason}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}${framing}\r\n\r\n`;
}

/** The recorded response, unchanged. */
export async function sendWhole(request: FaultRequest, answer: RecordedAnswer): Promise<void> {
	const hasBody = answer.status !== 204 && answer.status !== 304;
	const head = headOf(
		answer,
		hasBody ? `Content-Length: ${answer.body.length}` : 'Connection: keep-alive',
	);
	await send(
		request.socket,
		Buffer.concat([Buffer.from(head), hasBody ? answer.body : Buffer.alloc(0)]),
	);
	request.answered();
}

/** The recorded response to a request; undefined if there is none. */
export function answerTo(recording: Recording, request: FaultRequest): RecordedAnswer | undefined {
	const answers = recording.get(`${request.method} ${request.path}`);
	return answers?.[Math.min(request.index, answers.length - 1)];
}

export const NOT_FOUND: RecordedAnswer = {
	status: 404,
	reason: 'Not Found',
	headers: [['Content-Type', 'application/json']],
	body: Buffer.from('{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'),
};
