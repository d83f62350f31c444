/** Errors inside of streams. */
import { classifyStreamError, hasError } from '../errors/classify-error';
import type { ErrorType } from '../errors/error-types';
import { parseJson } from '../json';
import { asString, isRecord, type JsonRecord, omitUndefined } from '../values';

/** The error in a chunk, as the body of an error response. */
export function findChunkError(chunk: JsonRecord): string | undefined {
	const { error, object, detail, choices } = chunk;
	if (hasError(error)) return JSON.stringify({ error });
	if (object === 'error' || (choices === undefined && hasError(detail)))
		return JSON.stringify(chunk);
	// GPUStack, in the middle of a stream.
	const { code, message, reason } = chunk;
	const isEnvelope = choices === undefined && typeof code === 'number' && code >= 400;
	return isEnvelope && isText(message ?? reason) ? JSON.stringify(chunk) : undefined;
}

function isText(value: unknown): boolean {
	return asString(value) !== undefined;
}

/** The error in stream lines that are not events: the router of llama-server writes `proxy error: …`. */
export function parseNonEventLines(lines: readonly string[]): {
	errorType?: ErrorType;
	serverText?: string;
} {
	const error = lines.find((line) => {
		const json = parseJson(line);
		return isRecord(json) && findChunkError(json) !== undefined;
	});
	if (error === undefined) return omitUndefined({ serverText: lines.join('\n') || undefined });
	const { type, serverText } = classifyStreamError(error);
	return { errorType: type, ...omitUndefined({ serverText }) };
}
