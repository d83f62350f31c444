/** Reads bodies: decompressed once, bounded, no longer than more data is expected, and as events if they are streams. */
import { setUnrefTimeout } from './timeouts';
import { JsonMemory, MAX_JSON_MEMORY } from '../json-memory';
import { parseJson } from '../values/json';
import { JsonBrackets } from '../values/json-brackets';
import type { EventSourceMessage, ParseError } from '../vendor';
import { createParser } from '../vendor';

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
): AsyncIterable<Uint8Array<ArrayBufferLike>> {
	const format = FORMATS[encoding.trim().toLowerCase()];
	if (format === undefined) return body;
	return ReadableStream.from(body).pipeThrough(
		new DecompressionStream(format),
	) as unknown as AsyncIterable<Uint8Array>;
}

/** Detects that a body is complete, although its connection may stay open. */
interface EndDetector {
	/** Cheap: called for each chunk. */
	mayHaveEnded(): boolean;
	/** Called after one second without data. */
	hasEnded(): boolean;
}

/**
 * The chunks of a body, up to its end or the one that `endDetector` detects.
 *
 * Throws a `BodyTooLargeError` if it exceeds `maxBytes`.
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

/** What a body may have. */
export interface BodyLimits {
	/** Bytes, after decompression. */
	maxBytes: number;
	/** Memory of its values if it is JSON, by `JsonMemory`. */
	maxMemory?: number;
}

/**
 * Collects a body as text.
 *
 * @throws BodyTooLargeError, with the beginning of the body
 */
export async function readText(
	body: AsyncIterable<Uint8Array>,
	{ maxBytes, maxMemory = MAX_JSON_MEMORY }: BodyLimits,
): Promise<string> {
	const decoder = new TextDecoder();
	const buffered = new BufferedText(maxMemory);
	try {
		for await (const chunk of readChunks(body, maxBytes, buffered))
			buffered.add(decoder.decode(chunk, { stream: true }));
	} catch (error) {
		throw error instanceof BodyTooLargeError ? error.withReceived(buffered.start) : error;
	}
	return buffered.text + decoder.decode();
}

/** Chunks that are joined when there are this many: a server may send a megabyte in parts of one byte. */
const MAX_PENDING = 1_024;

/** A text that arrives in chunks of any size. */
class TextChunks {
	private readonly chunks: string[] = [];
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

	add(chunk: string): void {
		this.parts.push(chunk);
		if (this.parts.length < MAX_PENDING) return;
		this.chunks.push(this.parts.join(''));
		this.parts = [];
	}
}

/** The text of a body that may be JSON, whose end is its closing bracket. */
class BufferedText implements EndDetector {
	private readonly chunks = new TextChunks();
	private readonly brackets = new JsonBrackets();
	private readonly memory = new JsonMemory();
	private isClosed = false;
	/** Checked once, when the first bracket is closed: later text cannot make it JSON. */
	private isJson: boolean | undefined;
	/** Whether the first character is that of JSON; undefined before there is one. */
	private mayBeJson: boolean | undefined;

	constructor(private readonly maxMemory = MAX_JSON_MEMORY) {}

	get text(): string {
		return this.chunks.text;
	}

	get start(): string {
		return this.chunks.start.slice(0, MAX_RECEIVED_LENGTH);
	}

