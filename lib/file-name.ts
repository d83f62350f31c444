/** Names and MIME types of files that come from outside. */
import { tryOrUndefined } from './values/try-or-undefined';
import { withoutEnds } from './values/text';

/** Characters; file systems allow 255 bytes. */
const MAX_LENGTH = 120;

/** Control, format and line separator characters. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Reduces an untrusted name to a file name: no folders, no control characters, no dots or blanks at the ends (RFC 6266
 * 4.3).
 *
 * @param fallback - Used if nothing is left of the name.
 */
export function sanitizeFileName(name: string, fallback: string): string {
	const last = name.replace(FORBIDDEN, '').split(/[/\\]/).at(-1) ?? '';
	const plain = limitLength(withoutEnds(last, /[\s.]/));
	return plain === '' ? fallback : plain;
}

/** Keeps the extension. */
function limitLength(name: string) {
	const characters = [...name];
	if (characters.length <= MAX_LENGTH) return name;
	const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
	return characters.slice(0, MAX_LENGTH - extension.length).join('') + extension;
}

/** A MIME type without its parameters, in lower case; empty if it is invalid, since it is used in URLs and headers. */
export function parseMimeType(text = ''): string {
	const [essence = ''] = text.split(';', 1);
	const type = essence.trim().toLowerCase();
	return /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(type) ? type : '';
}

/** The file name of a Content-Disposition header; the encoded form wins (RFC 6266). */
export function parseDispositionFileName(disposition = ''): string | undefined {
	const encoded = /filename\*\s*=\s*utf-8''([^;]+)/i.exec(disposition)?.[1]?.trim() ?? '';
	const plain = /filename\s*=\s*(?:"([^"]*)"|([^;]+))/.exec(disposition);
	const name =
		tryOrUndefined(() => decodeURIComponent(encoded)) || (plain?.[1] ?? plain?.[2])?.trim();
	return name || undefined;
}
