import { parseObject } from '../values';
import { JsonEnd } from './json-end';
import { BodyTooLongError, MAX_EVENT_LENGTH } from './too-long';
import { createParser, type EventSourceMessage, type ParseError } from '../vendor';

export interface ServerSentEvent {
	/** The `event:` line, where there was one. */
	event?: string;
	/** The `data:` lines, joined with a line feed. */
	data: string;
}

const MAX_STRAY_LINES = 20;
const MAX_STRAY_LENGTH = 500;

/** Lines of a body that belong to no event: as many as an error can show. */
export class StrayLines {
	readonly lines: string[] = [];

	add(line: string): void {
		if (line !== '' && this.lines.length < MAX_STRAY_LINES) this.lines.push(line.slice(0, MAX_STRAY_LENGTH));
	}
}

/** Ends an event. Line ends of all three kinds, at the beginning of a text too: it follows a line end. */
const BLANK_LINE = /(?:^|\n|\r)(?:\r\n|\n|\r(?!\n))/;

/** Servers that write `data: ` in front of what their framework writes it in front of as well (sse-starlette). */
const DATA_TWICE = /^(?:data:\s*)+(?=[{[])/;

/** Two values that may stand behind each other in one line. */
const SEVERAL_IN_LINE = /\}[ \t]*(?:data:[ \t]*)?(?:\{|\[DONE\])/;

/** JSON values, and the end marker, that a server wrote into one line; the data as it is where it is one value. */
function valuesIn(data: string): string[] {
	const values: string[] = [];
	for (let rest = data.trim(); rest !== ''; ) {
		const end = rest.startsWith('{') ? new JsonEnd().push(rest) : undefined;
		const value = end === undefined ? rest : rest.slice(0, end);
		if (value !== '[DONE]' && parseObject(value) === undefined) return [data];
		values.push(value);
		rest = rest.slice(value.length).replace(/^\s*(?:data:\s*)?/, '');
	}
	return values;
}

/**
 * The data of an event, or of several: home-made servers leave the blank line between events out, so that each line is
 * JSON of its own.
 */
function eventsIn(data: string): string[] {
	if (SEVERAL_IN_LINE.test(data)) return valuesIn(data.replace(DATA_TWICE, ''));
	const lines = data.includes('\n') ? data.split('\n').filter((line) => line.trim() !== '') : [];
	const isAlone = (line: string) => line.trim() === '[DONE]' || parseObject(line.replace(DATA_TWICE, '')) !== undefined;
	const events = lines.length > 0 && lines.every(isAlone) ? lines : [data];
	return events.map((one) => one.replace(DATA_TWICE, ''));
}

/**
 * Decodes a body of server-sent events, however it is cut into pieces: inside a character, between CR and LF, with a
 * byte-order mark, comments, and unknown fields. Fed with bytes, it returns the events that became complete.
 */
export class SseDecoder {
	private readonly decoder = new TextDecoder('utf-8');
	private events: ServerSentEvent[] = [];
	private readonly noise = new StrayLines();
	/** The beginning of a line whose end has not arrived. In pieces, so that a long line costs no repeated joining. */
	private unfinished: string[] = [];
	/** Characters since the last event or blank line. */
	private length = 0;
	private readonly parser = createParser({
		onEvent: ({ event, data }: EventSourceMessage) => {
			for (const one of eventsIn(data)) this.events.push(event === undefined ? { data: one } : { event, data: one });
		},
		onError: (error: ParseError) => {
			if (error.type !== 'unknown-field') return;
			// Old llama-server releases wrote `error: {…}` in place of a data line.
			if (error.field === 'error' && error.value?.trimStart().startsWith('{'))
				this.events.push({ event: 'error', data: error.value });
			// Home-made servers write field names in capitals.
			else if (error.field?.toLowerCase() === 'data')
				for (const one of eventsIn((error.value ?? '').trim())) this.events.push({ data: one });
			else this.noise.add(error.line ?? '');
		},
	});

	/** Lines that are no field of an event stream, for example a router's `proxy error: …`. */
	get strayLines(): readonly string[] {
		return this.noise.lines;
	}

	/**
	 * The events that these bytes complete.
	 *
	 * @throws {BodyTooLongError} for an event or a line of more than 16 million characters
	 */
	push(bytes: Uint8Array): ServerSentEvent[] {
		return this.feed(this.decoder.decode(bytes, { stream: true }));
	}

	/** The end of the body: an event without its closing blank line still counts, as servers forget it. */
	end(): ServerSentEvent[] {
		const rest = this.feed(this.decoder.decode());
		return [...rest, ...this.feed('\n\n')];
	}

	/**
	 * Hands whole lines to the parser: a piece of a line that cannot become a known field is dropped by it without a
	 * word, and with it an `error:` or `proxy error:` line that two reads cut in half.
	 */
	private feed(text: string): ServerSentEvent[] {
		this.length += text.length;
		if (this.length > MAX_EVENT_LENGTH) throw new BodyTooLongError();
		const lineEnd = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
		if (lineEnd > 0) {
			const lines = text.slice(0, lineEnd);
			if (BLANK_LINE.test(lines)) this.length = text.length - lineEnd;
			this.parser.feed(this.unfinished.length === 0 ? lines : this.unfinished.join('') + lines);
			this.unfinished = lineEnd < text.length ? [text.slice(lineEnd)] : [];
		} else if (text !== '') {
			this.unfinished.push(text);
		}
		if (this.events.length === 0) return [];
		const complete = this.events;
		this.events = [];
		return complete;
	}
}
