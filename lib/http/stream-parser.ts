/** Splits a streamed body into events. */
import { parseJson } from '../values/json';
import type { EventSourceMessage, ParseError } from '../vendor';
import { createParser } from '../vendor';
import { BodyTooLargeError, assertFewValues } from './body-limits';
import type { EndDetector } from './response-body';
import { TextChunks, BufferedText } from './response-body';
import { asServerErrorOrThrow } from '../errors/server-error';

/** Characters of a web page, whose text an error shows. */
const MAX_PAGE_LENGTH = 64 * 1024;

/** Maximum lines outside of events that are kept: an error cannot show more. */
const MAX_NON_EVENT_LINES = 20;

const MAX_NON_EVENT_LINE_LENGTH = 500;

/** Ends of events. */
const EVENT_ENDS = ['\n\n', '\r\n\r\n', '\r\r'];

/** Before the data of an event: other fields, and the name of its own. */
const DATA_START = /^\s*(?:(?:event|id|retry)?:[^\r\n]{0,500}[\r\n]\s*)*(?:data:\s*)*/;

/** Some FastAPI servers write `data: ` although their framework (sse-starlette) already does. */
const REPEATED_PREFIX = /^(?:data:\s*)+(?=[{[])/;

/** First characters of the lines of an event stream: comments and its four fields. */
const FIELD_START = /[:deir]/i;

type BodyFormat = 'unknown' | 'events' | 'lines' | 'buffered' | 'page';

/**
 * Parses the body of a streamed response, however its bytes are split. The first character determines the format, not
 * the content type: servers that cannot stream respond with JSON (docs/protocols/other-servers.md 3), and
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
	/** The same as text, of which an error keeps what arrived. */
	private received = new TextChunks();
	/** An event that is too large, after others that arrived with it. */
	private tooLarge: BodyTooLargeError | undefined;
	private readonly buffered = new BufferedText();
	private readonly nonEventLineBuffer: string[] = [];
	private readonly parser = createParser({
		onEvent: ({ data }: EventSourceMessage) => {
			this.length = 0;
			this.addEvents(data);
		},
		onError: (error: ParseError) => this.addNonEventLine(error.line ?? error.value ?? ''),
	});

	/**
	 * @param framing - Of the protocol: server-sent events, or one JSON value per line.
	 * @param maxLength - Characters of one event, one line, or a JSON response instead of a stream.
	 */
	constructor(
		private readonly framing: 'events' | 'lines',
		private readonly maxLength: number,
	) {}

	/** Lines outside of events, for example a router's `proxy error: …`. */
	get nonEventLines(): readonly string[] {
		return this.nonEventLineBuffer;
	}

	/** Whether the body was one JSON document, complete to its last bracket. */
	get isDocument(): boolean {
		return this.format === 'buffered' && this.buffered.hasEnded();
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
	 * @throws {BodyTooLargeError} with what arrived of the event; after other events, `assertSmall` throws it
	 */
	push(bytes: Uint8Array): string[] {
		return this.feed(this.decoder.decode(bytes, { stream: true }));
	}

	/** The events left at the end of the body, including one without a final blank line, and a JSON response. */
	end(): string[] {
		const rest = this.feed(this.decoder.decode());
		if (this.format === 'page') return rest;
		const last = (this.format === 'buffered' ? this.buffered.text : this.pending.text).trim();
		this.readEvents(() => {
			if (this.format === 'events') this.parser.feed(`${this.pending.text}\n\n`);
			else if (last !== '') this.addEvents(last);
		});
		return [...rest, ...this.events.splice(0)];
	}

	private feed(decoded: string) {
		const chunk = this.format === 'unknown' ? this.detectFormat(decoded) : decoded;
		if (this.format === 'page') {
			this.pageStart += chunk.slice(0, MAX_PAGE_LENGTH - this.pageStart.length);
			return [];
		}
		this.readEvents(() => this.addChunk(chunk));
		return this.events.splice(0);
	}

	/** Events that arrived before one that is too large are not lost. */
	private readEvents(read: () => void) {
		try {
			read();
		} catch (error) {
			if (!(error instanceof BodyTooLargeError)) throw asServerErrorOrThrow(error);
			this.tooLarge = error;
		}
		if (this.events.length === 0) this.assertSmall();
	}

	/** @throws {BodyTooLargeError} if the events that `push` and `end` returned were followed by one that is too large */
	assertSmall(): void {
		if (this.tooLarge) throw this.tooLarge;
	}

	private addChunk(chunk: string) {
		this.length += chunk.length;
		this.received.add(chunk);
		if (this.length > this.maxLength)
			throw new BodyTooLargeError(this.maxLength).withReceived(
				this.received.text.replace(this.format === 'events' ? DATA_START : '', ''),
			);
		if (this.format === 'buffered') this.buffered.add(chunk);
		if (this.format === 'events') this.feedLines(chunk);
		if (this.format === 'lines') this.splitLines(chunk);
	}

	/** Forgets what is before the last event. */
	private receiveAnew(rest: string) {
		this.received = new TextChunks();
		this.received.add(rest);
	}

	/**
	 * Detects the format by the first character that is not blank.
	 *
	 * @returns the text from there on.
	 */
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
		if (this.events.length > 0) this.receiveAnew(chunk.slice(findLastEnd(chunk)));
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
		this.receiveAnew(rest);
		for (const line of lines)
			if (/^\s*[{[]/.test(line)) {
				assertFewValues(line, this.maxLength);
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
			assertFewValues(event, this.maxLength);
			this.events.push(event);
		}
	}

	private addNonEventLine(line: string) {
		if (line.trim() === '' || this.nonEventLineBuffer.length >= MAX_NON_EVENT_LINES) return;
		this.nonEventLineBuffer.push(line.slice(0, MAX_NON_EVENT_LINE_LENGTH));
	}
}

/** The index after the last event that ends in a chunk. */
function findLastEnd(chunk: string): number {
	return EVENT_ENDS.reduce((last, end) => {
		const at = chunk.lastIndexOf(end);
		return at < 0 ? last : Math.max(last, at + end.length);
	}, 0);
}

function splitData(data: string) {
	const lines = data.split('\n').filter((line) => line.trim() !== '');
	return lines.map((line) => line.replace(REPEATED_PREFIX, ''));
}
