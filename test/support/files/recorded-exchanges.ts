/** Exchanges with real model servers, kept in `test/fixtures/models/<server>/<topic>.json` (see the README of the fixtures). */
import { fixture } from '../servers/streams';

/** One field of a multipart form: a text, or a file's name, type and size. */
export interface RecordedPart {
	name: string;
	value?: string;
	filename?: string;
	type?: string;
	bytes?: number;
}

export interface RecordedExchange {
	name: string;
	method: string;
	/** Path and query. */
	path: string;
	/** Without those that belong to the connection. */
	headers?: Record<string, string>;
	/** Unchanged. */
	body?: string;
	multipart?: RecordedPart[];
	/** How the answer ended, if it is incomplete. */
	ended?: 'closed' | 'broken' | 'no answer' | 'aborted by client';
	note?: string;
	/** The body without chunk framing, vectors cut to eight numbers; `base64` if it is not text. */
	answer: {
		status: number;
		headers: Array<[name: string, value: string]>;
		text?: string;
		base64?: string;
	};
}

/** @param topic e.g. `llama-server-v0.5.0/rerank` */
export const recordedExchanges = (topic: string): RecordedExchange[] =>
	JSON.parse(fixture(`models/${topic}.json`).toString('utf8')) as RecordedExchange[];