	/** @throws TooManyValuesError */
	add(chunk: string): void {
		this.chunks.add(chunk);
		this.mayBeJson ??= this.findStart(chunk);
		if (!this.mayBeJson) return;
		this.isClosed ||= this.brackets.read(chunk) !== undefined;
		this.memory.add(chunk);
		if (this.memory.bytes > this.maxMemory) throw new TooManyValuesError(this.maxMemory);
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

/** A size limit as text. */
export function formatMegabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Smaller chunks are copied together: each would keep an object, and the memory of the packet that it came in. */
const BLOCK_BYTES = 64 * 1024;

/** Concatenates all chunks. Throws a `BodyTooLargeError` if they exceed `maxBytes`. */
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

/** Characters of a body that an error keeps. More than it shows, so that no key is cut before it is masked. */
const MAX_RECEIVED_LENGTH = 10_000;

/** The body exceeds the limit. */
export class BodyTooLargeError extends Error {
	/** The beginning of the body. */
	received = '';

	constructor(readonly maxBytes: number) {
		super(`more than ${formatMegabytes(maxBytes)}`);
		this.name = 'BodyTooLargeError';
	}

	withReceived(received: string): this {
		this.received = received;
		return this;
	}
}

/** JSON has so many values that they would take more memory than `maxBytes`. */
export class TooManyValuesError extends BodyTooLargeError {}

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

	/** Throws a `TooMuchTextError` for more than 2 MB in total. */
	add(length: number): void {
		this.length += length;
		if (this.isExceeded) throw new TooMuchTextError(MAX_TEXT_LENGTH);
	}
}

/** Characters of one event, one line, or a JSON response instead of a stream. */
const MAX_EVENT_LENGTH = 2 * 1024 * 1024;

/** Characters of a web page, whose text an error shows. */
const MAX_PAGE_LENGTH = 64 * 1024;

/** Maximum lines outside of events that are kept: an error cannot show more. */
const MAX_NON_EVENT_LINES = 20;

const MAX_NON_EVENT_LINE_LENGTH = 500;

/** Some FastAPI servers write `data: ` although their framework (sse-starlette) already does. */
const REPEATED_PREFIX = /^(?:data:\s*)+(?=[{[])/;

/** First characters of the lines of an event stream: comments and its four fields. */
const FIELD_START = /[:deir]/i;

type BodyFormat = 'unknown' | 'events' | 'lines' | 'buffered' | 'page';

/**
 * Parses the body of a streamed response, however its bytes are split. The first character determines the format, not
 * the content type: servers that cannot stream respond with JSON (docs/protocols/llama-server.md, case 44), and
 * frameworks label event streams as JSON or HTML.
 */
export class StreamParser implements EndDetector {
	private format: BodyFormat = 'unknown';
	private readonly decoder = new TextDecoder();
	private events: string[] = [];
	/** The incomplete last line. */
	private pending = new TextChunks();
	/** The beginning of a page. */
	private pageStart = '';
	/** Characters since the last event. */
	private length = 0;
	private readonly buffered = new BufferedText();
	private readonly nonEventLineBuffer: string[] = [];
	private readonly parser = createParser({
		onEvent: ({ data }: EventSourceMessage) => {
			this.length = 0;
			this.addEvents(data);
		},
		onError: (error: ParseError) => this.addNonEventLine(error.line ?? error.value ?? ''),
	});

	/** `framing`: of the protocol: server-sent events, or one JSON value per line. */
	constructor(
		private readonly framing: 'events' | 'lines',
		private readonly maxLength: number = MAX_EVENT_LENGTH,
	) {}

	/** Lines outside of events, for example a router's `proxy error: …`. */
	get nonEventLines(): readonly string[] {
		return this.nonEventLineBuffer;
	}

	/** The beginning of a web page received instead of a response. */
	get page(): string | undefined {
		return this.format === 'page' ? this.pageStart : undefined;
	}

	/** A page or a JSON response may be complete although the body stays open. */
	mayHaveEnded(): boolean {
		return this.format === 'page' || this.format === 'buffered';
	}

	hasEnded(): boolean {
		return this.format === 'page' || this.buffered.hasEnded();
	}

	/**
	 * The data of the events that these bytes complete.
	 *
	 * Throws a `BodyTooLargeError`.
	 */
	push(bytes: Uint8Array): string[] {
		return this.feed(this.decoder.decode(bytes, { stream: true }));
	}

	/** The events left at the end of the body, including one without a final blank line, and a JSON response. */
	end(): string[] {
		const rest = this.feed(this.decoder.decode());
		if (this.format === 'page') return rest;
		const last = (this.format === 'buffered' ? this.buffered.text : this.pending.text).trim();
		if (this.format === 'events') this.parser.feed(`${this.pending.text}\n\n`);
		else if (last !== '') this.addEvents(last);
		return [...rest, ...this.events.splice(0)];
	}

	private feed(decoded: string) {
		const chunk = this.format === 'unknown' ? this.detectFormat(decoded) : decoded;
		if (this.format === 'page') {
			this.pageStart += chunk.slice(0, MAX_PAGE_LENGTH - this.pageStart.length);
			return [];
		}
		this.length += chunk.length;
		if (this.length > this.maxLength) throw new BodyTooLargeError(this.maxLength);
		if (this.format === 'buffered') this.buffered.add(chunk);
		if (this.format === 'events') this.feedLines(chunk);
		if (this.format === 'lines') this.splitLines(chunk);
		return this.events.splice(0);
	}

	/** Detects the format by the first character that is not blank. Returns the text from there on. */
	private detectFormat(chunk: string) {
		const start = chunk.replace(/^[\s\uFEFF]+/, '');
		const first = start.charAt(0);
		if (first === '') return '';
		if (first === '<') this.format = 'page';
		else if (first === '{' || first === '[')
			this.format = this.framing === 'lines' ? 'lines' : 'buffered';
		else this.format = FIELD_START.test(first) || this.framing === 'events' ? 'events' : 'lines';
		return start;
	}

	/** Only complete lines: the parser silently drops a partial line that cannot become a field. */
	private feedLines(chunk: string) {
		const end = Math.max(chunk.lastIndexOf('\n'), chunk.lastIndexOf('\r')) + 1;
		if (end > 0) this.parser.feed(this.takePending() + chunk.slice(0, end));
		this.pending.add(chunk.slice(end));
	}

	private takePending(): string {
		const { text } = this.pending;
		this.pending = new TextChunks();
		return text;
	}

	private splitLines(chunk: string) {
		if (!chunk.includes('\n')) {
			this.pending.add(chunk);
			return;
		}
		const lines = (this.takePending() + chunk).split('\n');
		const rest = lines.pop() ?? '';
		this.pending.add(rest);
		this.length = rest.length;
		for (const line of lines)
			if (/^\s*[{[]/.test(line)) {
				assertFewValues(line);
				this.events.push(line.trim());
			} else this.addNonEventLine(line);
	}

	/** Some FastAPI servers omit the blank line between events: then each line of the data is an event. */
	private addEvents(data: string) {
		const text = data.replace(REPEATED_PREFIX, '');
		const lines = text.includes('\n') ? splitData(text) : [];
		const isOneEventPerLine =
			lines.length > 1 && lines.every((line) => line === '[DONE]' || parseJson(line) !== undefined);
		for (const event of isOneEventPerLine ? lines : [text]) {
			assertFewValues(event);
			this.events.push(event);
		}
	}

	private addNonEventLine(line: string) {
		if (line.trim() === '' || this.nonEventLineBuffer.length >= MAX_NON_EVENT_LINES) return;
		this.nonEventLineBuffer.push(line.slice(0, MAX_NON_EVENT_LINE_LENGTH));
	}
}

/** No character of JSON takes more bytes of memory. */
const MAX_BYTES_PER_CHARACTER = 64;

/** @throws TooManyValuesError for an event that is too large to be parsed */
function assertFewValues(event: string): void {
	if (event.length * MAX_BYTES_PER_CHARACTER <= MAX_JSON_MEMORY) return;
	const memory = new JsonMemory();
	memory.add(event);
	if (memory.bytes > MAX_JSON_MEMORY)
		throw new TooManyValuesError(MAX_JSON_MEMORY).withReceived(event.slice(0, MAX_RECEIVED_LENGTH));
}

function splitData(data: string) {
	const lines = data.split('\n').filter((line) => line.trim() !== '');
	return lines.map((line) => line.replace(REPEATED_PREFIX, ''));
}
