import { piecesUntil } from './answer';
import { BodyReader } from './body-reader';
import type { ServerError } from '../errors/server-error';
import type { BodyReading } from './download';
import type { ServerSentEvent } from './sse';
import { inTimeSlices, timeSlices } from './time-slices';
import type { UnreadAnswer, Beginning, EventStream, Framing } from './types';

const MAX_END_MS = 3_000;

interface Reading extends BodyReading {
	framing?: Framing;
	/** Masks the credential's keys in an event. */
	maskKeys?: (text: string) => Generator<void, string>;
	/** Called with every piece that arrives. */
	onBytes?: () => void;
	/** The error for a web page in place of the stream. */
	refusePage: (page: string) => ServerError;
}

/** The body of an answer as events, with time limits. */
export function eventStream(
	answer: UnreadAnswer,
	{ framing, maskKeys, watchdog, end, explain, onBytes, refusePage }: Reading,
): EventStream {
	const reader = new BodyReader(answer.headers['content-type'], framing);
	const close = () => {
		end();
		answer.close();
	};
	function* shown(events: ServerSentEvent[]): Generator<void, ServerSentEvent[]> {
		if (maskKeys === undefined) return events;
		const masked: ServerSentEvent[] = [];
		for (const event of events) {
			masked.push({ ...event, data: yield* maskKeys(event.data) });
			yield;
		}
		return masked;
	}
	async function* batches(): AsyncGenerator<ServerSentEvent[]> {
		let overAt = Infinity;
		try {
			for await (const bytes of piecesUntil(answer.body, () => overAt)) {
				onBytes?.();
				const events = reader.push(bytes);
				if (!reader.mayBeOver) overAt = Infinity;
				else if (overAt === Infinity) overAt = performance.now() + MAX_END_MS;
				if (events.length > 0) yield await inTimeSlices(shown(events));
			}
			const last = reader.end();
			if (last.length > 0) yield await inTimeSlices(shown(last));
			if (reader.page !== undefined) throw refusePage(reader.page);
		} catch (error) {
			throw explain(error);
		} finally {
			close();
		}
	}
	return {
		url: answer.url,
		status: answer.status,
		headers: answer.headers,
		batches: batches(),
		content: () => watchdog.content(),
		expectEnd: () => watchdog.finishing(MAX_END_MS),
		framing: () => reader.foundFraming,
		strayLines: () => reader.strayLines,
		close,
	};
}

/**
 * Reads a stream up to its first content, without consuming that.
 *
 * @returns the stream, or the failure before it began
 */
export async function untilBegun(
	stream: EventStream,
	{ seen, ended }: Beginning,
): Promise<EventStream | { failed: ServerError }> {
	const rest = stream.batches[Symbol.asyncIterator]();
	const peeked: ServerSentEvent[][] = [];
	const pause = timeSlices();
	for (;;) {
		const next = await rest.next();
		const verdict = next.done === true ? (ended(stream) ?? true) : seen(next.value, stream);
		if (next.done !== true) peeked.push(next.value);
		if (typeof verdict === 'object') return { failed: verdict };
		if (verdict) break;
	}
	// What was looked at here is decoded once more.
	await pause();
	const next = async () => (peeked.length > 0 ? { value: peeked.shift()! } : await rest.next());
	const leave = async () => {
		stream.close();
		return (await rest.return?.()) ?? { done: true as const, value: undefined };
	};
	return { ...stream, batches: { [Symbol.asyncIterator]: () => ({ next, return: leave }) } };
}
