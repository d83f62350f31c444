import { failure } from '../errors/failure';
import { kindOfMessage } from '../errors/kind-of-message';
import type { Connection } from '../http/connection';
import type { ServerSentEvent } from '../http/sse';
import type { Beginning, ErrorContext, EventStream } from '../http/types';
import { quietly } from '../values';
import { eventChain } from './answer/chain';
import { bringsContent } from './answer/read-batch';
import { errorAmong } from './answer/stray-lines';
import type { WireChunk } from './types';

/**
 * Checks a stream up to its first content. An error there is classified like an HTTP error, so that the same waiting
 * and retries apply.
 */
export function beginningOf(
	connection: Connection,
	decode: (event: ServerSentEvent) => WireChunk,
	about?: ErrorContext,
): Beginning {
	const chain = eventChain();
	let hasEvents = false;
	const errorIn = (body: string, { url }: EventStream) => connection.errorInBody(body, url, about);
	return {
		seen(events, stream) {
			for (const event of events) {
				const chunks = quietly(() => [...chain.push(decode(event))]);
				// The reader handles unreadable events, together with what follows.
				if (chunks === undefined) return true;
				for (const chunk of chunks) {
					if (chunk.error !== undefined) return errorIn(event.data, stream);
					if (isContent(chunk)) return true;
					hasEvents ||= chunk.done !== true;
				}
			}
			return false;
		},
		ended(stream) {
			const lines = stream.strayLines();
			const error = errorAmong(lines);
			if (error !== undefined) return errorIn(error, stream);
			const text = lines.join('\n');
			if (kindOfMessage(text) !== undefined) return errorIn(text, stream);
			if (hasEvents || text !== '') return undefined;
			const context = connection.contextOf(stream.url, about);
			return failure('streamEndedEarly', context, {
				status: stream.status,
				facts: { isEmptyStream: true },
			});
		},
	};
}

/** Whether from here on the answer is read: an error is then one in its middle. */
function isContent(chunk: WireChunk): boolean {
	return bringsContent(chunk) || chunk.finishReason !== undefined || chunk.progress !== undefined;
}
