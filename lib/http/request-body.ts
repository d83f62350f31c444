import type { Watchdog } from './limits';
import type { RequestOptions } from './types';

/** Half a surrogate pair, as a text that was cut by length has it, is refused by llama-server as a broken body. */
export function wellFormedJson(value: unknown): string {
	const json = JSON.stringify(value);
	// JSON writes half a pair as its number, and so may the user.
	if (!/\\ud[89a-f]/.test(json)) return json;
	return JSON.stringify(value, (_key, inner: unknown) =>
		typeof inner === 'string' && !inner.isWellFormed() ? inner.toWellFormed() : inner,
	);
}

/** An upload whose pieces show that it goes on. */
export function watchedBody(body: RequestOptions['body'], watchdog: Watchdog): RequestOptions['body'] {
	if (body === undefined || body.content instanceof Uint8Array) return body;
	const { content } = body;
	async function* pieces() {
		for await (const piece of content) {
			watchdog.content();
			yield piece;
		}
		watchdog.content();
	}
	return { ...body, content: pieces() };
}
