import { optional, parseJson } from '../values';
import { JsonEnd } from './json-end';
import { afterMs } from './limits';
import type { Answer, CallAnswer, RequestOptions } from './types';

const MAX_REFUSAL_BYTES = 1024 * 1024;
/** For the body of a refusal, from its headers on: what matters stands in the first bytes. */
const MAX_REFUSAL_MS = 3_000;
/** For what follows a complete JSON answer: nothing does, but not every server ends its body. */
const MAX_TAIL_MS = 1_000;
/**
 * Far above every list and record that is called for; an endless answer (a web cam, a file server) must not fill n8n's
 * memory.
 */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** For pictures. V8 holds no string of 512 MB: beyond that, what is too long would look like a broken connection. */
export const MAX_PICTURES_BYTES = 384 * 1024 * 1024;

export function methodOf({ method, json, body }: RequestOptions) {
	return method ?? (json === undefined && body === undefined ? 'GET' : 'POST');
}

/**
 * Where to send the request again, where that is right: a POST only if the status says that the method stays the same.
 */
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

interface AnswerReading {
	signal: AbortSignal;
	explain: (error: unknown) => Error;
	/** Takes the keys of the credential out of the text, before anybody reads it. */
	hide?: (text: string) => string;
	maxBytes?: number;
}

/**
 * Reads the body of an answer. A server that says less than it promised, or leaves its body open, is taken at what it
 * said: a refusal after 3 s, and a JSON answer that is complete after 1 s more.
 *
 * @param reading `signal` of the request: what it ends is not read any further; `explain`: what an error while reading
 *   means
 * @returns undefined where the answer is longer than `maxBytes`
 */
export async function readAnswer(
	answer: Answer,
	{ maxBytes = MAX_ANSWER_BYTES, signal, explain, hide = (whole) => whole }: AnswerReading,
): Promise<CallAnswer | undefined> {
	const isRefusal = answer.status >= 300;
	const decoder = new TextDecoder('utf-8');
	const json = new JsonEnd();
	const refusedUntil = isRefusal ? performance.now() + MAX_REFUSAL_MS : Infinity;
	let completeUntil = Infinity;
	let completeAt: number | undefined;
	let text = '';
	let size = 0;
	try {
		for await (const bytes of piecesUntil(answer.body, () => Math.min(refusedUntil, completeUntil))) {
			size += bytes.byteLength;
			if (!isRefusal && size > maxBytes) return undefined;
			const piece = decoder.decode(bytes, { stream: true });
			text += piece;
			const end = json.isComplete ? undefined : json.push(piece);
			if (end !== undefined) {
				completeUntil = performance.now() + MAX_TAIL_MS;
				completeAt = text.length - piece.length + end;
			}
			if (isRefusal && size > MAX_REFUSAL_BYTES) break;
		}
	} catch (error) {
		// A refusal whose body breaks off is still that refusal, and an answer that has no body cannot lose it.
		const isTold = isRefusal || answer.status === 204 || answer.status === 205;
		if (!isTold || signal.aborted) throw explain(error);
	} finally {
		answer.close();
	}
	text = hide(text + decoder.decode());
	const { status, headers, url, redirects } = answer;
	return {
		status,
		headers,
		text,
		json: jsonIn(text, completeAt),
		url,
		...optional({ redirects }),
	};
}

/** The JSON of an answer, also with something else behind it. Several values behind each other are no JSON. */
function jsonIn(text: string, end: number | undefined): unknown {
	const whole = parseJson(text);
	if (whole !== undefined || end === undefined || /^[\s,]*[{[]/.test(text.slice(end))) return whole;
	return parseJson(text.slice(0, end));
}

/**
 * The pieces of a body up to its end, or to a time after which nothing is waited for.
 *
 * @param deadline that time as `performance.now()` counts; asked for again after every piece
 */
export async function* piecesUntil(
	body: AsyncIterable<Uint8Array>,
	deadline: () => number,
): AsyncGenerator<Uint8Array, void> {
	const pieces = body[Symbol.asyncIterator]();
	for (;;) {
		const next = pieces.next();
		const at = deadline();
		const result = at === Infinity ? await next : await Promise.race([next, passed(at)]);
		if (result === undefined) {
			// Whoever reads closes the body now, and nobody waits for the error that this makes.
			next.catch(() => {});
			return;
		}
		if (result.done === true) return;
		yield result.value;
	}
}

/** Ends at a time, as `performance.now()` counts. Its timer keeps no process alive. */
async function passed(at: number): Promise<undefined> {
	return await new Promise((resolve) => {
		afterMs(Math.max(0, Math.ceil(at - performance.now())), () => resolve(undefined));
	});
}

export function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) =>
			value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]],
		),
	);
}
