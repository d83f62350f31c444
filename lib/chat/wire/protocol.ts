import type { ServerSentEvent } from '../../http/sse';
import type { Framing } from '../../http/types';
import { excessIn } from '../../json';
import { type JsonRecord } from '../../values';
import type { ChatRequest, WireChunk } from '../types';

/**
 * A wire protocol. All other code knows only `ChatRequest` and `WireChunk`, so a new protocol is one more object of
 * this type.
 */
export interface ChatProtocol {
	/** How the stream of an answer is framed. */
	framing: Framing;
	/** The URL for a generation. */
	url(server: { api: string; root: string }): string;
	/** The request body for JSON. The order of keys is fixed: prompt caches and tests rely on it. */
	body(request: ChatRequest): JsonRecord;
	/**
	 * Reads the documented fields of one event; the transforms of `answer/chain.ts` know the habits of servers.
	 * `whole-answer` events hold a complete JSON answer.
	 *
	 * @throws {UnreadableEvent}
	 */
	decode(event: ServerSentEvent): WireChunk;
}

/** An event that the protocol does not allow; the message quotes it. */
export class UnreadableEvent extends Error {
	/** @param data quoted from its beginning */
	constructor(what: string, data?: string) {
		super(data === undefined ? what : `${what}: ${data.slice(0, 200)}`);
	}
}

export function notAnObject(data: string): UnreadableEvent {
	return new UnreadableEvent(excessIn(data) ?? 'not a JSON object', data);
}
