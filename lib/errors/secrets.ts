import { isRecord } from '../values';
import { SecretParts, MIN_CERTAIN_KEY_LENGTH } from './secret-parts';
import { LruCache } from '../lru-cache';

/** Headers that describe the request: their values are never secret. */
const OPEN_HEADER =
	/^(?:accept|content|forwarded$|x-forwarded|x-real-ip|x-request-id|user-agent|host$|origin$|referer$|via$|trace|http-referer|x-title)/i;

const CARRIES_A_KEY = /auth|key|token|secret|cookie|pass|credential|session|signature|jwt/i;

/** What people type where a server needs no key, and words that are common in model names and diagnoses. */
const PLACEHOLDER =
	/^(?:sk-)?(?:no[-_ ]?key(?:[-_ ]?(?:required|needed))?|not[-_ ]?(?:needed|required)|none|null|empty|dummy|test|anything|whatever|password|changeme|admin|ollama|lm-?studio|llama(?:[.-]?cpp)?|local-?llama|vllm|openai|gpustack|dify|x+)$/i;

const MIN_LENGTH = 8;
/** For a password with letters and digits. */
const MIN_MIXED = 6;
/** Changes between small letters, capitals and digits that make a word random: `Qwen2VL7` has four. */
const MIN_CHANGES = 6;
/** For a word inside a name: `sha256` is a usual one. */
const MIN_RANDOM_WORD = 12;

/**
 * The secrets in a credential's headers, longest first: the values and their parts (the key behind a scheme, the
 * cookies of a Cookie header, user and password of Basic). Short and common words are left out: masking them would
 * garble texts and protect nothing.
 */
