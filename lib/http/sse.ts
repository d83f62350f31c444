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

/** Collects lines that belong to no event, as many as an error can show. */
export class StrayLines {
	readonly lines: string[] = [];

	add(line: string): void {
		if (line !== '' && this.lines.length < MAX_STRAY_LINES)
			this.lines.push(line.slice(0, MAX_STRAY_LENGTH));
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
 * Splits the data of several events: home-made servers omit the blank line between them, so that each line is its own
 * JSON.
 */
function eventsIn(data: string): string[] {
	if (SEVERAL_IN_LINE.test(data)) return valuesIn(data.replace(DATA_TWICE, ''));
	const lines = data.includes('\n') ? data.split('\n').filter((line) => line.trim() !== '') : [];
	const isAlone = (line: string) =>
		line.trim() === '[DONE]' || parseObject(line.replace(DATA_TWICE, '')) !== undefined;
	const events = lines.length > 0 && lines.every(isAlone) ? lines : [data];
	return events.map((one) => one.replace(DATA_TWICE, ''));
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
	/** Characters since the last event or blank line. */
	private length = 0;
	private readonly parser = createParser({
		onEvent: ({ event, data }: EventSourceMessage) => {
			for (const one of eventsIn(data))
				this.events.push(event === undefined ? { data: one } : { event, data: one });
		},
		onError: (error: ParseError) => {
			if (error.type !== 'unknown-field') return;
			// Old llama-server releases send `error: {…}` in place of a data line.
			if (error.field === 'error' && error.value?.trimStart().startsWith('{'))
				this.events.push({ event: 'error', data: error.value });
			// Home-made servers write field names in capitals.
			else if (error.field?.toLowerCase() === 'data')
				for (const one of eventsIn((error.value ?? '').trim())) this.events.push({ data: one });
			else this.noise.add(error.line ?? '');
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

	/**
	 * Passes only whole lines to the parser, which silently drops a partial line that cannot become a known field, for
	 * example half of an `error:` or `proxy error:` line.
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
