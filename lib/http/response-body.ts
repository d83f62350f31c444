/** Reading of bodies: unpacked once, bounded, and not longer than there is something to come. */
import { setUnrefTimeout } from './timeouts';
import { JsonBrackets, parseJson } from '../json';
import { createParser, type EventSourceMessage, type ParseError } from '../vendor';

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

/** Whether a body has said all it will, although its connection may stay open. */
interface EndDetector {
	/** Cheap: asked for each piece. */
	mayHaveEnded(): boolean;
	/** Asked when nothing came for a second. */
	hasEnded(): boolean;
}

/**
 * The pieces of a body, up to its end or what `ending` takes for it.
 *
 * @throws {BodyTooLargeError} for more than `maxBytes`
 */
export async function* readChunks(
	body: AsyncIterable<Uint8Array>,
	maxBytes: number,
	ending?: EndDetector,
): AsyncGenerator<Uint8Array> {
	const source = body[Symbol.asyncIterator]();
	let size = 0;
	for (;;) {
		const next = source.next();
		const isPaused = ending?.mayHaveEnded() && (await raceWithPause(next)) === undefined;
		if (isPaused && ending?.hasEnded()) {
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

/** The next piece; undefined if it takes longer than a second. */
async function raceWithPause<R>(next: Promise<R>): Promise<R | undefined> {
	let disarm = () => {};
	const pause = new Promise<undefined>((resolve) => {
		disarm = setUnrefTimeout(TAIL_MS, () => resolve(undefined));
	});
	try {
		return await Promise.race([next, pause]);
	} finally {
		disarm();
	}
}

/** Collects a body as text. @throws {BodyTooLargeError} */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
	const decoder = new TextDecoder('utf-8');
	const whole = new WholeText();
	for await (const piece of readChunks(body, maxBytes, whole))
		whole.add(decoder.decode(piece, { stream: true }));
	return whole.text + decoder.decode();
}

/** The text of a body that may be JSON, whose end is its closing bracket. */
class WholeText implements EndDetector {
	private readonly pieces: string[] = [];
	private readonly brackets = new JsonBrackets();
	private read = 0;
	private isClosed = false;
	/** Of what had arrived when the first bracket was closed: what follows cannot make it JSON. */
	private isJson: boolean | undefined;

	get text(): string {
		return this.pieces.join('');
	}

	add(piece: string): void {
		this.pieces.push(piece);
	}

	mayHaveEnded(): boolean {
		const end = (this.pieces.at(-1) ?? '').trimEnd();
		return end.endsWith('}') || end.endsWith(']');
	}

	/** Reads what came since the last pause, and parses once: a body without an end may pause every second. */
	hasEnded(): boolean {
		while (!this.isClosed && this.read < this.pieces.length)
			this.isClosed = this.brackets.read(this.pieces[this.read++]!) !== undefined;
		return this.isClosed && (this.isJson ??= parseJson(this.text) !== undefined);
	}
}

/** A bound in words. */
export function formatMegabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Concatenates all pieces. @throws {BodyTooLargeError} for more than `maxBytes` */
export async function readBuffer(
	pieces: AsyncIterable<Uint8Array>,
	maxBytes = Infinity,
): Promise<Buffer> {
	const read: Uint8Array[] = [];
	let size = 0;
	for await (const piece of pieces) {
		size += piece.byteLength;
		if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
		read.push(piece);
	}
	return Buffer.concat(read);
}

/** A body with more bytes than is read of it. */
export class BodyTooLargeError extends Error {
	constructor(readonly maxBytes: number) {
		super(`more than ${formatMegabytes(maxBytes)}`);
		this.name = 'TooLongError';
	}
}

/** More text in one response: content, thinking and arguments of tool calls together. */
export class TooMuchTextError extends BodyTooLargeError {}

/** Characters. About 500,000 tokens, more than the context of most models. */
const MAX_TEXT_LENGTH = 2 * 1024 * 1024;

/** Counts the text of one response. */
export class TextCount {
	private length = 0;

	get isExceeded(): boolean {
		return this.length > MAX_TEXT_LENGTH;
	}

	/** @throws {TooMuchTextError} for more than 2 MB in all */
	add(length: number): void {
		this.length += length;
		if (this.isExceeded) throw new TooMuchTextError(MAX_TEXT_LENGTH);
	}
}

/** Characters of one event, line or whole JSON answer in place of a stream. */
const MAX_EVENT_LENGTH = 2 * 1024 * 1024;

/** Characters of a web page, of which an error shows the title. */
const MAX_PAGE_LENGTH = 64 * 1024;

/** Lines that belong to no event, as many as an error can show. */
const MAX_STRAY_LINES = 20;

const MAX_STRAY_LENGTH = 500;

/** Some FastAPI servers write `data: `, although their framework (sse-starlette) writes it, too. */
const DATA_TWICE = /^(?:data:\s*)+(?=[{[])/;

/** First characters of the lines of an event stream: comments and its four fields. */
const BEGINS_FIELD = /[:deir]/i;

type BodyFormat = 'unknown' | 'events' | 'lines' | 'whole' | 'page';

/**
 * Reads the body of a streamed answer, however its bytes are split. Its form is told by its first character and not by
 * its content type: servers that cannot stream answer with JSON (docs/protocols/llama-server.md, case 44), and
 * frameworks label event streams as JSON or HTML.
 */
export class StreamParser implements EndDetector {
	private form: BodyFormat = 'unknown';
	private readonly decoder = new TextDecoder('utf-8');
	private events: string[] = [];
	/** What belongs to no event yet; of a page its beginning. It is read when its line is complete. */
	private pending = '';
	/** Characters since the last event. */
	private length = 0;
	private readonly whole = new WholeText();
	private readonly nonEventLineBuffer: string[] = [];
	private readonly parser = createParser({
		onEvent: ({ data }: EventSourceMessage) => {
			this.length = 0;
			this.takeEvent(data);
		},
		onError: (error: ParseError) => this.takeStray(error.line ?? error.value ?? ''),
	});

	/** @param framing what the protocol sends: server-sent events, or one JSON value a line */
	constructor(
		private readonly framing: 'events' | 'lines',
		private readonly maxLength = MAX_EVENT_LENGTH,
	) {}

	/** Lines that are no part of an event, for example a router's `proxy error: …`. */
	get nonEventLines(): readonly string[] {
		return this.nonEventLineBuffer;
	}

	/** The beginning of a web page in place of an answer. */
	get page(): string | undefined {
		return this.form === 'page' ? this.pending : undefined;
	}

	/** A page or a whole answer, which may be complete although the body stays open. */
	mayHaveEnded(): boolean {
		return this.form === 'page' || this.form === 'whole';
	}

	hasEnded(): boolean {
		return this.form === 'page' || this.whole.hasEnded();
	}

	/**
	 * The data of the events that these bytes complete.
	 *
	 * @throws {BodyTooLargeError}
	 */
	push(bytes: Uint8Array): string[] {
		return this.feed(this.decoder.decode(bytes, { stream: true }));
	}

	/** At the end of the body: also an event without the blank line at its end, and a whole JSON answer. */
	end(): string[] {
		const rest = this.feed(this.decoder.decode());
		if (this.form === 'page') return rest;
		const last = (this.form === 'whole' ? this.whole.text : this.pending).trim();
		if (this.form === 'events') this.parser.feed(`${this.pending}\n\n`);
		else if (last !== '') this.events.push(last);
		return [...rest, ...this.events.splice(0)];
	}

	private feed(decoded: string): string[] {
		const piece = this.form === 'unknown' ? this.begun(decoded) : decoded;
		if (this.form === 'page') {
			this.pending += piece.slice(0, MAX_PAGE_LENGTH - this.pending.length);
			return [];
		}
		this.length += piece.length;
		if (this.length > this.maxLength) throw new BodyTooLargeError(this.maxLength);
		if (this.form === 'whole') this.whole.add(piece);
		if (this.form === 'events') this.feedLines(piece);
		if (this.form === 'lines') this.splitLines(piece);
		return this.events.splice(0);
	}

	/** The beginning of the body, without blanks. Its first character tells the form. */
	private begun(piece: string): string {
		const start = piece.replace(/^[\s\uFEFF]+/, '');
		const first = start.charAt(0);
		if (first === '') return '';
		if (first === '<') this.form = 'page';
		else if (first === '{' || first === '[')
			this.form = this.framing === 'lines' ? 'lines' : 'whole';
		else this.form = BEGINS_FIELD.test(first) || this.framing === 'events' ? 'events' : 'lines';
		return start;
	}

	/** Only whole lines: the parser silently drops a part of a line that cannot become a field. */
	private feedLines(piece: string): void {
		const end = Math.max(piece.lastIndexOf('\n'), piece.lastIndexOf('\r')) + 1;
		if (end > 0) this.parser.feed(this.pending + piece.slice(0, end));
		this.pending = end > 0 ? piece.slice(end) : this.pending + piece;
	}

	private splitLines(piece: string): void {
		if (!piece.includes('\n')) {
			this.pending += piece;
			return;
		}
		const lines = (this.pending + piece).split('\n');
		this.pending = lines.pop() ?? '';
		this.length = this.pending.length;
		for (const line of lines)
			if (/^\s*[{[]/.test(line)) this.events.push(line.trim());
			else this.takeStray(line);
	}

	/** Servers of one's own forget the blank line between events: then each line of the data is one. */
	private takeEvent(data: string): void {
		const whole = data.replace(DATA_TWICE, '');
		const lines = whole.includes('\n') ? linesOf(whole) : [];
		const areEvents = lines.length > 1 && lines.every((line) => line === '[DONE]' || isJson(line));
		for (const event of areEvents ? lines : [whole]) this.events.push(event);
	}

	private takeStray(line: string): void {
		if (line.trim() === '' || this.nonEventLineBuffer.length >= MAX_STRAY_LINES) return;
		this.nonEventLineBuffer.push(line.slice(0, MAX_STRAY_LENGTH));
	}
}

function linesOf(data: string): string[] {
	const lines = data.split('\n').filter((line) => line.trim() !== '');
	return lines.map((line) => line.replace(DATA_TWICE, ''));
}

function isJson(text: string): boolean {
	return parseJson(text) !== undefined;
}
