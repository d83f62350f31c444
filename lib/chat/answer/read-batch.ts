import { failure } from '../../errors/failure';
import { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { ServerSentEvent } from '../../http/sse';
import type { EventStream } from '../../http/types';
import { parseJson } from '../../values';
import type { Assembly } from './assembly';
import type { LoadingMessages } from './loading-messages';
import type { SplitText, WireChunk } from '../types';
import type { ChatProtocol } from '../wire/protocol';

/** The stream that is read, and how. */
export interface Reading {
	connection: Connection;
	protocol: ChatProtocol;
	reader: EventStream;
	model: string;
	chatter: LoadingMessages;
	onChunk?: (chunk: WireChunk) => void;
}

/** An event that the protocol does not allow. */
export interface Unreadable {
	error: ServerError;
	line: string;
	/** It was the last event so far, and is unfinished JSON: the stream may have been cut there. */
	mayBeCut: boolean;
}

/** Reads a batch of events, up to the end of the answer or to an unreadable event. */
export function readBatch(
	batch: ServerSentEvent[],
	assembly: Assembly,
	reading: Reading,
): { step: SplitText; unreadable?: Unreadable } {
	const sum: SplitText = { text: '', reasoning: '' };
	let brought = false;
	for (let index = 0; index < batch.length && !assembly.complete; index++) {
		const event = batch[index]!;
		const chunk = decode(event, reading);
		if (chunk instanceof ServerError) {
			const line = reading.connection.maskStart(event.data, 500);
			const mayBeCut =
				index === batch.length - 1 && line.startsWith('{') && parseJson(event.data) === undefined;
			if (brought) reading.reader.content();
			return { step: sum, unreadable: { error: chunk, line, mayBeCut } };
		}
		if (reading.chatter.take(chunk)) continue;
		reading.onChunk?.(chunk);
		brought ||= bringsContent(chunk);
		const step = assembly.push(chunk);
		sum.text += step.text;
		sum.reasoning += step.reasoning;
	}
	if (brought) reading.reader.content();
	return { step: sum };
}

function decode(
	event: ServerSentEvent,
	{ connection, protocol, reader, model }: Reading,
): WireChunk | ServerError {
	try {
		return protocol.decode(event);
	} catch (error) {
		return failure('invalidAnswer', connection.contextOf(reader.url, { model }), {
			status: reader.status,
			serverText: connection.mask(error instanceof Error ? error.message : event.data),
			facts: { line: connection.maskStart(event.data, 500) },
		});
	}
}

/** Whether a chunk has content. Empty ones may be heartbeats of a server whose GPU hangs. */
export function bringsContent({ text, reasoning, toolCalls }: WireChunk): boolean {
	if (text || reasoning) return true;
	return (
		toolCalls?.some(({ name, arguments: args }) => name || (args !== undefined && args !== '')) ??
		false
	);
}
