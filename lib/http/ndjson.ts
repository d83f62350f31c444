import { JsonEnd } from './json-end';
import { BodyTooLongError, MAX_EVENT_LENGTH } from './too-long';
import { StrayLines, type ServerSentEvent } from './sse';

/**
 * Decodes a body of JSON values, one per line as Ollama's own API streams them, however it is cut into pieces. A value
 * ends with its last bracket rather than with its line: some servers write several into one line, or one over several
 * lines.
 */
export class NdjsonDecoder {
	private readonly noise = new StrayLines();
	private value = new JsonEnd();
	/** The beginning of a value or of a stray line. In pieces, so that a long one costs no repeated joining. */
	private unfinished: string[] = [];
	private length = 0;
	private reading: 'nothing' | 'value' | 'stray' = 'nothing';

	/** Lines that hold no JSON, for example a proxy's `upstream error`. */
	get strayLines(): readonly string[] {
		return this.noise.lines;
	}

	/**
	 * The values that this piece of the text completes, each as the data of one event.
	 *
	 * @throws {BodyTooLongError} for a value or a line of more than 16 million characters
	 */
	push(piece: string): ServerSentEvent[] {
		const events: ServerSentEvent[] = [];
		for (let at = 0; at < piece.length; ) at = this.step(piece, at, events);
		return events;
	}

	/** The end of the body: a value that was cut there is handed out as it is. */
	end(): ServerSentEvent[] {
		const events: ServerSentEvent[] = [];
		if (this.reading === 'value') this.finish(events);
		if (this.reading === 'stray') this.finishStray();
		return events;
	}

	/** Reads on from `at`. @returns how far it came */
	private step(text: string, at: number, events: ServerSentEvent[]): number {
		if (this.reading === 'nothing') return this.begin(text, at);
		const lineEnd = nextLineEnd(text, at);
		const line = text.slice(at, lineEnd);
		const end = this.reading === 'value' ? this.value.push(line) : undefined;
		this.keep(end === undefined ? line : line.slice(0, end));
		if (end !== undefined) {
			this.finish(events);
			return at + end;
		}
		if (!line.endsWith('\n')) return lineEnd;
		if (this.reading === 'stray') this.finishStray();
		// A line that was cut inside a string: the next one begins a value of its own.
		else if (this.value.isInString) this.finish(events);
		return lineEnd;
	}

	private begin(text: string, at: number): number {
		const first = text[at]!;
		// White space, the byte-order mark, and what stands between values that are elements of one list.
		if (/[\s\uFEFF,]/.test(first)) return at + 1;
		this.reading = first === '{' || first === '[' ? 'value' : 'stray';
		return at;
	}

	private keep(piece: string): void {
		this.length += piece.length;
		if (this.length > MAX_EVENT_LENGTH) throw new BodyTooLongError();
		this.unfinished.push(piece);
	}

	private finish(events: ServerSentEvent[]): void {
		events.push({ data: this.take().trimEnd() });
		this.value = new JsonEnd();
	}

	private finishStray(): void {
		this.noise.add(this.take().trimEnd());
	}

	private take(): string {
		const text = this.unfinished.join('');
		this.unfinished = [];
		this.length = 0;
		this.reading = 'nothing';
		return text;
	}
}

/** The index behind the next line end, or that of the end of the text. */
function nextLineEnd(text: string, from: number): number {
	const at = text.indexOf('\n', from);
	return at < 0 ? text.length : at + 1;
}
