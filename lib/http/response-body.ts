/** Reads bodies: bounded, no longer than more data is expected, and as events if they are streams. */
import { yieldToEventLoop } from './yield-to-event-loop';
import { setUnrefTimeout } from './timeouts';
import { JsonMemory, MAX_JSON_MEMORY } from '../json-memory';
import type { ResponseLimits } from '../task-limits';
import { parseJson } from '../values/json';
import { JsonBrackets } from '../values/json-brackets';
import { MAX_RECEIVED_LENGTH, BodyTooLargeError, TooManyValuesError } from './body-limits';

/** How long to wait for the end of a complete response: not every server closes it. */
const END_TIMEOUT_MS = 1_000;

/** How long readers of chunks work until n8n does its other work. */
const MAX_WORK_MS = 20;

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
 * @throws a `BodyTooLargeError` if it exceeds `maxBytes`.
 */
export async function* readChunks(
	body: AsyncIterable<Uint8Array>,
	maxBytes: number,
	endDetector?: EndDetector,
): AsyncGenerator<Uint8Array> {
	const chunks = body[Symbol.asyncIterator]();
	let length = 0;
	let workMs = 0;
	for (;;) {
		const next = chunks.next();
		const isPaused = endDetector?.mayHaveEnded() && (await raceWithPause(next)) === undefined;
		if (isPaused && endDetector?.hasEnded()) {
			// The caller closes the connection now, at which this read fails.
			next.catch(() => {});
			return;
		}
		const { done, value: chunk } = await next;
		if (done === true) return;
		length += chunk.byteLength;
		if (length > maxBytes) throw new BodyTooLargeError(maxBytes);
		const startedAt = performance.now();
		yield chunk;
		workMs += performance.now() - startedAt;
		// Chunks that have arrived follow each other without a pause, however long their readers work.
		if (workMs > MAX_WORK_MS) {
			await yieldToEventLoop();
			workMs = 0;
		}
	}
}

/** The next chunk; undefined if it takes longer than a second. */
async function raceWithPause<R>(next: Promise<R>) {
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

/** Who watches a body that is read as text. */
interface TextObserver {
	/** Called with what arrived if the body breaks off. */
	onBroken?(received: string): void;
	/** Called with each chunk. */
	onChunk?(chunk: Uint8Array): void;
}

/**
 * Collects a body as text.
 *
 * @throws a `BodyTooLargeError`, with the beginning of the body
 */
export async function readText(
	body: AsyncIterable<Uint8Array>,
	{ bytes, parsedBytes }: Pick<ResponseLimits, 'bytes' | 'parsedBytes'>,
	{ onBroken, onChunk }: TextObserver = {},
): Promise<string> {
	const decoder = new TextDecoder();
	const buffered = new BufferedText(parsedBytes);
	try {
		for await (const chunk of readChunks(body, bytes, buffered)) {
			onChunk?.(chunk);
			buffered.add(decoder.decode(chunk, { stream: true }));
		}
	} catch (error) {
		if (!(error instanceof BodyTooLargeError)) onBroken?.(buffered.text);
		throw error instanceof BodyTooLargeError ? error.withReceived(buffered.start) : error;
	}
	return buffered.text + decoder.decode();
}

/** Chunks that are joined when there are this many: a server may send a megabyte in parts of one byte. */
const MAX_PENDING = 1_024;

/** A text that arrives in chunks of any size. */
export class TextChunks {
	private chunks: string[] = [];
	private parts: string[] = [];

	get text(): string {
		return this.chunks.join('') + this.parts.join('');
	}

	/** The first chunk. */
	get start(): string {
		return this.chunks[0] ?? this.parts.join('');
	}

	/** The last chunk. */
	get last(): string {
		return this.parts.at(-1) ?? this.chunks.at(-1) ?? '';
	}

	/** The text, which is then no longer kept. */
	take(): string {
		const { text } = this;
		this.clear();
		return text;
	}

	/** Forgets all of it. Of most chunks of a stream, nothing is kept: then nothing is created either. */
	clear(): void {
		if (this.chunks.length > 0) this.chunks = [];
		if (this.parts.length > 0) this.parts = [];
	}

	add(chunk: string): void {
		if (chunk === '') return;
		this.parts.push(chunk);
		if (this.parts.length < MAX_PENDING) return;
		this.chunks.push(this.parts.join(''));
		this.parts = [];
	}
}

/** The text of a body that may be JSON, whose end is its closing bracket. */
export class BufferedText implements EndDetector {
	private readonly chunks = new TextChunks();
	private readonly brackets = new JsonBrackets();
	private readonly memory = new JsonMemory();
	private isClosed = false;
	/** Checked once, when the first bracket is closed: later text cannot make it JSON. */
	private isJson: boolean | undefined;
	/** Whether the first character is that of JSON; undefined before there is one. */
	private mayBeJson: boolean | undefined;

	/** @param maxMemory - Bytes that its values may take if it is JSON, by `JsonMemory`. */
	constructor(private readonly maxMemory = MAX_JSON_MEMORY) {}

	get text(): string {
		return this.chunks.text;
	}

	get start(): string {
		return this.chunks.start.slice(0, MAX_RECEIVED_LENGTH);
	}

	/**
	 * @returns what of the chunk is after the closing bracket; empty before it
	 * @throws a `TooManyValuesError`
	 */
	add(chunk: string): string {
		this.chunks.add(chunk);
		this.mayBeJson ??= this.findStart(chunk);
		if (!this.mayBeJson) return '';
		const end = this.isClosed ? 0 : this.brackets.read(chunk);
		this.isClosed ||= end !== undefined;
		this.memory.add(chunk);
		if (this.memory.bytes > this.maxMemory) throw new TooManyValuesError(this.maxMemory);
		return end === undefined ? '' : chunk.slice(end);
	}

	mayHaveEnded(): boolean {
		const end = this.chunks.last.trimEnd();
		return end.endsWith('}') || end.endsWith(']');
	}

	/** Parses once: a body without an end may pause every second. */
	hasEnded(): boolean {
		return this.isClosed && (this.isJson ??= parseJson(this.text, this.maxMemory) !== undefined);
	}

	private findStart(chunk: string): boolean | undefined {
		const start = chunk.replace(/^[\s\uFEFF]+/, '').charAt(0);
		return start === '' ? undefined : start === '{' || start === '[';
	}
}

/** Smaller chunks are copied together: each would keep an object, and the memory of the packet that it came in. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Concatenates all chunks.
 *
 * @throws a `BodyTooLargeError` if they exceed `maxBytes`.
 */
export async function readBuffer(
	chunks: AsyncIterable<Uint8Array>,
	maxBytes: number = Infinity,
): Promise<Buffer> {
	const blocks: Uint8Array[] = [];
	let block = Buffer.alloc(0);
	let length = 0;
	const endBlock = () => {
		if (length > 0) blocks.push(block.subarray(0, length));
		length = 0;
	};
	for await (const chunk of readChunks(chunks, maxBytes)) {
		if (length + chunk.byteLength > block.byteLength) {
			endBlock();
			block = Buffer.allocUnsafe(BLOCK_BYTES);
		}
		if (chunk.byteLength > BLOCK_BYTES) blocks.push(chunk);
		else {
			block.set(chunk, length);
			length += chunk.byteLength;
		}
	}
	endBlock();
	return Buffer.concat(blocks);
}
