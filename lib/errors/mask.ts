/** Masks secrets in everything that was received: the one place for bodies, values, excerpts and streams. */
import { memoize } from '../lru-cache';
import { isRecord } from '../values/records';
import { parseJson } from '../values/json';
import { findBase64Runs, TextBuffer } from './escapes';
import { findByteRuns, getByteReaders, trimSeparators } from './written-bytes';
import { compileSecrets } from './secret-patterns';
import type { Range, SecretPatterns } from './secret-patterns';

/** Headers that describe the request: their values are not secret. All other values are treated as secrets. */
const OPEN_HEADERS =
	/^(?:accept(?:-\w+)?|content-\w+|forwarded|host|(?:http-)?referer|origin|trace(?:parent|state)|user-agent|via|x-forwarded-\w+|x-real-ip|x-request-id|x-title)$/i;

/** Placeholders for servers that need no key, and words that are common in model names and diagnoses. */
const PLACEHOLDER =
	/^(?:sk-)?(?:no[-_ ]?key(?:[-_ ]?(?:required|needed))?|not[-_ ]?(?:needed|required)|none|null|empty|dummy|test|anything|whatever|password|changeme|admin|ollama|lm-?studio|llama(?:[.-]?cpp)?|local-?llama|vllm|openai|gpustack|dify|x+)$/i;

/** Masking a common word would garble every text that contains it. */
const MIN_WORD_LENGTH = 16;
const MIN_MIXED_LENGTH = 8;

/**
 * The secrets in the headers of a credential: their values, the key after a scheme, and the password and pair of Basic.
 * Short and common words are omitted.
 */
export function collectSecrets(headers: Readonly<Record<string, string>>): string[] {
	const values = Object.entries(headers).flatMap(([name, value]) =>
		OPEN_HEADERS.test(name) ? [] : splitHeaderValue(value),
	);
	return [...new Set(values)].filter(isSecret);
}

function splitHeaderValue(value: string) {
	const withoutScheme = value.replace(/^\S+\s+/, '');
	const parts = value.split(/[\s;,=]+/);
	return [value, withoutScheme, ...parts, ...decodeBasic(value)];
}

/** The pair of Basic, decoded, its password, and the words of that. */
function decodeBasic(value: string) {
	const encoded = /^Basic\s+(\S+)$/i.exec(value)?.[1];
	if (encoded === undefined) return [];
	const pair = Buffer.from(encoded, 'base64').toString();
	const password = pair.slice(pair.indexOf(':') + 1);
	return [pair, password, ...password.split(/\s+/)];
}

function isSecret(value: string) {
	if (PLACEHOLDER.test(value)) return false;
	const isMixed = /\d/.test(value) && /[a-z]/i.test(value);
	return value.length >= (isMixed ? MIN_MIXED_LENGTH : MIN_WORD_LENGTH);
}

/** Longest part of a text that is masked to show its beginning: a megabyte of it would block n8n. */
const MAX_MASKED_LENGTH = 64 * 1024;

/** One list, so that its search is prepared once. */
export const NO_SECRETS: readonly string[] = [];

/** The prepared search for the secrets of a credential. */
export const getPatterns: (object: readonly string[]) => SecretPatterns = memoize(compileSecrets);

/**
 * Replaces secrets in received text by `***`: some servers quote the header that they reject. A secret is found in plain
 * text, in the escapes of JSON, URLs, HTML and emails, in base64, and in up to four of them one in another. A beginning or
 * another stretch of it is one, too: {@link SecretPatterns}.
 */
export function mask(text: string, secrets: readonly string[] = NO_SECRETS): string {
	return replaceRanges(text, findSecrets(text, getPatterns(secrets)));
}

/**
 * Masks the body of a response or of an event. In JSON, each string and number is masked as the value that it
 * stands for, and the rest stays to the letter.
 */
