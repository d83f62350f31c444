import { SseDecoder, type ServerSentEvent } from './sse';

const MOST_OF_A_PAGE = 64 * 1024;

/** What begins a line of an event stream: a comment, or one of its four fields. */
const BEGINS_FIELD = /[:deir]/;

/**
 * Reads the body of a successful answer to a request for a stream. What it is shows in its first character rather than in
 * its content type: servers that cannot stream answer with JSON (contract llama-server, case 44), and frameworks label
 * event streams as JSON or HTML.
 */
export class BodyReader {
	private kind: 'unknown' | 'events' | 'whole' | 'page' = 'unknown';
	private held: Uint8Array[] = [];
	private text = '';
	private readonly textDecoder = new TextDecoder('utf-8');
	private readonly sse = new SseDecoder();

	constructor(private readonly contentType = '') {}

	/** Lines in an event stream that were no fields. */
	get strayLines(): readonly string[] {
		return this.sse.strayLines;
	}

	/** The beginning of a web page that came in place of an answer. */
	get page(): string | undefined {
		return this.kind === 'page' ? this.text : undefined;
	}

	/** The events that these bytes complete. */
	push(bytes: Uint8Array): ServerSentEvent[] {
		if (this.kind !== 'unknown') return this.take(bytes);
		this.held.push(bytes);
		const first = bytes.find((byte) => !isBlank(byte));
		if (first === undefined) return [];
		this.kind = this.kindBy(String.fromCharCode(first));
		return this.held.splice(0).flatMap((piece) => this.take(piece));
	}

	/** The events that the end of the body completes. A JSON answer comes as one event named `whole-answer`. */
	end(): ServerSentEvent[] {
		if (this.kind === 'whole') return [{ event: 'whole-answer', data: this.text + this.textDecoder.decode() }];
		return this.kind === 'events' ? this.sse.end() : [];
	}

	private take(bytes: Uint8Array): ServerSentEvent[] {
		if (this.kind === 'events') return this.sse.push(bytes);
		if (this.kind === 'whole' || this.text.length < MOST_OF_A_PAGE)
			this.text += this.textDecoder.decode(bytes, { stream: true });
		return [];
	}

	private kindBy(first: string): 'events' | 'whole' | 'page' {
		// One JSON object per line is a stream of its own kind.
		if (/ndjson/i.test(this.contentType)) return 'events';
		if (first === '<') return 'page';
		if (first === '{' || first === '[') return 'whole';
		return /\bjson\b/i.test(this.contentType) && !BEGINS_FIELD.test(first) ? 'whole' : 'events';
	}
}

/** White space, and the three bytes of a byte-order mark. */
function isBlank(byte: number): boolean {
	return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0xef || byte === 0xbb || byte === 0xbf;
}
