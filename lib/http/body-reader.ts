import { JsonEnd } from './json-end';
import { NdjsonDecoder } from './ndjson';
import { SseDecoder, type ServerSentEvent } from './sse';
import { BodyTooLongError } from './too-long';
import type { Framing } from './types';

const MAX_PAGE_LENGTH = 64 * 1024;
/** Of a JSON answer in place of a stream. */
const MAX_WHOLE_LENGTH = 64 * 1024 * 1024;

/** What begins a line of an event stream: a comment, or one of its four fields. */
const BEGINS_FIELD = /[:deir]/;
const LINES_TYPE = /ndjson|jsonl|jsonlines|json-seq/i;

/**
 * Reads the body of a successful answer to a request for a stream. What it is shows in its first characters rather than
 * in its content type: servers that cannot stream answer with JSON (docs/protocols/llama-server.md, case 44), and
 * frameworks label event streams as JSON or HTML. JSON lines are read although events were asked for, and events
 * although lines were.
 */
export class BodyReader {
	private kind: 'unknown' | 'events' | 'lines' | 'whole' | 'page' = 'unknown';
	private held: Uint8Array[] = [];
	private heldLength = 0;
	private text = '';
	private readonly textDecoder = new TextDecoder('utf-8');
	private readonly json = new JsonEnd();
	private sse: SseDecoder | undefined;
	private readonly ndjson = new NdjsonDecoder();

	/** @param framing what the protocol says that its streams consist of */
	constructor(
		private readonly contentType = '',
		private readonly framing: Framing = 'sse',
	) {}

	/** Lines in a stream that were no part of it. */
	get strayLines(): readonly string[] {
		return [...(this.sse?.strayLines ?? []), ...this.ndjson.strayLines];
	}

	/** What the body turned out to consist of, where it is a stream. */
	get foundFraming(): Framing | undefined {
		return this.kind === 'events' ? 'sse' : this.kind === 'lines' ? 'ndjson' : undefined;
	}

	/** The beginning of a web page that came in place of an answer. */
	get page(): string | undefined {
		return this.kind === 'page' ? this.text : undefined;
	}

	/** Whether all that counts may have arrived, although the body has not ended: a complete JSON answer, or a page. */
	get mayBeOver(): boolean {
		return this.kind === 'page' || (this.kind === 'whole' && this.json.isComplete);
	}

	/**
	 * The events that these bytes complete.
	 *
	 * @throws {BodyTooLongError} before a body without end fills the memory
	 */
	push(bytes: Uint8Array): ServerSentEvent[] {
		if (this.kind !== 'unknown') return this.take(bytes);
		const first = bytes.find((byte) => !isBlank(byte));
		this.held.push(bytes);
		if (first === undefined) {
			// Blanks without end mean nothing.
			this.heldLength += bytes.byteLength;
			if (this.heldLength > MAX_PAGE_LENGTH) this.held = [];
			return [];
		}
		this.kind = this.kindBy(String.fromCharCode(first));
		return this.held.splice(0).flatMap((piece) => this.take(piece));
	}

	/** The events that the end of the body completes. A JSON answer comes as one event named `whole-answer`. */
	end(): ServerSentEvent[] {
		if (this.kind === 'whole') return [{ event: 'whole-answer', data: this.text + this.textDecoder.decode() }];
		if (this.kind === 'lines') return [...this.ndjson.push(this.textDecoder.decode()), ...this.ndjson.end()];
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

	/** A second value behind the first one shows that these are JSON lines, whatever the server calls them. */
	private takeWhole(piece: string): ServerSentEvent[] {
		this.text += piece;
		if (this.text.length > MAX_WHOLE_LENGTH) throw new BodyTooLongError();
		const after = this.json.isComplete ? 0 : this.json.push(piece);
		if (after === undefined || !/^\s*[{[]/.test(piece.slice(after))) return [];
		this.kind = 'lines';
		return this.ndjson.push(this.text);
	}

	private kindBy(first: string): 'events' | 'lines' | 'whole' | 'page' {
		if (first === '<') return 'page';
		const isJson = first === '{' || first === '[';
		if (isJson && (this.framing === 'ndjson' || LINES_TYPE.test(this.contentType))) return 'lines';
		if (isJson) return 'whole';
		if (/\bjson\b/i.test(this.contentType) && !BEGINS_FIELD.test(first)) return 'whole';
		return this.framing === 'ndjson' && !BEGINS_FIELD.test(first) ? 'lines' : 'events';
	}
}

/** White space, and the three bytes of a byte-order mark. */
function isBlank(byte: number): boolean {
	return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0xef || byte === 0xbb || byte === 0xbf;
}
