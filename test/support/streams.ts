/**
 * Recorded and generated streams as bytes, and ways to split them into chunks.
 *
 * The result of a client must not depend on where the network splits a stream: property tests split a fixture's body
 * with `anySplit` and expect the same result as in one chunk.
 */
import * as fc from 'fast-check';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const FIXTURES = path.join(process.cwd(), 'test', 'fixtures');

/** The bytes of a file below `test/fixtures/`: `fixture('llama-server-v0.5.0/chat-stream.http')`. */
export const fixture = (name: string): Buffer => fs.readFileSync(path.join(FIXTURES, name));

/** Files in a folder below `test/fixtures/`, as names for `fixture`. */
export const fixtureNames = (folder: string, ending = ''): string[] =>
	fs
		.readdirSync(path.join(FIXTURES, folder))
		.filter((name) => name.endsWith(ending))
		.sort()
		.map((name) => `${folder}/${name}`);

export interface HttpFixture {
	status: number;
	reason: string;
	/** In wire order. */
	headers: Array<[name: string, value: string]>;
	/** Without chunk framing. */
	body: Buffer;
	/** The HTTP chunks of the body; one entry if it was not chunked. */
	chunks: Buffer[];
}

/** Parses a raw HTTP response. */
export const parseHttp = (bytes: Buffer): HttpFixture => {
	const end = bytes.indexOf('\r\n\r\n');
	const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
	const [, status = '0', reason = ''] = /^HTTP\/1\.[01] (\d+) ?(.*)$/.exec(statusLine) ?? [];
	const headers = lines.map((line): [string, string] => {
		const colon = line.indexOf(':');
		return [line.slice(0, colon), line.slice(colon + 1).trim()];
	});
	const rest = bytes.subarray(end + 4);
	const chunked = headers.some(
		([name, value]) => /^transfer-encoding$/i.test(name) && value === 'chunked',
	);
	const chunks: Buffer[] = [];
	if (!chunked) chunks.push(rest);
	for (let at = 0; chunked; ) {
		const lineEnd = rest.indexOf('\r\n', at);
		const size = lineEnd < 0 ? 0 : Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
		if (size === 0) break;
		// A recording may end inside a chunk.
		chunks.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
		at = lineEnd + 2 + size + 2;
	}
	return { status: Number(status), reason, headers, body: Buffer.concat(chunks), chunks };
};

/** A recorded response, parsed. */
export const httpFixture = (name: string): HttpFixture => parseHttp(fixture(name));

/** The data of each event of a stream with one data line per event. */
export const sseData = (body: Buffer | string): string[] =>
	body
		.toString()
		.split('\n\n')
		.flatMap((block) => block.split('\n').filter((line) => line.startsWith('data: ')))
		.map((line) => line.slice('data: '.length));

/** The events of a stream as objects, without `[DONE]`. */
export const sseJson = <T = Record<string, unknown>>(body: Buffer | string): T[] =>
	sseData(body)
		.filter((data) => data !== '[DONE]')
		.map((data) => JSON.parse(data) as T);

/** An SSE stream of objects and texts: `wire([{ choices: [] }, '[DONE]'])`. */
export const toSseBytes = (events: ReadonlyArray<object | string>): Buffer =>
	Buffer.from(
		events
			.map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
			.join(''),
		'utf8',
	);

/** Cuts before these offsets. Invalid and repeated offsets are ignored, so no chunk is empty. */
export const splitBytes = (bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] => {
	const cuts = [...new Set(offsets)]
		.filter((at) => at > 0 && at < bytes.length)
		.sort((a, b) => a - b);
	return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index] ?? bytes.length));
};

/** One byte per chunk. */
export const oneBytePieces = (bytes: Uint8Array): Uint8Array[] =>
	splitBytes(
		bytes,
		Array.from(bytes, (_, at) => at),
	);

/** Every way to cut in two. */
export function* everyCutInTwo(bytes: Uint8Array): Generator<[Uint8Array, Uint8Array]> {
	for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Any way to split into any number of chunks. */
export const anySplit = (bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> =>
	fc
		.uniqueArray(fc.integer({ min: 1, max: Math.max(1, bytes.length - 1) }), { maxLength: 200 })
		.map((offsets) => splitBytes(bytes, offsets));

/** An incomplete stream: the offset where it ends, and the part before it in any chunks. */
export const anyCut = (bytes: Uint8Array): fc.Arbitrary<{ at: number; pieces: Uint8Array[] }> =>
	fc
		.integer({ min: 0, max: bytes.length })
		.chain((at) =>
			anySplit(bytes.subarray(0, at)).map((pieces) => ({ at, pieces: at === 0 ? [] : pieces })),
		);

/** Any merging of sequences that keeps the order within each, such as the deltas of parallel tool calls. */
export const anyInterleaving = <T>(
	...sequences: ReadonlyArray<readonly T[]>
): fc.Arbitrary<T[]> => {
	const turns = sequences.flatMap((sequence, index) => sequence.map(() => index));
	return fc.shuffledSubarray(turns, { minLength: turns.length }).map((order) => {
		const next = sequences.map(() => 0);
		return order.map((index) => {
			const item = sequences[index]![next[index]!]!;
			next[index]! += 1;
			return item;
		});
	});
};

/** The chunks as an async iterable, like a response body. */
export async function* asStream(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
	for (const piece of pieces) yield await Promise.resolve(piece);
}
