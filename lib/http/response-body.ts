/** Reads bodies: decompressed once, bounded, and no longer than more data is expected. */
import { setUnrefTimeout } from './timeouts';
import { JsonBrackets, parseJson } from '../json';

/** How long to wait for the end of a complete response: not every server closes it. */
const END_TIMEOUT_MS = 1_000;

const FORMATS: Readonly<Record<string, 'gzip' | 'deflate'>> = {
	gzip: 'gzip',
	'x-gzip': 'gzip',
	deflate: 'deflate',
};

/**
 * Removes one layer of compression: proxies compress although `accept-encoding: identity` was sent.
 */
export function decompress(
	body: AsyncIterable<Uint8Array>,
	encoding = '',
): AsyncIterable<Uint8Array> {
	const format = FORMATS[encoding.trim().toLowerCase()];
	if (format === undefined) return body;
	return ReadableStream.from(body).pipeThrough(
		new DecompressionStream(format),
	) as unknown as AsyncIterable<Uint8Array>;
}

/** Detects that a body is complete, although its connection may stay open. */
export interface EndDetector {
	/** Cheap: called for each chunk. */
	mayHaveEnded(): boolean;
	/** Called after one second without data. */
	hasEnded(): boolean;
}

/**
 * The chunks of a body, up to its end or the one that `endDetector` detects.
 *
 * @throws {BodyTooLargeError} if it exceeds `maxBytes`
 */
export async function* readChunks(
	body: AsyncIterable<Uint8Array>,
	maxBytes: number,
	endDetector?: EndDetector,
): AsyncGenerator<Uint8Array> {
	const source = body[Symbol.asyncIterator]();
	let size = 0;
	for (;;) {
		const next = source.next();
		const isPaused = endDetector?.mayHaveEnded() && (await raceWithPause(next)) === undefined;
		if (isPaused && endDetector?.hasEnded()) {
			// The caller closes the connection now, at which this read fails.
			next.catch(() => {});
			return;
		}
		const result = await next;
		if (result.done === true) return;
		size += result.value.byteLength;
		if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
		yield result.value;
	}
}

/** The next chunk; undefined if it takes longer than a second. */
async function raceWithPause<R>(next: Promise<R>): Promise<R | undefined> {
	let cancel = () => {};
	const pause = new Promise<undefined>((resolve) => {
		cancel = setUnrefTimeout(END_TIMEOUT_MS, () => resolve(undefined));
	});
	try {
		return await Promise.race([next, pause]);
	} finally {
		cancel();
	}
}

/** Collects a body as text. @throws {BodyTooLargeError} */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
	const decoder = new TextDecoder('utf-8');
	const buffered = new BufferedText();
	for await (const chunk of readChunks(body, maxBytes, buffered))
		buffered.add(decoder.decode(chunk, { stream: true }));
	return buffered.text + decoder.decode();
}

/** The text of a body that may be JSON, whose end is its closing bracket. */
export class BufferedText implements EndDetector {
	private readonly chunks: string[] = [];
	private readonly brackets = new JsonBrackets();
	private readCount = 0;
	private isClosed = false;
	/** Checked once, when the first bracket is closed: later text cannot make it JSON. */
	private isJson: boolean | undefined;

	get text(): string {
		return this.chunks.join('');
	}

	add(chunk: string): void {
		this.chunks.push(chunk);
	}

	mayHaveEnded(): boolean {
		const end = (this.chunks.at(-1) ?? '').trimEnd();
		return end.endsWith('}') || end.endsWith(']');
	}

	/** Reads the chunks since the last pause, and parses once: a body without an end may pause every second. */
	hasEnded(): boolean {
		while (!this.isClosed && this.readCount < this.chunks.length)
			this.isClosed = this.brackets.read(this.chunks[this.readCount++]!) !== undefined;
		return this.isClosed && (this.isJson ??= parseJson(this.text) !== undefined);
	}
}

/** A size limit as text. */
export function formatMegabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Concatenates all chunks. @throws {BodyTooLargeError} if they exceed `maxBytes` */
export async function readBuffer(
	chunks: AsyncIterable<Uint8Array>,
	maxBytes = Infinity,
): Promise<Buffer> {
	const buffers: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of chunks) {
		size += chunk.byteLength;
		if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
		buffers.push(chunk);
	}
	return Buffer.concat(buffers);
}

/** The body exceeds the limit. */
export class BodyTooLargeError extends Error {
	constructor(readonly maxBytes: number) {
		super(`more than ${formatMegabytes(maxBytes)}`);
		this.name = 'BodyTooLargeError';
	}
}

/** The text of one response exceeds the limit: content, reasoning and tool call arguments together. */
export class TooMuchTextError extends BodyTooLargeError {}

/** Characters. About 500,000 tokens, more than the context of most models. */
const MAX_TEXT_LENGTH = 2 * 1024 * 1024;

/** Counts the text of one response. */
export class TextCount {
	private length = 0;

	get isExceeded(): boolean {
		return this.length > MAX_TEXT_LENGTH;
	}

	/** @throws {TooMuchTextError} for more than 2 MB in total */
	add(length: number): void {
		this.length += length;
		if (this.isExceeded) throw new TooMuchTextError(MAX_TEXT_LENGTH);
	}
}
