import { JsonEnd } from './json-end';
import { NdjsonDecoder } from './ndjson';
import { SseDecoder, type ServerSentEvent } from './sse';
import { BodyTooLongError, megabytes } from './too-long';
import type { Framing } from './types';

const MAX_PAGE_LENGTH = 64 * 1024;
/** Characters of a JSON answer in place of a stream. */
const MAX_WHOLE_LENGTH = 64 * 1024 * 1024;

/** Bytes of a stream: two million tokens have as many. */
const MAX_STREAM_BYTES = 512 * 1024 * 1024;

/** First characters of the lines of an event stream: comments and its four fields. */
const BEGINS_FIELD = /[:deir]/;
const LINES_TYPE = /ndjson|jsonl|jsonlines|json-seq/i;

/**
 * Reads the body of a successful answer to a streaming request. Its kind is told by its first characters rather than by
 * its content type: servers that cannot stream answer with JSON (docs/protocols/llama-server.md, case 44), and
 * frameworks label event streams as JSON or HTML. JSON lines are also read if events were requested, and vice versa.
 */
export class BodyReader {
	private kind: 'unknown' | 'events' | 'lines' | 'whole' | 'page' = 'unknown';
	private kept: Uint8Array[] = [];
	private keptLength = 0;
	private bytesRead = 0;
	private text = '';
	private readonly textDecoder = new TextDecoder('utf-8');
	private readonly json = new JsonEnd();
	private sse: SseDecoder | undefined;
	private readonly ndjson = new NdjsonDecoder();

	/** @param framing the framing that the protocol expects */
	constructor(
		private readonly contentType = '',
		private readonly framing: Framing = 'sse',
	) {}

	/** Lines of the body that were no events. */
	get strayLines(): readonly string[] {
		return [...(this.sse?.strayLines ?? []), ...this.ndjson.strayLines];
	}

	/** The actual framing; undefined if the body is no stream, or nothing has arrived. */
	get foundFraming(): Framing | undefined {
		if (this.kind === 'events') return 'sse';
		return this.kind === 'lines' ? 'ndjson' : undefined;
	}

	/** The beginning of a web page in place of an answer. */
	get page(): string | undefined {
		return this.kind === 'page' ? this.text : undefined;
	}

	/**
	 * Whether nothing more may be needed, although the body has not ended: after a complete JSON answer, or for a page.
	 */
	get mayBeOver(): boolean {
		return this.kind === 'page' || (this.kind === 'whole' && this.json.isComplete);
	}

	/**
	 * The events that these bytes complete.
	 *
	 * @throws {BodyTooLongError} for an endless JSON answer, event, line or stream
	 */
	push(bytes: Uint8Array): ServerSentEvent[] {
		this.bytesRead += bytes.byteLength;
		if (this.bytesRead > MAX_STREAM_BYTES) throw new BodyTooLongError(megabytes(MAX_STREAM_BYTES));
		if (this.kind !== 'unknown') return this.take(bytes);
		const first = bytes.find((byte) => !isBlank(byte));
		this.kept.push(bytes);
		if (first === undefined) {
			// Endless white space is dropped.
			this.keptLength += bytes.byteLength;
			if (this.keptLength > MAX_PAGE_LENGTH) this.kept = [];
			return [];
		}
		this.kind = this.kindBy(String.fromCharCode(first));
		return this.kept.splice(0).flatMap((piece) => this.take(piece));
	}

	/** The events completed by the end of the body. A JSON answer is one event named `whole-answer`. */
	end(): ServerSentEvent[] {
		if (this.kind === 'whole')
			return [{ event: 'whole-answer', data: this.text + this.textDecoder.decode() }];
		if (this.kind === 'lines')
			return [...this.ndjson.push(this.textDecoder.decode()), ...this.ndjson.end()];
		return this.sse?.end() ?? [];
	}

	private take(bytes: Uint8Array): ServerSentEvent[] {
		if (this.kind === 'events') return (this.sse ??= new SseDecoder()).push(bytes);
		const piece = this.textDecoder.decode(bytes, { stream: true });
		if (this.kind === 'lines') return this.ndjson.push(piece);
		if (this.kind === 'whole') return this.takeWhole(piece);
		if (this.text.length < MAX_PAGE_LENGTH) this.text += piece;
		return [];
	}

	/** A second value after the first one means that these are JSON lines, whatever the content type is. */
	private takeWhole(piece: string): ServerSentEvent[] {
		this.text += piece;
		if (this.text.length > MAX_WHOLE_LENGTH)
			throw new BodyTooLongError(megabytes(MAX_WHOLE_LENGTH));
		const after = this.json.isComplete ? 0 : this.json.push(piece);
		if (after === undefined || !/^\s*[{[]/.test(piece.slice(after))) return [];
		this.kind = 'lines';
		return this.ndjson.push(this.text);
	}

	private kindBy(first: string): 'events' | 'lines' | 'whole' | 'page' {
		const isLines = this.framing === 'ndjson';
		if (first === '<') return 'page';
		if (first === '{' || first === '[')
			return isLines || LINES_TYPE.test(this.contentType) ? 'lines' : 'whole';
		if (BEGINS_FIELD.test(first)) return 'events';
		if (/\bjson\b/i.test(this.contentType)) return 'whole';
		return isLines ? 'lines' : 'events';
	}
}

/** White space, or one of the three bytes of a byte-order mark. */
function isBlank(byte: number): boolean {
	return (
		byte === 0x20 ||
		(byte >= 0x09 && byte <= 0x0d) ||
		byte === 0xef ||
		byte === 0xbb ||
		byte === 0xbf
	);
}
