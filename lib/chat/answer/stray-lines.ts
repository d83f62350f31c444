import { failureInStream } from '../../errors/http-failure';
import type { FailureKind } from '../../errors/kinds';
import { parseObject } from '../../values';

/**
 * The failure told by lines in a stream that are no events. A gateway may append its own error as bare JSON
 * (llama-swap: `{"src":"llama-swap","error":{…}}`), or as text (the router of llama-server: `proxy error: …`).
 */
export function strayFailure(lines: readonly string[]): {
	kind?: FailureKind;
	serverText?: string;
} {
	const error = lines.find((line) => {
		const json = parseObject(line);
		return json !== undefined && (json.error ?? undefined) !== undefined;
	});
	if (error === undefined) return { serverText: lines.join('\n') || undefined };
	return failureInStream(error);
}
