import type { Watchdog } from './limits';
import type { RequestOptions } from './types';

/** JSON without lone surrogates, which texts cut by length contain: llama-server refuses them as a broken body. */
export function wellFormedJson(value: unknown): string {
	const json = JSON.stringify(value);
	// Searching a prompt of 20 MB for the pattern takes longer than writing it.
	if (!json.includes('\\ud')) return json;
	// `JSON.stringify` escapes lone surrogates; behind a backslash, the text itself contains such an escape.
	return json.replace(/\\(?:\\|ud[89a-f]..)/g, (escape) => (escape === '\\\\' ? escape : '\uFFFD'));
}

/** An upload of which every piece resets the idle limit. */
export function watchedBody(
	body: RequestOptions['body'],
	watchdog: Watchdog,
): RequestOptions['body'] {
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
