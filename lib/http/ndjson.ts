import { JsonEnd } from './json-end';
import { BodyTooLongError, EVENT_BOUND, MAX_EVENT_LENGTH } from './too-long';
import { StrayLines, type ServerSentEvent } from './sse';

/**
 * Decodes streamed JSON values, one per line as in Ollama's native API, independent of how the text was split. A value
 * ends with its last bracket, not with its line: some servers put several into one line, or one over several lines.
 */
export class NdjsonDecoder {
	private readonly noise = new StrayLines();
	private value = new JsonEnd();
	/** An unfinished value or stray line, as pieces, so that a long one is not concatenated repeatedly. */
	private unfinished: string[] = [];
	private length = 0;
	private reading: 'nothing' | 'value' | 'stray' = 'nothing';

	/** Lines without JSON, for example a proxy's `upstream error`. */
	get strayLines(): readonly string[] {
		return this.noise.lines;
	}

	/**
	 * The values completed by this piece, each as the data of one event.
	 *
	 * @throws {BodyTooLongError} for a value or a line of more than 16 million characters
	 */
	push(piece: string): ServerSentEvent[] {
		const events: ServerSentEvent[] = [];
		for (let at = 0; at < piece.length; ) at = this.step(piece, at, events);
		return events;
	}

	/** At the end of the body: returns an unfinished value as it is. */
	end(): ServerSentEvent[] {
		const events: ServerSentEvent[] = [];
		if (this.reading === 'value') this.finish(events);
		if (this.reading === 'stray') this.finishStray();
		return events;
	}

	/** Reads from index `at`. @returns the index after what was read */
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
		// A line that was cut off inside a string: the next line begins a new value.
		else if (this.value.isInString) this.finish(events);
		return lineEnd;
	}

	private begin(text: string, at: number): number {
		const first = text[at]!;
		// White space, the byte-order mark, and commas between the elements of a list.
		if (/[\s\uFEFF,]/.test(first)) return at + 1;
		this.reading = first === '{' || first === '[' ? 'value' : 'stray';
		return at;
	}

	private keep(piece: string): void {
		this.length += piece.length;
		if (this.length > MAX_EVENT_LENGTH) throw new BodyTooLongError(EVENT_BOUND);
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

/** The index after the next line end, or the end of the text. */
function nextLineEnd(text: string, from: number): number {
	const at = text.indexOf('\n', from);
	return at < 0 ? text.length : at + 1;
}