export function secretsOf(headers: Record<string, string>): string[] {
	const parts = Object.entries(headers).flatMap(([name, value]) => {
		// A key may have been typed into the wrong field.
		const inName = name.split(/[-_.]/).filter(isRandomWord);
		if (inName.length === 0 && OPEN_HEADER.test(name)) return [];
		if (inName.length === 0 && !CARRIES_A_KEY.test(name)) return [value].filter(isRandom);
		const inside = value.split(/[\s;,=]+/).filter((part) => part !== value);
		const behindScheme = value.replace(/^\S+\s+/, '');
		return [
			...inName,
			...[value, behindScheme, ...inside].filter(isWorthHiding),
			// Together with its scheme, even a short key is unique.
			...(behindScheme !== value && behindScheme.length >= 4 ? [value] : []),
			...basicParts(value),
		];
	});
	// Letters beyond ASCII are several bytes in a URL; `SecretParts` knows the other ways to write a secret.
	const forms = parts.flatMap((part) =>
		/[^\x20-\x7E]/.test(part) ? [part, encodeURIComponent(part)] : [part],
	);
	return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

function isWorthHiding(value: string): boolean {
	if (PLACEHOLDER.test(value)) return false;
	return value.length >= MIN_CERTAIN_KEY_LENGTH || (value.length >= MIN_LENGTH && isMixed(value));
}

/** Whether the value of a header looks like a key, where the header's name does not tell. */
function isRandom(value: string): boolean {
	return value.length >= MIN_CERTAIN_KEY_LENGTH && isMixed(value) && !/\s/.test(value);
}

/** A word that no header name and no model name contains. */
function isRandomWord(word: string): boolean {
	return word.length >= MIN_RANDOM_WORD && isMixed(word);
}

function isMixed(value: string): boolean {
	return /\d/.test(value) && /[a-z]/i.test(value);
}

/** User and password of Basic authentication as a server may show them: decoded. */
function basicParts(value: string): string[] {
	const encoded = /^Basic\s+([A-Za-z0-9+/=_-]+)$/i.exec(value)?.[1];
	if (encoded === undefined) return [];
	const decoded = Buffer.from(encoded, 'base64').toString();
	const colon = decoded.indexOf(':');
	if (colon < 0) return [];
	const password = decoded.slice(colon + 1);
	const hides =
		isWorthHiding(password) ||
		password.length >= MIN_LENGTH ||
		(password.length >= MIN_MIXED && isMixed(password));
	return [
		...(password === '' ? [] : [decoded]),
		...(hides && !PLACEHOLDER.test(password) ? [password] : []),
	];
}

/** The secrets that are certainly keys: for answers in which words have a meaning, such as names of models. */
export function certainKeysOf(headers: Record<string, string>): string[] {
	const carriers = Object.entries(headers).filter(([name]) => CARRIES_A_KEY.test(name));
	const carried = secretsOf(Object.fromEntries(carriers));
	return secretsOf(headers).filter((secret) => {
		const words = secret.split(/[^a-z\d]+/i);
		if (secret.length < MIN_CERTAIN_KEY_LENGTH)
			return carried.includes(secret) && words.some(isScattered);
		return carried.includes(secret) || words.some(isRandomWord);
	});
}

/** Letters and digits that alternate as in no model name. */
function isScattered(word: string): boolean {
	return word.length >= MIN_LENGTH && isMixed(word) && changesOfKind(word) >= MIN_CHANGES;
}

/** How often small letters, capitals and digits alternate: all the time in keys, now and then in names. */
function changesOfKind(text: string): number {
	return text.match(/[a-z](?=[A-Z\d])|[A-Z](?=[a-z\d])|\d(?=[A-Za-z])/g)?.length ?? 0;
}

/** Masks keys, and parts of them, in a text from outside: some servers echo the header they refuse. */
export function mask(text: string, secrets?: readonly string[]): string;
export function mask(text: string | undefined, secrets?: readonly string[]): string | undefined;
export function mask(
	text: string | undefined,
	secrets: readonly string[] = [],
): string | undefined {
	return text === undefined || secrets.length === 0 ? text : partsOf(secrets).mask(text);
}

/**
 * The same for answers, with the keys of `certainKeysOf`: names of models and IDs have a meaning, so only parts that
 * are certainly of a key are masked.
 */
export function maskKeys(text: string, keys: readonly string[]): string {
	return keys.length === 0 ? text : partsOf(keys, true).mask(text);
}

const known = {
	any: new WeakMap<readonly string[], SecretParts>(),
	sure: new WeakMap<readonly string[], SecretParts>(),
};

/**
 * By the secrets of recently used credentials: each execution reads its credential anew, and building takes
 * milliseconds.
 */
const made = LruCache.shared<SecretParts>({ maxEntries: 64 });

function partsOf(secrets: readonly string[], sure = false): SecretParts {
	const ofList = known[sure ? 'sure' : 'any'];
	const parts = ofList.get(secrets) ?? partsWith(secrets, sure);
	ofList.set(secrets, parts);
	return parts;
}

function partsWith(secrets: readonly string[], sure: boolean): SecretParts {
	const id = JSON.stringify([sure, secrets]);
	const parts = made.get(id) ?? new SecretParts(secrets, sure);
	made.set(id, parts);
	return parts;
}

/** The first `length` characters of a text, masked. Cutting first could leave half a key at the end. */
export function maskedStart(text: string, length: number, secrets: readonly string[] = []): string {
	const longest = secrets[0]?.length ?? 0;
	if (text.length <= length + longest) return mask(text, secrets).slice(0, length);
	// Masking shortens the text, so more of it is read; a key may be cut at the end of that.
	const window = text.slice(0, 4 * (length + longest));
	const masked = mask(window, secrets);
	return (
		window.length < text.length ? masked.slice(0, Math.max(0, masked.length - longest)) : masked
	).slice(0, length);
}

export function maskDeep<T>(value: T, secrets: readonly string[] | undefined): T {
	if (typeof value === 'string') return mask(value, secrets) as T;
	if (Array.isArray(value)) return value.map((entry: unknown) => maskDeep(entry, secrets)) as T;
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, entry]) => [mask(key, secrets), maskDeep(entry, secrets)]),
	) as T;
}
