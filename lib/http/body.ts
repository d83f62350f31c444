/** Reading of bodies: unpacked once, bounded, and not longer than there is something to come. */
import { afterMs } from './limits';
import { parseJson } from '../json';

/** How long an answer that is complete is waited for to end: not every server closes it. */
const TAIL_MS = 1_000;

const FORMATS: Readonly<Record<string, 'gzip' | 'deflate'>> = {
	gzip: 'gzip',
	'x-gzip': 'gzip',
	deflate: 'deflate',
};

/**
 * The body without its compression, of which one layer is undone: proxies compress although `accept-encoding: identity`
 * was sent.
 */
export function unpacked(
	body: AsyncIterable<Uint8Array>,
	encoding = '',
): AsyncIterable<Uint8Array> {
	const format = FORMATS[encoding.trim().toLowerCase()];
	if (format === undefined) return body;
	return ReadableStream.from(body).pipeThrough(
		new DecompressionStream(format),
	) as unknown as AsyncIterable<Uint8Array>;
}

/** Whether a body has said all it will, although its connection may stay open. */
export interface Ending {
	/** Cheap: asked for each piece. */
	mayBeOver(): boolean;
	/** Asked when nothing came for a second. */
	isOver(): boolean;
}

/**
 * The pieces of a body, up to its end or what `ending` takes for it.
 *
 * @throws {TooLongError} for more than `maxBytes`
 */
export async function* pieces(
	body: AsyncIterable<Uint8Array>,
	maxBytes: number,
	ending?: Ending,
): AsyncGenerator<Uint8Array> {
	const source = body[Symbol.asyncIterator]();
	let size = 0;
	for (;;) {
		const next = source.next();
		const isPaused = ending?.mayBeOver() && (await orPause(next)) === undefined;
		if (isPaused && ending?.isOver()) {
			// The caller closes the connection now, at which this read fails.
			next.catch(() => {});
			return;
		}
		const result = await next;
		if (result.done === true) return;
		size += result.value.byteLength;
		if (size > maxBytes) throw new TooLongError(maxBytes);
		yield result.value;
	}
}

/** The next piece; undefined if it takes longer than a second. */
async function orPause<R>(next: Promise<R>): Promise<R | undefined> {
	let disarm = () => {};
	const pause = new Promise<undefined>((resolve) => {
		disarm = afterMs(TAIL_MS, () => resolve(undefined));
	});
	try {
		return await Promise.race([next, pause]);
	} finally {
		disarm();
	}
}

/** Collects a body as text. @throws {TooLongError} */
export async function textOf(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
	const decoder = new TextDecoder('utf-8');
	const texts: string[] = [];
	const ending = {
		mayBeOver: () => /[}\]]\s*$/.test(texts.at(-1) ?? ''),
		isOver: () => parseJson(texts.join('')) !== undefined,
	};
	for await (const piece of pieces(body, maxBytes, ending))
		texts.push(decoder.decode(piece, { stream: true }));
	return texts.join('') + decoder.decode();
}

/** A bound in words. */
export function megabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Concatenates all pieces. @throws {TooLongError} for more than `maxBytes` */
export async function readWhole(
	pieces: AsyncIterable<Uint8Array>,
	maxBytes = Infinity,
): Promise<Buffer> {
	const read: Uint8Array[] = [];
	let size = 0;
	for await (const piece of pieces) {
		size += piece.byteLength;
		if (size > maxBytes) throw new TooLongError(maxBytes);
		read.push(piece);
	}
	return Buffer.concat(read);
}

/** A body with more bytes than is read of it. */
export class TooLongError extends Error {
	constructor(readonly maxBytes: number) {
		super(`more than ${megabytes(maxBytes)}`);
		this.name = 'TooLongError';
	}
}
