import type { Watchdog } from './limits';
import type { RequestOptions } from './types';

/** JSON without lone surrogates, which texts cut by length contain: llama-server refuses them as a broken body. */
export function wellFormedJson(value: unknown): string {
	const json = JSON.stringify(value);
	// `JSON.stringify` escapes lone surrogates; the text itself may also contain such an escape.
	if (!/\\ud[89a-f]/.test(json)) return json;
	return JSON.stringify(value, (_key, inner: unknown) =>
		typeof inner === 'string' && !inner.isWellFormed() ? inner.toWellFormed() : inner,
	);
}

/** An upload of which every piece resets the idle limit. */
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
