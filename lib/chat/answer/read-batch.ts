import { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { ServerSentEvent } from '../../http/sse';
import { inTimeSlices } from '../../http/time-slices';
import type { EventStream } from '../../http/types';
import { excessIn, parseJson } from '../../json';
import { messageOf } from '../../values';
import type { SplitText, WireChunk } from '../types';
import { type ChatProtocol, UnreadableEvent } from '../wire/protocol';
import type { Assembly } from './assembly';

/** The stream that is read, and how. */
interface Reading {
	connection: Connection;
	protocol: ChatProtocol;
	reader: EventStream;
	model: string;
}

/** An event that the protocol does not allow. */
export interface Unreadable {
	error: ServerError;
	line: string;
	/** It was the last event so far, and is unfinished JSON: the stream may have been cut there. */
	mayBeCut: boolean;
}

interface ReadEvents {
	step: SplitText;
	unreadable?: Unreadable;
}

/** Reads a batch of events, up to the end of the answer or to an unreadable event, in slices of time. */
export async function readBatch(...read: Parameters<typeof readEvents>): Promise<ReadEvents> {
	return await inTimeSlices(readEvents(...read));
}

function* readEvents(
	batch: ServerSentEvent[],
	assembly: Assembly,
	reading: Reading,
): Generator<void, ReadEvents> {
	const step: SplitText = { text: '', reasoning: '' };
	for (const [index, event] of batch.entries()) {
		if (assembly.hasEnded) break;
		try {
			yield* collect(step, assembly.push(decode(event, reading.protocol)));
		} catch (error) {
			if (!(error instanceof UnreadableEvent)) throw error as Error;
			const isLast = index === batch.length - 1;
			return { step, unreadable: unreadableOf(error, event, isLast, reading) };
		}
	}
	return { step };
}

/** Adds what is shown; n8n can answer others between two pieces. */
export function* collect(step: SplitText, pieces: Iterable<SplitText>): Generator<void, SplitText> {
	for (const { text, reasoning } of pieces) {
		step.text += text;
		step.reasoning += reasoning;
		yield;
	}
	return step;
}

function decode(event: ServerSentEvent, protocol: ChatProtocol): WireChunk {
	try {
		return protocol.decode(event);
	} catch (error) {
		throw error instanceof UnreadableEvent ? error : new UnreadableEvent(messageOf(error));
	}
}

function unreadableOf(
	{ message }: UnreadableEvent,
	{ data }: ServerSentEvent,
	isLast: boolean,
	{ connection, reader, model }: Reading,
): Unreadable {
	const line = connection.maskStart(data, 500);
	const error = connection.failure('invalidAnswer', {
		url: reader.url,
		model,
		status: reader.status,
		serverText: connection.mask(message),
		facts: { line },
	});
	const isBroken = parseJson(data) === undefined && excessIn(data) === undefined;
	const mayBeCut = isLast && line.startsWith('{') && isBroken;
	return { error, line, mayBeCut };
}

/** Whether a chunk has content. Empty ones may be heartbeats of a server whose GPU hangs. */
export function bringsContent({ text, reasoning, toolCalls }: WireChunk): boolean {
	if (text || reasoning) return true;
	return (
		toolCalls?.some(({ name, arguments: args }) => name || (args !== undefined && args !== '')) ??
		false
	);
}
