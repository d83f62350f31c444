import type { Answer } from './answer';
import { BodyReader } from './body-reader';
import type { ServerError } from '../errors/server-error';
import type { Watchdog } from './limits';
import type { ServerSentEvent } from './sse';
import type { EventStream } from './types';

const END_MARKER_MS = 3_000;

interface Reading {
	watchdog: Watchdog;
	/** Called when the connection is closed, whoever closes it. */
	end: () => void;
	/** Turns an error while reading into one that says what it means. */
	explain: (error: unknown) => ServerError;
	/** Called with every piece that arrives. */
	onBytes?: () => void;
	/** The error for a web page in place of the stream. */
	refusePage: (page: string) => ServerError;
}

/** The body of an answer as events, under the watch of the limits. */
export function eventStream(answer: Answer, { watchdog, end, explain, onBytes, refusePage }: Reading): EventStream {
	const reader = new BodyReader(answer.headers['content-type']);
	const close = () => {
		end();
		answer.close();
	};
	async function* batches(): AsyncGenerator<ServerSentEvent[]> {
		try {
			for await (const bytes of answer.body) {
				watchdog.touch();
				onBytes?.();
				const events = reader.push(bytes);
				if (events.length === 0) continue;
				watchdog.progress();
				yield events;
			}
			const last = reader.end();
			if (last.length > 0) yield last;
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
		firstToken: () => watchdog.firstToken(),
		finishing: () => watchdog.finishing(END_MARKER_MS),
		strayLines: () => reader.strayLines,
		close,
	};
}
