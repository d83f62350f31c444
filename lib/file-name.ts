/** Names and MIME types of files that come from outside. */
import { tryOrUndefined } from './values/try-or-undefined';
import { withoutEnds } from './values/text';

/** Characters; file systems allow 255 bytes. */
const MAX_LENGTH = 120;

/** Control, format and line separator characters. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Reduces an untrusted name to a file name: no folders, no control characters, no dots or blanks at the ends (RFC 6266
 * 4.3). Of a text that is not certainly a path ("Preis: 5/6", "AC/DC.mp3"), all stays, with other separators.
 *
 * @param fallback - Used if nothing is left of the name.
 */
export function sanitizeFileName(name: string, fallback: string): string {
	const plain = limitLength(withoutEnds(withoutFolders(name).replace(SEPARATORS, '-'), /[\s.]/));
	return plain === '' ? fallback : plain;
}

/** The last part of a path; any other text without control characters. */
export function withoutFolders(name: string): string {
	const visible = name.replace(FORBIDDEN, '');
	if (!isPath(visible)) return visible;
	return visible.split(SEPARATORS).findLast((segment) => segment !== '') ?? '';
}

const SEPARATORS = /[/\\]+/g;

/** From the top, from here, from above or from home. Everything else may be words: "AC/DC.mp3". */
const ROOT = /^(?:~|\.{1,2}|[a-z]:)?[/\\]/i;

/** A step upwards. */
const UPWARDS = /[/\\]\.\.(?:[/\\]|$)/;

function isPath(text: string): boolean {
	return ROOT.test(text) || UPWARDS.test(text);
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
