import { errorIn } from '../../errors/error-body';
import { failureInStream } from '../../errors/http-failure';
import type { FailureKind } from '../../errors/kinds';
import { parseObject } from '../../json';

/**
 * The failure told by lines in a stream that are no events. A server may append its error as bare JSON (llama-swap:
 * `{"src":"llama-swap","error":{…}}`, cortex.cpp: `{"message":"…"}`), or as text (the router of llama-server: `proxy
 * error: …`).
 */
export function strayFailure(lines: readonly string[]): {
	kind?: FailureKind;
	serverText?: string;
} {
	const error = errorAmong(lines);
	if (error === undefined) return { serverText: lines.join('\n') || undefined };
	return failureInStream(error);
}

/** The first line that is an error in JSON. */
export function errorAmong(lines: readonly string[]): string | undefined {
	return lines.find((line) => {
		const json = parseObject(line);
		return json !== undefined && errorIn(json, undefined, line) !== undefined;
	});
}
