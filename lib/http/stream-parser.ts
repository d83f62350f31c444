/** Splits a streamed body into its parts: events, lines outside of events, or one JSON document. Judges none of them. */
import { parseJson } from '../values/json';
import type { EventSourceMessage, ParseError } from '../vendor';
import { createParser } from '../vendor';
import { BodyTooLargeError, assertFewValues } from './body-limits';
import type { EndDetector } from './response-body';
import { TextChunks, BufferedText } from './response-body';
import { asServerErrorOrThrow } from '../errors/server-error';
import type { StreamPart } from './types';

/** Characters of a web page, whose text an error shows. */
const MAX_PAGE_LENGTH = 64 * 1024;

/** Ends of events. */
const EVENT_ENDS = ['\n\n', '\r\n\r\n', '\r\r'];

/** Before the data of an event: other fields, and the name of its own. */
const DATA_START = /^\s*(?:(?:event|id|retry)?:[^\r\n]{0,500}[\r\n]\s*)*(?:data:\s*)*/;

/** Some FastAPI servers write `data: ` although their framework (sse-starlette) already does. */
const REPEATED_PREFIX = /^(?:data:\s*)+(?=[{[])/;

/** First characters of the lines of an event stream: comments and its four fields. */
const FIELD_START = /[:deir]/i;

/** A line that begins like JSON, among those of an event stream. */
const JSON_LINE = /(?:^|[\r\n])[\t ]*[{[]/;

/** With what such a line may begin. */
const JSON_LINE_STARTS = ['{', '[', ' ', '\t'];

/** Such a line, alone. */
const JSON_START = /^[\t ]*[{[]/;

/** Line ends, each with its line. */
const LINE_ENDS = /(?<=\n|\r(?!\n))/;

/** The line of an event in a body of JSON lines, of a gateway that frames only some of them. */
const FRAMED_LINE = /^\s*(?:data:\s*)+(?=[{[])/;

type BodyFormat = 'unknown' | 'events' | 'lines' | 'buffered' | 'page';

/**
 * Parses the body of a streamed response, however its bytes are split. The first character determines the format, not
 * the content type: servers that cannot stream respond with JSON (docs/protocols/other-servers.md 3), and
 * frameworks label event streams as JSON or HTML.
 */
export class StreamParser implements EndDetector {
	private format: BodyFormat = 'unknown';
	private readonly decoder = new TextDecoder();
	private parts: StreamPart[] = [];
	/** The incomplete last line. */
	private readonly pending = new TextChunks();
	/** The beginning of a page. */
	private pageStart = '';
	/** Characters since the last event. */
	private length = 0;
	/** The same as text, of which an error keeps what arrived. */
	private readonly received = new TextChunks();
	/** An event that is too large, after others that arrived with it. */
	private tooLarge: BodyTooLargeError | undefined;
	private readonly buffered = new BufferedText();
	private readonly parser = createParser({
		onEvent: ({ data }: EventSourceMessage) => {
			this.length = 0;
			this.addEvents(data);
		},
		onError: (error: ParseError) => this.addLine(error.line ?? error.value ?? ''),
	});

	/**
	 * @param framing - Of the protocol: server-sent events, or one JSON value per line.
	 * @param maxLength - Characters of one event, one line, or a JSON response instead of a stream.
	 */
	constructor(
		private readonly framing: 'events' | 'lines',
		private readonly maxLength: number,
	) {}

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
	 * The parts that these bytes complete.
	 *
	 * @throws {BodyTooLargeError} with what arrived of the event; after other parts, `assertSmall` throws it
	 */
	push(bytes: Uint8Array): StreamPart[] {
		return this.feed(this.decoder.decode(bytes, { stream: true }));
	}

	/** The parts left at the end of the body, including an event without a final blank line, and a JSON response. */
	end(): StreamPart[] {
		const rest = this.feed(this.decoder.decode());
		if (this.format === 'page') return rest;
		this.readParts(() => this.addLast());
		return [...rest, ...this.takeParts()];
	}

	private feed(decoded: string) {
		const chunk = this.format === 'unknown' ? this.detectFormat(decoded) : decoded;
		if (this.format === 'page') {
			this.pageStart += chunk.slice(0, MAX_PAGE_LENGTH - this.pageStart.length);
			return [];
		}
		this.readParts(() => this.addChunk(chunk));
		return this.takeParts();
	}

	private takeParts(): StreamPart[] {
		const { parts } = this;
		this.parts = [];
		return parts;
	}

	/** Parts that arrived before an event that is too large are not lost. */
	private readParts(read: () => void) {
		try {
			read();
		} catch (error) {
			if (!(error instanceof BodyTooLargeError)) throw asServerErrorOrThrow(error);
			this.tooLarge = error;
		}
		if (this.parts.length === 0) this.assertSmall();
	}

	/** @throws {BodyTooLargeError} if the parts that `push` and `end` returned were followed by one that is too large */
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
		if (this.format === 'buffered') this.addToDocument(chunk);
		else if (this.format === 'events') this.feedLines(chunk);
		else if (this.format === 'lines') this.splitLines(chunk);
	}

	/** A value that more follows is the first line of a stream. */
	private addToDocument(chunk: string) {
		const rest = this.buffered.add(chunk);
		const next = rest.trimStart();
		if (next === '') return;
		const { text } = this.buffered;
		const first = text.slice(0, text.length - rest.length);
		this.length = rest.length;
		this.receiveAnew(rest);
		// Each line of its own is an event, or a gateway has omitted the `data: ` of the first one.
		this.format = /^[{[]/.test(next) ? 'lines' : 'events';
		this.addPart(this.format === 'lines' ? 'event' : 'line', first.trim());
		if (this.format === 'lines') this.splitLines(rest);
		else this.feedLines(rest);
	}

	private addLast() {
		if (this.format === 'events') this.feedParser(`${this.pending.text}\n\n`);
		else if (this.format === 'buffered') {
			const type = this.buffered.hasEnded() ? 'document' : 'event';
			this.addPart(type, this.buffered.text.trim());
		} else this.addJsonLine(this.pending.text);
	}

	/** Forgets what is before the last event. */
	private receiveAnew(rest: string) {
		this.received.clear();
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
		if (end > 0) this.feedParser(this.pending.take() + chunk.slice(0, end));
		if (this.parts.length > 0) this.receiveAnew(chunk.slice(findLastEnd(chunk)));
		this.pending.add(chunk.slice(end));
	}

	/** The parser tells of lines that are JSON at once, and of the event before them later: it ends first. */
	private feedParser(lines: string) {
		if (!hasJsonLine(lines)) {
			this.parser.feed(lines);
			return;
		}
		for (const line of lines.split(LINE_ENDS)) {
			const isJson = JSON_START.test(line);
			this.parser.feed(isJson ? '\n\n' : line);
			if (!isJson) continue;
			this.length = 0;
			this.addPart('line', line.trim());
		}
	}

	private splitLines(chunk: string) {
		if (!chunk.includes('\n')) {
			this.pending.add(chunk);
			return;
		}
		const lines = (this.pending.take() + chunk).split('\n');
		const rest = lines.pop() ?? '';
		this.pending.add(rest);
		this.length = rest.length;
		this.receiveAnew(rest);
		for (const line of lines) this.addJsonLine(line);
	}

	private addJsonLine(line: string) {
		const text = line.replace(FRAMED_LINE, '');
		if (/^\s*[{[]/.test(text)) this.addPart('event', text.trim());
		else this.addLine(line);
	}

	/** Some FastAPI servers omit the blank line between events: then each line of the data is an event. */
	private addEvents(data: string) {
		const text = data.replace(REPEATED_PREFIX, '');
		const lines = text.includes('\n') ? splitData(text) : [];
		const isOneEventPerLine =
			lines.length > 1 && lines.every((line) => line === '[DONE]' || parseJson(line) !== undefined);
		for (const event of isOneEventPerLine ? lines : [text]) this.addPart('event', event);
	}

	private addLine(line: string) {
		if (line.trim() !== '') this.addPart('line', line);
	}

	/** @throws a `TooManyValuesError` */
	private addPart(type: StreamPart['type'], text: string) {
		assertFewValues(text, this.maxLength);
		this.parts.push({ type, text });
	}
}

/** Whether a line may be JSON. Of most chunks, only the first character of each line is looked at. */
function hasJsonLine(lines: string): boolean {
	if (lines.includes('\r')) return JSON_LINE.test(lines);
	for (let at = 0; at >= 0 && at < lines.length; at = lines.indexOf('\n', at) + 1 || -1)
		if (JSON_LINE_STARTS.includes(lines.charAt(at))) return JSON_LINE.test(lines);
	return false;
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
