import { parseJsonSteps } from '../json';
import { optional } from '../values';
import { JsonEnd } from './json-end';
import { afterMs } from './limits';
import { inTimeSlices } from './time-slices';
import type { UnreadAnswer, CallAnswer, RequestOptions } from './types';

const MAX_REFUSAL_BYTES = 512 * 1024;
/** Time limit for the body of a refusal, after its headers: the first bytes are enough. */
const MAX_REFUSAL_MS = 3_000;
/** How long to wait for the end of the body after a complete JSON answer: not every server ends it. */
const MAX_TAIL_MS = 1_000;
/** Far more than any API answer; an endless body (a web cam, a file server) must not fill n8n's memory. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The same for pictures. V8 has no strings of 512 MB: a longer answer would look like a broken connection. */
export const MAX_PICTURES_BYTES = 384 * 1024 * 1024;

export function methodOf({ method, json, body }: RequestOptions) {
	return method ?? (json === undefined && body === undefined ? 'GET' : 'POST');
}

const WITHOUT_BODY = [204, 205];
const REDIRECTS = [301, 302, 303, 307, 308];
/** The request is repeated with its method and body (RFC 9110 15.4.8 and 15.4.9). */
const REPEATS_REQUEST = [307, 308];

/**
 * The URL to follow a redirect to; undefined if it must not be followed. A POST is repeated only if the status says
 * that the method stays the same.
 */
export function redirectTarget(answer: UnreadAnswer, options: RequestOptions): string | undefined {
	const { status } = answer;
	if (!REDIRECTS.includes(status)) return undefined;
	const target = redirectLocation(answer);
	if (target === undefined || !/^https?:/.test(target) || !URL.canParse(target)) return undefined;
	if (isPlainGet(options)) return target;
	// An upload can be read only once.
	const isRepeatable = REPEATS_REQUEST.includes(status) && options.body === undefined;
	return isRepeatable ? target : undefined;
}

/** Whether a request has no content and changes nothing. */
export function isPlainGet(options: RequestOptions): boolean {
	const hasContent = options.json !== undefined || options.body !== undefined;
	return methodOf(options) === 'GET' && !hasContent;
}

export function redirectLocation({
	headers: { location },
	url,
}: Pick<UnreadAnswer, 'headers' | 'url'>): string | undefined {
	return location !== undefined && URL.canParse(location, url)
		? new URL(location, url).href
		: location;
}

interface AnswerReading {
	signal: AbortSignal;
	explain: (error: unknown) => Error;
	/** Masks the credential's keys in the text. */
	maskKeys?: (text: string) => Generator<void, string>;
	maxBytes: number;
}

/**
 * Reads the body of an answer. A body that stays open is not waited for: a refusal's for 3 s, a complete JSON answer's
 * for 1 s after its end. A refusal may also be cut off.
 *
 * @param reading `signal`: of the request; an abort is always an error. `explain`: turns an error while reading into
 *   the one to throw
 * @returns undefined for an answer longer than `maxBytes`
 */
export async function readAnswer(
	answer: UnreadAnswer,
	{ maxBytes, signal, explain, maskKeys }: AnswerReading,
): Promise<CallAnswer | undefined> {
	const { status, headers, url, redirects } = answer;
	const isRefusal = status >= 300;
	const limit = isRefusal ? MAX_REFUSAL_BYTES : maxBytes;
	const body = new TextBody(isRefusal ? MAX_REFUSAL_MS : Infinity);
	try {
		await body.read(answer.body, limit);
	} catch (error) {
		// A refusal with a broken body is still a refusal.
		const needsBody = !isRefusal && !WITHOUT_BODY.includes(status);
		if (needsBody || signal.aborted) throw explain(error);
	} finally {
		answer.close();
	}
	if (body.size > limit && !isRefusal) return undefined;
	const whole = body.end();
	const text = maskKeys === undefined ? whole : await inTimeSlices(maskKeys(whole));
	return {
		status,
		headers,
		text,
		json: await inTimeSlices(jsonIn(text, body.jsonEnd)),
		url,
		...optional({ redirects }),
	};
}

/** The text of a body, and until when it is read. */
class TextBody {
	size = 0;
	/** Where a complete JSON value ends in the text. */
	jsonEnd: number | undefined;
	/** As by `performance.now()`. */
	private readUntil: number;
	private text = '';
	private readonly decoder = new TextDecoder('utf-8');
	private readonly json = new JsonEnd();

	constructor(limitMs: number) {
		this.readUntil = performance.now() + limitMs;
	}

	/** Reads until the body has more than `limit` bytes, or the time is over. */
	async read(pieces: AsyncIterable<Uint8Array>, limit: number): Promise<void> {
		for await (const bytes of piecesUntil(pieces, () => this.readUntil)) {
			this.push(bytes);
			if (this.size > limit) return;
		}
	}

	private push(bytes: Uint8Array): void {
		this.size += bytes.byteLength;
		const piece = this.decoder.decode(bytes, { stream: true });
		const end = this.json.isComplete ? undefined : this.json.push(piece);
		if (end !== undefined) {
			this.readUntil = Math.min(this.readUntil, performance.now() + MAX_TAIL_MS);
			this.jsonEnd = this.text.length + end;
		}
		this.text += piece;
	}

	end(): string {
		return this.text + this.decoder.decode();
	}
}

/** Parses an answer, also with other text after the JSON. Several values in a row are no JSON. */
function* jsonIn(text: string, end: number | undefined): Generator<void, unknown> {
	const whole = yield* parseJsonSteps(text);
	if (whole !== undefined || end === undefined || /^[\s,]*[{[]/.test(text.slice(end))) return whole;
	return yield* parseJsonSteps(text.slice(0, end));
}

/**
 * The pieces of a body up to its end or a deadline.
 *
 * @param deadline as by `performance.now()`; called for every piece
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
			// The consumer closes the body now; the resulting error is ignored.
			next.catch(() => {});
			return;
		}
		if (result.done === true) return;
		yield result.value;
	}
}

/** Resolves at a time as by `performance.now()`. The timer does not keep the process alive. */
async function passed(at: number): Promise<undefined> {
	return await new Promise((resolve) => {
		afterMs(Math.max(0, Math.ceil(at - performance.now())), () => resolve(undefined));
	});
}

export function flatten(
	headers: Record<string, string | string[] | undefined>,
): Record<string, string> {
	const flat: Record<string, string> = {};
	for (const [name, value] of Object.entries(headers))
		if (value !== undefined)
			flat[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
	return flat;
}
