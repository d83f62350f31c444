import { memoize } from '../lru-cache';
import { isRecord } from '../values';

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
export function collectSecrets(headers: Readonly<Record<string, string>>) {
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

/** The pair of Basic, decoded, and its password. */
function decodeBasic(value: string) {
	const encoded = /^Basic\s+(\S+)$/i.exec(value)?.[1];
	if (encoded === undefined) return [];
	const pair = Buffer.from(encoded, 'base64').toString();
	return [pair, pair.slice(pair.indexOf(':') + 1)];
}

function isSecret(value: string) {
	if (PLACEHOLDER.test(value)) return false;
	const isMixed = /\d/.test(value) && /[a-z]/i.test(value);
	return value.length >= (isMixed ? MIN_MIXED_LENGTH : MIN_WORD_LENGTH);
}

/** Longest part of a text that is masked to show its beginning: a megabyte of it would block n8n. */
const MAX_MASKED_LENGTH = 64 * 1024;

const getSecretForms = memoize((secrets: readonly string[]) =>
	[...new Set(secrets.flatMap(toSecretForms))].sort((a, b) => b.length - a.length),
);

/**
 * Replaces secrets in received text by `***`: some servers quote the header that they reject. A secret is found in plain
 * text, in JSON, URL-encoded, and in base64 at each of its three possible offsets.
 */
export function mask(text: string, secrets: readonly string[] = []) {
	const forms = getSecretForms(secrets);
	return forms.reduce((masked, form) => masked.replaceAll(form, '***'), text);
}

/** The first `length` characters of a text, masked. Truncating first could leave half a key at the end. */
export function maskedExcerpt(text: string, length: number, secrets: readonly string[] = []) {
	const longest = getSecretForms(secrets)[0]?.length ?? 0;
	return mask(text.slice(0, Math.max(MAX_MASKED_LENGTH, 2 * length) + longest), secrets).slice(
		0,
		length,
	);
}

/** Masks all texts of a value, and the names of its fields. */
export function maskDeep<T>(value: T, secrets: readonly string[] = []): T {
	if (typeof value === 'string') return mask(value, secrets) as T;
	if (Array.isArray(value)) return value.map((entry: unknown) => maskDeep(entry, secrets)) as T;
	if (!isRecord(value)) return value;
	const entries = Object.entries(value).map(([name, entry]) => [
		mask(name, secrets),
		maskDeep(entry, secrets),
	]);
	return Object.fromEntries(entries) as T;
}

function toSecretForms(secret: string) {
	const inUrl = encodeURIComponent(secret.toWellFormed());
	// In a stream, JSON is masked before it is read.
	const inJson = JSON.stringify(secret).slice(1, -1);
	return [secret, inJson, inUrl, ...[0, 1, 2].map((shift) => toBase64Fragment(secret, shift))];
}

/** The base64 characters that only the secret determines, if it begins `shift` bytes after a group of three. */
function toBase64Fragment(secret: string, shift: number) {
	const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]);
	const letters = bytes.toString('base64').replace(/={1,2}$/, '');
	const isPartial = bytes.length % 3 !== 0;
	return letters.slice(shift === 0 ? 0 : shift + 1, isPartial ? -1 : undefined);
}
