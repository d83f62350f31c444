import { createParser, type EventSourceMessage, type ParseError } from './vendor';

export interface ServerSentEvent {
	/** The `event:` line, where there was one. */
	event?: string;
	/** The `data:` lines, joined with a line feed. */
	data: string;
}

/**
 * Decodes a body of server-sent events, however it is cut into pieces: inside a character, between CR and LF, with a
 * byte-order mark, comments, and unknown fields. Fed with bytes, it returns the events that became complete.
 */
export class SseDecoder {
	private readonly decoder = new TextDecoder('utf-8');
	private events: ServerSentEvent[] = [];
	private noise: string[] = [];
	private readonly parser = createParser({
		onEvent: ({ event, data }: EventSourceMessage) => {
			this.events.push(event === undefined ? { data } : { event, data });
		},
		onError: (error: ParseError) => {
			if (error.type !== 'unknown-field') return;
			// Old llama-server releases wrote `error: {…}` in place of a data line.
			if (error.field === 'error' && error.value?.trimStart().startsWith('{')) this.events.push({ event: 'error', data: error.value });
			else if (this.noise.length < 20 && error.line) this.noise.push(error.line.slice(0, 500));
		},
	});

	/** Lines that are no field of an event stream, for example a router's `proxy error: …`. */
	get strayLines(): readonly string[] {
		return this.noise;
	}

	push(bytes: Uint8Array): ServerSentEvent[] {
		return this.feed(this.decoder.decode(bytes, { stream: true }));
	}

	/** The end of the body: an event without its closing blank line still counts, as servers forget it. */
	end(): ServerSentEvent[] {
		const rest = this.feed(this.decoder.decode());
		return [...rest, ...this.feed('\n\n')];
	}

	private feed(text: string): ServerSentEvent[] {
		if (text !== '') this.parser.feed(text);
		if (this.events.length === 0) return [];
		const complete = this.events;
		this.events = [];
		return complete;
	}
}
