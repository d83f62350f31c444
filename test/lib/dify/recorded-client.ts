/** A client that sends nothing: it notes what it would send, and answers from a list. */
import { createDifyClient } from '../../../lib/dify/credentials';
import { DifyClient } from '../../../lib/dify/client';
import { ServerError } from '../../../lib/errors/server-error';
import type { HttpResponse, RequestOptions } from '../../../lib/http/types';

/** What a request gets: JSON, or an error. A list has one for each request, the last one for all later ones. */
export type Responses = Readonly<Record<string, unknown>>;

export interface RecordedClient {
	client: DifyClient;
	/** One text per request: method, path, body, and whether it may be sent again. */
	sent: string[];
}

/** Answers `METHOD /path` without the query; a request without an answer gets an empty object. */
export function createRecordedClient(responses: Responses = {}): RecordedClient {
	const { endpoint } = createDifyClient({ baseUrl: 'http://dify/v1', apiKey: 'app-key' });
	const sent: string[] = [];
	const counts = new Map<string, number>();
	class RecordingClient extends DifyClient {
		override withSignal(): this {
			return this;
		}

		override async sendAndRead<T>(
			options: RequestOptions,
			read: (response: HttpResponse) => Promise<T>,
		): Promise<T> {
			const { method = 'POST', url, json, upload, isIdempotent, timeouts } = options;
			const { pathname, search } = new URL(url);
			const line = `${method} ${pathname.replace(/^\/v1/, '')}`;
			sent.push(
				[
					line + search,
					...(json === undefined ? [] : [JSON.stringify(json)]),
					...(upload === undefined ? [] : ['form']),
					...(isIdempotent === true ? [] : ['once']),
					`${timeouts?.totalMs ?? 0} ms`,
				].join(' '),
			);
			const count = counts.get(line) ?? 0;
			counts.set(line, count + 1);
			const listed = [responses[line] ?? {}].flat() as unknown[];
			const answer = Array.isArray(responses[line])
				? listed[Math.min(count, listed.length - 1)]
				: responses[line];
			if (answer instanceof ServerError) throw answer;
			const text = answer === undefined ? '{}' : JSON.stringify(answer);
			return await read({
				text: async () => text,
				headers: {},
				toError: () => new Error(`An error response: ${text}`),
			} as unknown as HttpResponse);
		}
	}
	return { client: new RecordingClient(endpoint), sent };
}
