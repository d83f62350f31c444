import { invalidInput } from '../errors/failure';
import { mimeTypeIn } from '../file-name';

interface DataUrl {
	mime: string;
	isBase64: boolean;
	data: string;
}

/** The parts of a data URL (RFC 2397); undefined for anything else. */
export function parseDataUrl(url: string): DataUrl | undefined {
	if (url.slice(0, 'data:'.length).toLowerCase() !== 'data:') return undefined;
	// The data may be megabytes, so only the part before it is split.
	const comma = url.indexOf(',');
	if (comma < 0) return undefined;
	const [mime = '', ...parameters] = url.slice('data:'.length, comma).split(';');
	return {
		mime: mimeTypeIn(mime),
		isBase64: parameters.at(-1)?.trim().toLowerCase() === 'base64',
		data: url.slice(comma + 1),
	};
}

/** Data without the head of a data URL, as base64. */
export function base64Of(data: string): string {
	const parts = parseDataUrl(data);
	if (parts === undefined) return data;
	return parts.isBase64 ? parts.data : bytesOf(data).toString('base64');
}

/**
 * Standard base64 without white space: llama-server's decoder silently stops at the first space, line break, `-` or `_`
 * (docs/protocols/llama-server.md 5), which would truncate the file.
 */
export function cleanBase64(data: string): string {
	return data.replace(/\s+/g, '').replace(/-/g, '+').replace(/_/g, '/');
}

export function dataUrl(mime: string, base64: string): string {
	return `data:${mime};base64,${cleanBase64(base64)}`;
}

/** The bytes of a data URL, or of bare base64. */
export function bytesOf(data: string): Buffer {
	const parts = parseDataUrl(data);
	if (parts === undefined) return Buffer.from(cleanBase64(data), 'base64');
	if (parts.isBase64) return Buffer.from(cleanBase64(parts.data), 'base64');
	return percentDecoded(parts.data);
}

/** Decodes `%FC` to a byte. */
function percentDecoded(encoded: string): Buffer {
	const parts = encoded.split(/((?:%[0-9a-f]{2})+)/i);
	// Every second part is one of the escapes that the text is split at.
	const bytes = parts.map((part, index) =>
		index % 2 === 0 ? Buffer.from(part, 'utf8') : Buffer.from(part.replaceAll('%', ''), 'hex'),
	);
	return Buffer.concat(bytes);
}

/** The error for content that cannot be sent. */
export function unusable(
	message: string,
	remedy = 'Check the field or the file that is passed to the model.',
) {
	return invalidInput(message, remedy);
}
