/** The body of an answer as a sequence of writes, and functions to split, join and compress it. */
import { zlib } from '../support/node-builtins';

/** One write of a body: llama-server sends each as one HTTP chunk. */
export type Write = Buffer | string;

/**
 * `number`: pieces of so many bytes. `number[]`: cuts at these offsets. `characters`: cuts inside every multi-byte
 * character. `seed`: random pieces of at most `max` bytes.
 */
export type Split = number | readonly number[] | 'characters' | { seed: number; max?: number };

const toBuffer = (write: Write): Buffer =>
	typeof write === 'string' ? Buffer.from(write, 'utf8') : write;

/** A seeded random generator (mulberry32), so that a failing split can be repeated. */
const randomFrom = (seed: number): (() => number) => {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
};

/** Returns a function that finds the cut offsets within the bytes that start at `base` of the body. */
export const splitter = (split: Split): ((bytes: Buffer, base: number) => number[]) => {
	if (typeof split === 'number') {
		return (bytes, base) => {
			const offsets: number[] = [];
			for (let at = split - (base % split); at < bytes.length; at += split) offsets.push(at);
			return offsets;
		};
	}
	if (split === 'characters') {
		return (bytes) => {
			const offsets: number[] = [];
			// Every continuation byte (10xxxxxx) starts a new piece.
			bytes.forEach((byte, at) => {
				if ((byte & 0xc0) === 0x80) offsets.push(at);
			});
			return offsets;
		};
	}
	if ('seed' in split) {
		const random = randomFrom(split.seed);
		const max = split.max ?? 40;
		return (bytes) => {
			const offsets: number[] = [];
			for (
				let at = 1 + Math.floor(random() * max);
				at < bytes.length;
				at += 1 + Math.floor(random() * max)
			) {
				offsets.push(at);
			}
			return offsets;
		};
	}
	const sorted = [...split].sort((a, b) => a - b);
	return (bytes, base) =>
		sorted.map((offset) => offset - base).filter((at) => at > 0 && at < bytes.length);
};

/** Finds the ends of events (empty lines) in any pieces. */
export class EventCounter {
	count = 0;
	private blank = true;
	private lastWasCr = false;

	/** Offsets in `bytes` right after each event that ends there. */
	ends(bytes: Buffer): number[] {
		const found: number[] = [];
		bytes.forEach((byte, at) => {
			if (byte === 0x0a && this.lastWasCr) {
				this.lastWasCr = false;
				if (found.at(-1) === at) found[found.length - 1] = at + 1;
				return;
			}
			this.lastWasCr = byte === 0x0d;
			if (byte !== 0x0a && byte !== 0x0d) {
				this.blank = false;
				return;
			}
			if (!this.blank) {
				this.blank = true;
				return;
			}
			this.count += 1;
			found.push(at + 1);
		});
		return found;
	}
}

/** A body as an async sequence of buffers. */
export async function* asWrites(
	body?: Write | Iterable<Write> | AsyncIterable<Write>,
): AsyncGenerator<Buffer> {
	if (body === undefined) return;
	if (typeof body === 'string' || Buffer.isBuffer(body)) {
		if (body.length > 0) yield toBuffer(body);
		return;
	}
	for await (const write of body) yield toBuffer(write);
}

/** Joins so many writes into one. */
export async function* joined(
	writes: AsyncIterable<Buffer>,
	count: number,
): AsyncGenerator<Buffer> {
	let batch: Buffer[] = [];
	for await (const write of writes) {
		batch.push(write);
		if (batch.length === count) {
			yield Buffer.concat(batch);
			batch = [];
		}
	}
	if (batch.length > 0) yield Buffer.concat(batch);
}

/** Compresses like a proxy that flushes after every write. */
export async function* zipped(writes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	const gzip = zlib.createGzip();
	const out: Buffer[] = [];
	gzip.on('data', (bytes: Buffer) => out.push(bytes));
	const take = (): Buffer => Buffer.concat(out.splice(0));
	for await (const write of writes) {
		gzip.write(write);
		await new Promise<void>((resolve) => {
			gzip.flush(() => resolve());
		});
		yield take();
	}
	const ended = new Promise<void>((resolve) => {
		gzip.once('end', () => resolve());
	});
	gzip.end();
	await ended;
	yield take();
}
