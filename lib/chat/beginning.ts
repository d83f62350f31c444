import { failure } from '../errors/failure';
import { kindOfMessage } from '../errors/message-kinds';
import type { Connection } from '../http/connection';
import type { ServerSentEvent } from '../http/sse';
import type { Beginning, ErrorContext, EventStream } from '../http/types';
import { parseObject, quietly } from '../values';
import { bringsContent } from './answer/read-batch';
import { LoadingMessages } from './answer/loading-messages';
import type { WireChunk } from './types';

/**
 * Checks a stream up to its first content. An error there is classified like an HTTP error, so that the same waiting,
 * retries and failover apply.
 */
export function beginningOf(
	connection: Connection,
	decode: (event: ServerSentEvent) => WireChunk,
	about?: ErrorContext,
): Beginning {
	const chatter = new LoadingMessages();
	let saidAnything = false;
	const errorIn = (body: string, { url }: EventStream) => connection.errorInBody(body, url, about);
	return {
		seen(events, stream) {
			for (const event of events) {
				const chunk = quietly(() => decode(event));
				// The reader handles unreadable events, together with what follows.
				if (chunk === undefined) return true;
				if (chunk.error !== undefined) return errorIn(event.data, stream);
				if (chatter.take(chunk)) continue;
				if (
					bringsContent(chunk) ||
					chunk.finishReason !== undefined ||
					chunk.progress !== undefined
				)
					return true;
				saidAnything ||= chunk.done !== true;
			}
			return false;
		},
		ended(stream) {
			const lines = stream.strayLines();
			const error = lines.find((line) => (parseObject(line)?.error ?? undefined) !== undefined);
			if (error !== undefined) return errorIn(error, stream);
			const text = lines.join('\n');
			if (kindOfMessage(text) !== undefined) return errorIn(text, stream);
			if (saidAnything || text !== '') return undefined;
			const context = connection.contextOf(stream.url, about);
			return failure('streamEndedEarly', context, {
				status: stream.status,
				facts: { isEmptyStream: true },
			});
		},
	};
}