export function maskBody(body: string, secrets: readonly string[] = NO_SECRETS): string {
	const ranges = findSecrets(body, getPatterns(secrets));
	if (ranges.length === 0) return body;
	if (!/^\s*[{["]/.test(body) || parseJson(body) === undefined) return replaceRanges(body, ranges);
	const merged = mergeRanges(ranges);
	let next = 0;
	return body.replace(JSON_LITERAL, (literal, at: number) => {
		while (next < merged.length && merged[next]![1] <= at) next++;
		// The others would be searched once more.
		if (next === merged.length || merged[next]![0] >= at + literal.length) return literal;
		const value = JSON.parse(literal) as unknown;
		// One of the bytes of a key, in a list.
		const isByte = typeof value === 'number' && isWithin(merged[next]!, [at, at + literal.length]);
		if (isByte) return JSON.stringify(MASK);
		const text = typeof value === 'string' ? value : literal;
		const masked = mask(text, secrets);
		return masked === text ? literal : JSON.stringify(masked);
	});
}

/** Whether a longer range contains a part of a text. */
function isWithin([first, last]: Range, [from, to]: Range): boolean {
	return first <= from && last >= to && last - first > to - from;
}

/** A string or a number, which a key may be as well. */
const JSON_LITERAL = /"(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*/gi;

/** The first `length` characters of a text, masked. Truncating first could leave half a key at the end. */
export function maskedExcerpt(
	text: string,
	length: number,
	secrets: readonly string[] = NO_SECRETS,
): string {
	const { maxLength } = getPatterns(secrets);
	return mask(text.slice(0, Math.max(MAX_MASKED_LENGTH, 2 * length) + maxLength), secrets).slice(
		0,
		length,
	);
}

/** Masks all texts of a value, and the names of its fields. */
export function maskDeep<T>(value: T, secrets: readonly string[] = NO_SECRETS): T {
	if (typeof value === 'string') return mask(value, secrets) as T;
	if (Array.isArray(value)) return maskList(value, secrets) as T;
	if (!isRecord(value)) return value;
	const entries = Object.entries(value).map(([name, entry]) => [
		mask(name, secrets),
		maskDeep(entry, secrets),
	]);
	return Object.fromEntries(entries) as T;
}

function maskList(list: readonly unknown[], secrets: readonly string[]): unknown[] {
	if (list.length < MIN_LISTED || !list.every(isByte))
		return list.map((entry) => maskDeep(entry, secrets));
	// With separators of its own in the range of a key.
	const text = list.join(',');
	const ranges = mergeRanges(findSecrets(text, getPatterns(secrets)));
	let [next, end] = [0, -1];
	return list.map((byte) => {
		const from = end + 1;
		end = from + String(byte).length;
		while (next < ranges.length && ranges[next]![1] <= from) next++;
		return next < ranges.length && isWithin(ranges[next]!, [from, end]) ? MASK : byte;
	});
}

/** Bytes of the shortest list that may contain a key. */
const MIN_LISTED = 8;

const isByte = (value: unknown) =>
	Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;

/** What a secret is replaced by. */
const MASK = '***';

/** Escapes in escapes: those of the body, and of three texts in it. */
const MAX_LAYERS = 4;

/** Characters that are searched at once. */
const WINDOW_LENGTH = 64 * 1024;

/** The longest escape of a character that servers write: of HTML in a URL in JSON. */
const MAX_ESCAPE_LENGTH = 16;

/** One per layer, for all texts. The memory that they need does not depend on the length of a text. */
const BUFFERS: readonly TextBuffer[] = Array.from(
	{ length: MAX_LAYERS + 1 },
	() => new TextBuffer(),
);

/** The ranges of a text that contain a secret in any form. They may overlap, and are not sorted. */
export function findSecrets(text: string, patterns: SecretPatterns): Range[] {
	if (patterns.isEmpty || text.length < patterns.minLength) return [];
	if (isKnownClean(text, patterns)) return [];
	const overlap = Math.min(MAX_ESCAPE_LENGTH * patterns.maxLength, WINDOW_LENGTH);
	const ranges: Range[] = [];
	for (let start = 0; start < text.length; start += WINDOW_LENGTH) {
		const end = Math.min(text.length, start + WINDOW_LENGTH + overlap);
		BUFFERS[0]!.load(text, start, end);
		for (const range of findInLayer(0, patterns)) {
			range[0] += start;
			range[1] += start;
			ranges.push(range);
		}
		if (end === text.length) break;
	}
	if (ranges.length === 0) rememberClean(text, patterns);
	return ranges;
}

/** A text without secrets. */
interface CleanText {
	text: string;
	patterns: SecretPatterns;
}

/** Characters of the shortest text that is remembered. */
export const MIN_REMEMBERED = 16 * 1024;

const MAX_REMEMBERED = 4;

/**
 * The last long texts without secrets: an answer is masked where it is read, shown, checked and reported, which blocked
 * n8n four times as long. Until memory is needed.
 */
const cleanTexts: Array<WeakRef<CleanText>> = [];

function isKnownClean(text: string, patterns: SecretPatterns) {
	if (text.length < MIN_REMEMBERED) return false;
	return cleanTexts.some((reference) => {
		const known = reference.deref();
		return known?.patterns === patterns && known.text === text;
	});
}

function rememberClean(text: string, patterns: SecretPatterns) {
	if (text.length < MIN_REMEMBERED) return;
	cleanTexts.unshift(new WeakRef({ text, patterns }));
	cleanTexts.splice(MAX_REMEMBERED);
}

function findInLayer(layer: number, patterns: SecretPatterns): Range[] {
	const source = BUFFERS[layer]!;
	const ranges = patterns.find(source);
	const target = BUFFERS[layer + 1];
	if (target === undefined) return ranges;
	const addInner = (trim: (range: Range) => Range = (range) => range) => {
		if (target.length < patterns.minLength) return;
		for (const inner of findInLayer(layer + 1, patterns))
			ranges.push(trim(target.toSource(...inner)));
	};
	if (target.unescape(source, patterns.relevant)) addInner();
	const runs = findBase64Runs(source);
	for (let index = 0; index < runs.length; index += 2)
		// Where base64 begins in a run is not known.
		for (let skip = 0; skip < 4; skip++)
			if (target.decodeBase64(source, runs[index]! + skip, runs[index + 1]!)) addInner();
	const byteRuns = findByteRuns(source);
	for (let index = 0; index < byteRuns.length; index += 2) {
		const run = { from: byteRuns[index]!, to: byteRuns[index + 1]! };
		for (const { read } of getByteReaders(source, run))
			if (read(source, target, run)) addInner((range) => trimSeparators(source, range));
	}
	return ranges;
}

function replaceRanges(text: string, ranges: readonly Range[]) {
	if (ranges.length === 0) return text;
	const parts: string[] = [];
	let end = 0;
	for (const [from, to] of mergeRanges(ranges)) {
		parts.push(text.slice(end, from), MASK);
		end = to;
	}
	return parts.join('') + text.slice(end);
}

/** Sorted, and without overlaps. What is adjacent becomes one range. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
	const merged: Range[] = [];
	let last: Range | undefined;
	for (const range of isSorted(ranges) ? ranges : ranges.toSorted(([a], [b]) => a - b)) {
		if (last !== undefined && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
		else merged.push((last = [...range]));
	}
	return merged;
}

function isSorted(ranges: readonly Range[]) {
	return ranges.every(([from], index) => index === 0 || ranges[index - 1]![0] <= from);
}
