import type { ServerSentEvent } from '../../http/sse';
import type { Framing } from '../../http/types';
import type { ChatRequest, WireChunk } from '../types';

/**
 * The seam behind which a wire protocol sits. Assembly, thinking, failures and the host bridge know only `ChatRequest`
 * and `WireChunk`; a further protocol (Ollama's native one) is one more object of this type.
 */
export interface ChatProtocol {
	/** What the stream of an answer consists of. */
	framing: Framing;
	/** Where a generation goes, from the addresses of the server. */
	url(server: { api: string; root: string }): string;
	/** The request's body, ready to be sent as JSON. Keys in a fixed order: prompt caches and tests rely on it. */
	body(request: ChatRequest): Record<string, unknown>;
	/**
	 * One event of the answer, decoded. `whole-answer` events hold a complete JSON answer.
	 *
	 * @throws {Error} when the event is not what the protocol allows; its message names the piece
	 */
	decode(event: ServerSentEvent): WireChunk;
}
