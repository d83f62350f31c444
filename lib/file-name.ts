import { tryOrUndefined, withoutEnds } from './values';

/** Characters; file systems take 255 bytes. */
const MAX_LENGTH = 120;

/** Control characters and what separates folders, on any system. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A name that came from outside, as a name only: without folders, control characters, and dots or blanks at its ends
 * (RFC 6266 4.3).
 *
 * @param fallback for a name of which nothing is left
 */
export function sanitizeFileName(name: string, fallback: string): string {
	const last = name.replace(FORBIDDEN, '').split(/[/\\]/).at(-1) ?? '';
	const trimmed = withoutEnds(last, /[\s.]/);
	const plain = shortened(trimmed);
	return plain === '' ? fallback : plain;
}

/** Keeps the extension. */
function shortened(name: string): string {
	const characters = [...name];
	if (characters.length <= MAX_LENGTH) return name;
	const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
	return characters.slice(0, MAX_LENGTH - extension.length).join('') + extension;
}

/** A MIME type without its parameters, in small letters; empty where it is none: it stands in URLs and headers. */
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
