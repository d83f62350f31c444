import { parseJson } from '../values';
import type { CallAnswer, RequestOptions } from './types';

const MOST_ERROR_BODY = 1024 * 1024;
/** Far above every list and record that is called for; an endless answer (a web cam, a file server) must not fill n8n's memory. */
export const MOST_ANSWER = 64 * 1024 * 1024;

/** An HTTP answer whose body has not been read. */
export interface Answer {
	status: number;
	headers: Record<string, string>;
	url: string;
	body: AsyncIterable<Uint8Array>;
	/** Statuses of the redirects that led here. */
	redirects?: number[];
	close(): void;
}

export function methodOf({ method, json, body }: RequestOptions) {
	return method ?? (json === undefined && body === undefined ? 'GET' : 'POST');
}

/** Where to send the request again, where that is right: a POST only if the status says that the method stays the same. */
export function redirectTarget({ status, headers, url }: Answer, options: RequestOptions): string | undefined {
	const target = [301, 302, 303, 307, 308].includes(status) ? redirectLocation({ headers, url }) : undefined;
	if (target === undefined || !/^https?:/.test(target) || !URL.canParse(target)) return undefined;
	// An upload is read once and cannot be sent again.
	const repeatable = methodOf(options) === 'GET' || ((status === 307 || status === 308) && options.body === undefined);
	return repeatable ? target : undefined;
}

export function redirectLocation({ headers: { location }, url }: Pick<Answer, 'headers' | 'url'>): string | undefined {
	return location !== undefined && URL.canParse(location, url) ? new URL(location, url).href : location;
}

/** @returns undefined where the answer is longer than `most` bytes */
export async function readAnswer(answer: Answer, most = MOST_ANSWER): Promise<CallAnswer | undefined> {
	const decoder = new TextDecoder('utf-8');
	let text = '';
	let size = 0;
	for await (const bytes of answer.body) {
		size += bytes.byteLength;
		if (answer.status < 300 && size > most) {
			answer.close();
			return undefined;
		}
		text += decoder.decode(bytes, { stream: true });
		if (answer.status >= 300 && size > MOST_ERROR_BODY) break;
	}
	answer.close();
	text += decoder.decode();
	const { status, headers, url, redirects } = answer;
	return { status, headers, text, json: parseJson(text), url, ...(redirects === undefined ? {} : { redirects }) };
}

export function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) =>
			value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]],
		),
	);
}

/** The body without compression; undefined where the way it is compressed is unknown. */
export function decompressed(body: AsyncIterable<Uint8Array>, encoding = ''): AsyncIterable<Uint8Array> | undefined {
	const name = encoding.trim().toLowerCase();
	if (name === '' || name === 'identity') return body;
	const format = name === 'gzip' || name === 'x-gzip' ? 'gzip' : name === 'deflate' ? 'deflate' : undefined;
	return format && unpacked(body, format);
}

/** An empty body is no compressed one, but some proxies label their own empty error answers so. */
async function* unpacked(body: AsyncIterable<Uint8Array>, format: 'gzip' | 'deflate'): AsyncGenerator<Uint8Array> {
	const pieces = body[Symbol.asyncIterator]();
	const first = await pieces.next();
	if (first.done === true) return;
	async function* all(): AsyncGenerator<Uint8Array> {
		yield first.value as Uint8Array;
		yield* { [Symbol.asyncIterator]: () => pieces };
	}
	yield* ReadableStream.from(all()).pipeThrough(
		new DecompressionStream(format),
	) as unknown as AsyncIterable<Uint8Array>;
}
