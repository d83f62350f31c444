import { createInputError } from '../errors/create-error';
import { parseMimeType } from '../file-name';
import { tryOrUndefined } from '../values';

interface DataUrl {
	mime: string;
	isBase64: boolean;
	data: string;
}

/** The parts of a data URL (RFC 2397); undefined for anything else. */
export function parseDataUrl(url: string): DataUrl | undefined {
	// The data may be megabytes, so only the part before it is read.
	const [head] = /^data:[^,]{0,1000},/i.exec(url) ?? [];
	if (head === undefined) return undefined;
	return {
		mime: parseMimeType(head.slice('data:'.length, -1)),
		isBase64: /;\s*base64\s*,$/i.test(head),
		data: url.slice(head.length),
	};
}

/** Data without the head of a data URL, as base64. */
export function extractBase64(data: string): string {
	const parts = parseDataUrl(data);
	if (parts === undefined) return data;
	if (parts.isBase64) return parts.data;
	const decoded = tryOrUndefined(() => decodeURIComponent(parts.data)) ?? parts.data;
	return Buffer.from(decoded).toString('base64');
}

/**
 * Standard base64 without white space: llama-server's decoder silently stops at the first space, line break, `-` or `_`
 * (docs/protocols/llama-server.md 5), which would truncate the file.
 */
export function normalizeBase64(data: string): string {
	return data.replace(/\s+/g, '').replace(/-/g, '+').replace(/_/g, '/');
}

export function toDataUrl(mime: string, base64: string): string {
	return `data:${mime};base64,${normalizeBase64(base64)}`;
}

/** The bytes of a data URL, or of bare base64. */
export function decodeBytes(data: string): Buffer {
	return Buffer.from(normalizeBase64(extractBase64(data)), 'base64');
}

/** The error for content that cannot be sent. */
export function createContentError(
	message: string,
	suggestion = 'Check the field or file that is passed to the model.',
) {
	return createInputError(message, suggestion);
}
