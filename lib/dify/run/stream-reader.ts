import type { ServerSentEvent } from '../../http/sse';
import { inTimeSlices } from '../../http/time-slices';
import type { EventStream } from '../../http/types';
import { asFailed, ServerError } from '../../errors/server-error';
import { excessIn, parseJson, parseJsonSteps } from '../../json';
import { messageOf, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { answerError } from '../errors/failure';
import type { Closing, Fact } from './observation';

/** The request that opens a stream. */
export interface StreamRequest {
	url: string;
	method?: 'GET';
	json?: JsonRecord;
}

/** Reads a stream of Dify, and turns it into facts. */
export class StreamReader {
	private readonly aborter = new AbortController();
	private stream: EventStream | undefined;
	private isReadingEvents = false;
	private goOn = () => {};

	constructor(
		private readonly number: number,
		private readonly put: (fact: Fact) => void,
	) {}

	/** Reads the answer to its end, whatever its end is. */
	async read(client: DifyClient, { url, ...request }: StreamRequest): Promise<void> {
		const { number, put } = this;
		const reading = this.readToEnd(client, url, request);
		const closing = await reading.catch((error: unknown) => this.closingOf(error));
		const { detail } = closing;
		if (detail !== undefined) closing.detail = client.connection.mask(detail);
		put({ type: 'closed', stream: number, closing });
	}

	/** Reads on, after the events that were told have been dealt with. */
	readOn(): void {
		this.goOn();
	}

	/** Closes the connection, also while it is being made. */
	close(): void {
		this.aborter.abort();
		this.stream?.close();
		this.goOn();
	}

	private async readToEnd(
		client: DifyClient,
		url: string,
		request: Omit<StreamRequest, 'url'>,
	): Promise<Closing> {
		const { number, put } = this;
		const onBytes = () => put({ type: 'bytes', stream: number });
		const stream = await client.stream(url, { ...request, signal: this.aborter.signal, onBytes });
		this.stream = stream;
		this.isReadingEvents = true;
		const head = { url: stream.url, headers: stream.headers };
		put({ type: 'answered', stream: number, head });
		for await (const batch of stream.batches) {
			const whole = batch.find(({ event }) => event === 'whole-answer');
			if (whole !== undefined) {
				this.isReadingEvents = false;
				throw wholeAnswer(client, stream, whole.data);
			}
			const dealtWith = new Promise<void>((resolve) => (this.goOn = resolve));
			const { events, excess } = await inTimeSlices(this.parseAll(batch));
			put({ type: 'events', stream: number, events });
			await dealtWith;
			if (excess !== undefined) throw tooMuch(client, stream.url, excess);
		}
		return { reason: 'eof', detail: stream.strayLines()[0] };
	}

	/** The events in front of the first one that is beyond the bounds of what is read, and what is too much in that. */
	private *parseAll(
		batch: readonly ServerSentEvent[],
	): Generator<void, { events: unknown[]; excess?: string }> {
		const events: unknown[] = [];
		for (const { data } of batch) {
			const event = yield* parseJsonSteps(data);
			const excess = event === undefined ? excessIn(data) : undefined;
			if (excess !== undefined) return { events, excess };
			events.push(event);
			yield;
		}
		return { events };
	}

	/** A failure between events is a broken connection, unless it has a status: then it is an answer. */
	private closingOf(error: unknown): Closing {
		const isAnswer = error instanceof ServerError && error.status !== undefined;
		if (this.isReadingEvents && !isAnswer) return { reason: 'closed', detail: errorText(error) };
		return { reason: 'closed', ...asFailed(error) };
	}
}

/** The error of a JSON answer in place of a stream, mostly one of Dify with the status 200. */
function wholeAnswer({ connection }: DifyClient, stream: EventStream, text: string): ServerError {
	const { url, status, headers } = stream;
	return answerError(connection, { url, status, headers, text, json: parseJson(text) }, 'POST');
}

function tooMuch({ connection }: DifyClient, url: string, excess: string): ServerError {
	return connection.failure('invalidAnswer', {
		url,
		message: `The app sent ${excess}, which is not read`,
		remedy: 'Let the app put out less at once.',
	});
}

/** Text of an error; undefined for a broken connection, which is reported anyway. */
function errorText(error: unknown): string | undefined {
	if (!(error instanceof ServerError)) return messageOf(error);
	return error.kind === 'connectionLost' ? undefined : error.meaning;
}
