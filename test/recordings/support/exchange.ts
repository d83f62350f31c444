import { asRecord } from '../../../lib/values/records';
import { parseJson } from '../../../lib/values/json';
import type { RecordedPart } from '../../support/files/recorded-exchanges';

/** The supported model servers with recordings. */
export type ServerName =
	| 'fastapi'
	| 'gpustack'
	| 'litellm'
	| 'llama-server'
	| 'llama-swap'
	| 'ollama'
	| 'tei'
	| 'vllm'
	| 'whisper.cpp';

export type Json = Record<string, unknown>;

export interface RecordedRequest {
	method: string;
	/** Path and query. */
	path: string;
	headers: Record<string, string>;
	/** JSON body of the request; empty if it was not JSON. */
	body: Json;
	/** The parts of a form. */
	parts: RecordedPart[];
}

/** One recorded request with its response. */
export interface Exchange {
	/** File of expected results below `test/recordings/models/`. */
	file: string;
	/** Unique within the file. */
	name: string;
	server: ServerName;
	request: RecordedRequest;
	/** Status line, headers and body, as sent. It may end in the middle. */
	answer: Buffer;
}

/** The JSON object in a text; empty if there is none. */
export const objectIn = (text: string): Json => asRecord(parseJson(text));

/** Path without query. */
export function pathOf({ path }: Pick<RecordedRequest, 'path'>): string {
	return path.replace(/\?.*$/, '');
}

/** The body of a response, without chunk framing. */
export function bodyOf(answer: Buffer): string {
	const text = answer.toString('utf8');
	return text.slice(text.indexOf('\r\n\r\n') + 4);
}
