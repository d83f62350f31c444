import { randomUUID } from 'node:crypto';

import { inTimeSlices } from './time-slices';

/** Texts of more characters are written in pieces: n8n can answer others between two of them. */
const LONG_TEXT = 1024 * 1024;

/**
 * A request as JSON, without lone surrogates, which texts cut by length contain: llama-server refuses them as a broken
 * body.
 */
export async function jsonBody(value: unknown): Promise<string | Uint8Array> {
	const longTexts: string[] = [];
	const mark = randomUUID();
	const json = JSON.stringify(value, (_key, one: unknown) => {
		if (typeof one !== 'string' || one.length <= LONG_TEXT) return one;
		longTexts.push(one);
		return mark;
	});
	const wellFormed = withoutLoneSurrogates(json);
	if (longTexts.length === 0) return wellFormed;
	return await inTimeSlices(bytesOf(wellFormed.split(mark), longTexts));
}

function withoutLoneSurrogates(json: string): string {
	if (!json.includes('\\ud')) return json;
	// `JSON.stringify` escapes lone surrogates; behind a backslash, the text itself contains such an escape.
	return json.replace(/\\(?:\\|ud[89a-f]..)/g, (escape) => (escape === '\\\\' ? escape : '\uFFFD'));
}

/** @param around the JSON before, between and behind the long texts */
function* bytesOf(
	around: readonly string[],
	longTexts: readonly string[],
): Generator<void, Uint8Array> {
	const pieces: Uint8Array[] = [];
	const encoder = new TextEncoder();
	for (const [at, json] of around.entries()) {
		pieces.push(encoder.encode(json));
		for (const text of slicesOf(longTexts[at] ?? '')) {
			pieces.push(encoder.encode(JSON.stringify(text.toWellFormed()).slice(1, -1)));
			yield;
		}
	}
	return Buffer.concat(pieces);
}

/** Cuts a text into pieces, but no character. */
function* slicesOf(text: string): Generator<string> {
	let start = 0;
	while (start < text.length) {
		let end = Math.min(start + LONG_TEXT, text.length);
		const isInsideCharacter = text.codePointAt(end - 1)! > 0xffff;
		if (isInsideCharacter) end++;
		yield text.slice(start, end);
		start = end;
	}
}
