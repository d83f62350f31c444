import { parseObject } from '../json';
import { JsonEnd } from './json-end';
import { BodyTooLongError, EVENT_BOUND, MAX_EVENT_LENGTH } from './too-long';
import { createParser, type EventSourceMessage, type ParseError } from '../vendor';

export interface ServerSentEvent {
	/** The `event:` line, where there was one. */
	event?: string;
	/** The `data:` lines, joined with a line feed. */
	data: string;
}

/** Stray lines that an error can show, and their length. */
const MAX_SHOWN_LINES = 20;
const MAX_SHOWN_LENGTH = 500;
/** With more lines that belong to no event, a log or another text answers here. */
const MAX_STRAY_LINES = 10_000;
const STRAY_LINES_BOUND = '10,000 lines that are no events';
/** Lines with an unknown field name: the parser takes 20 µs for each. */
const MAX_UNKNOWN_FIELDS = 100_000;
/** Events in the data of one, of home-made servers that do not part them. */
const MAX_UNPARTED_EVENTS = 10_000;
const UNPARTED_EVENTS_BOUND = '10,000 events in the data of one';

/** Collects lines that belong to no event, as many as an error can show. */
export class StrayLines {
	readonly lines: string[] = [];
	private count = 0;

	/** @throws {BodyTooLongError} for more than 10,000 lines */
	add(line: string): void {
		if (line === '') return;
		this.count += 1;
		if (this.count > MAX_STRAY_LINES) throw new BodyTooLongError(STRAY_LINES_BOUND);
		if (this.lines.length < MAX_SHOWN_LINES) this.lines.push(line.slice(0, MAX_SHOWN_LENGTH));
	}
}

/**
 * A blank line, which ends an event, with any kind of line end. The text always follows a line end, so it also matches
 * at its beginning.
 */
const BLANK_LINE = /(?:^|\n|\r)(?:\r\n|\n|\r(?!\n))/;

/** Some servers add `data: `, although their framework (sse-starlette) adds it, too. */
const DATA_TWICE = /^(?:data:\s*)+(?=[{[])/;

/** Possibly several values in one line. */
const SEVERAL_IN_LINE = /\}[ \t]*(?:data:[ \t]*)?(?:\{|\[DONE\])/;

/** Splits a line with several JSON values or end markers; other data is returned unchanged. */
function valuesIn(data: string): string[] {
	const values: string[] = [];
	let rest = data.trim();
	while (rest !== '') {
		const end = rest.startsWith('{') ? new JsonEnd().push(rest) : undefined;
		const value = end === undefined ? rest : rest.slice(0, end);
		if (!isWholeEvent(value)) return [data];
		values.push(value);
		if (values.length > MAX_UNPARTED_EVENTS) throw new BodyTooLongError(UNPARTED_EVENTS_BOUND);
		rest = rest.slice(value.length).replace(/^\s*(?:data:\s*)?/, '');
	}
	return values;
}

/**
 * Splits the data of several events: home-made servers omit the blank line between them, so that each line is its own
 * JSON.
 *
 * @throws {BodyTooLongError} for more than 10,000 events
 */
function eventsIn(data: string): string[] {
	if (SEVERAL_IN_LINE.test(data)) return valuesIn(withoutPrefix(data));
	return linesIn(data).map(withoutPrefix);
}

/** The lines of the data where each is an event; else the data as it is. */
function linesIn(data: string): string[] {
	if (!data.includes('\n')) return [data];
	const lines = data.split('\n').filter((line) => line.trim() !== '');
	const checked = lines.slice(0, MAX_UNPARTED_EVENTS);
	const areEvents = lines.length > 0 && checked.every((line) => isWholeEvent(withoutPrefix(line)));
	if (!areEvents) return [data];
	if (lines.length > checked.length) throw new BodyTooLongError(UNPARTED_EVENTS_BOUND);
	return lines;
}

function withoutPrefix(data: string): string {
	return data.replace(DATA_TWICE, '');
}

function isWholeEvent(data: string): boolean {
	return data.trim() === '[DONE]' || parseObject(data) !== undefined;
}

/**
 * Decodes server-sent events, independent of how the bytes were split: inside a character, or between CR and LF.
 * Handles byte-order marks, comments, and unknown fields.
 */
export class SseDecoder {
	private readonly decoder = new TextDecoder('utf-8');
	private events: ServerSentEvent[] = [];
	private readonly noise = new StrayLines();
	/** An unfinished line, as pieces, so that a long one is not concatenated repeatedly. */
	private unfinished: string[] = [];
	private unknownFields = 0;
	/** Characters since the last event or blank line. */
	private length = 0;
	private readonly parser = createParser({
		onEvent: ({ event, data }: EventSourceMessage) => {
			for (const one of eventsIn(data))
				this.events.push(event === undefined ? { data: one } : { event, data: one });
		},
		onError: (error: ParseError) => {
			if (error.type === 'unknown-field') this.takeUnknownField(error);
		},
	});

	/** Lines that are no field of an event, for example a router's `proxy error: …`. */
	get strayLines(): readonly string[] {
		return this.noise.lines;
	}

	/**
	 * The events completed by these bytes.
	 *
	 * @throws {BodyTooLongError} for an event or a line of more than 16 million characters
	 */
	push(bytes: Uint8Array): ServerSentEvent[] {
		return this.feed(this.decoder.decode(bytes, { stream: true }));
	}

	/** At the end of the body: also returns an event without the final blank line, which some servers omit. */
	end(): ServerSentEvent[] {
		const rest = this.feed(this.decoder.decode());
		return [...rest, ...this.feed('\n\n')];
	}

	/** @throws {BodyTooLongError} for more than 100,000 of them */
	private takeUnknownField({ field = '', value = '', line = '' }: ParseError): void {
		this.unknownFields += 1;
		if (this.unknownFields > MAX_UNKNOWN_FIELDS)
			throw new BodyTooLongError('100,000 lines with an unknown field');
		// Old llama-server releases send `error: {…}` in place of a data line.
		if (field === 'error' && value.trimStart().startsWith('{'))
			this.events.push({ event: 'error', data: value });
		// Home-made servers write field names in capitals.
		else if (field.toLowerCase() === 'data')
			for (const data of eventsIn(value.trim())) this.events.push({ data });
		else this.noise.add(line);
	}

	/**
	 * Passes only whole lines to the parser, which silently drops a partial line that cannot become a known field, for
	 * example half of an `error:` or `proxy error:` line.
	 */
	private feed(text: string): ServerSentEvent[] {
		this.length += text.length;
		if (this.length > MAX_EVENT_LENGTH) throw new BodyTooLongError(EVENT_BOUND);
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
