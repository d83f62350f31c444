import { resultOf } from '../generators';
import { isRecord } from '../values';
import { MIN_CERTAIN_KEY_LENGTH, OVERLAP, SecretMask } from './secret-mask';

/** Headers that describe the request: their values are no secrets. Every other value is taken for one. */
const OPEN_HEADERS: ReadonlySet<string> = new Set([
	'accept',
	'accept-charset',
	'accept-encoding',
	'accept-language',
	'content-encoding',
	'content-language',
	'content-length',
	'content-type',
	'forwarded',
	'host',
	'http-referer',
	'origin',
	'referer',
	'traceparent',
	'tracestate',
	'user-agent',
	'via',
	'x-forwarded-for',
	'x-forwarded-host',
	'x-forwarded-port',
	'x-forwarded-prefix',
	'x-forwarded-proto',
	'x-forwarded-server',
	'x-real-ip',
	'x-request-id',
	'x-title',
]);

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

/** Whether the value of a header is taken for a secret. */
function isSecretHeader(name: string): boolean {
	return !OPEN_HEADERS.has(name.toLowerCase());
}

/**
 * The secrets in a credential's headers, longest first: the values and their parts (the key behind a scheme, the
 * cookies of a Cookie header, user and password of Basic). Short and common words are left out: masking them would
 * garble texts and protect nothing.
 */
export function secretsOf(headers: Record<string, string>): string[] {
	const secrets = Object.entries(headers).flatMap(([name, value]) => {
		// A key may have been typed into the wrong field.
		const inName = name.split(/[-_.]/).filter(isRandomWord);
		const isOpen = inName.length === 0 && !isSecretHeader(name);
		return isOpen ? [] : [...inName, ...secretsInValue(value)];
	});
	// A header's letters beyond ASCII are several bytes, which a decoder reads as a character each.
	const inBytes = secrets.map((secret) => Buffer.from(secret).toString('latin1'));
	return [...new Set([...secrets, ...inBytes])].sort((one, other) => other.length - one.length);
}

function secretsInValue(value: string): string[] {
	const inside = value.split(/[\s;,=]+/).filter((part) => part !== value);
	const behindScheme = value.replace(/^\S+\s+/, '');
	const secrets = [value, behindScheme, ...inside].filter(isWorthHiding);
	// Together with its scheme, even a short key is unique.
	if (behindScheme !== value && behindScheme.length >= 4) secrets.push(value);
	return [...secrets, ...basicParts(value)];
}

function isWorthHiding(value: string): boolean {
	if (PLACEHOLDER.test(value)) return false;
	return value.length >= MIN_CERTAIN_KEY_LENGTH || (value.length >= MIN_LENGTH && isMixed(value));
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
	if (password === '') return [];
	return isPassword(password) ? [decoded, password] : [decoded];
}

function isPassword(text: string): boolean {
	if (PLACEHOLDER.test(text)) return false;
	return text.length >= MIN_LENGTH || (text.length >= MIN_MIXED && isMixed(text));
}

/** A password of letters only may be a word of the answer. */
function isMixedOrPair(part: string): boolean {
	return part.includes(':') || isMixed(part);
}

/** The secrets that are certainly keys: for answers in which words have a meaning, such as names of models. */
export function certainKeysOf(headers: Record<string, string>): string[] {
	const carriers = Object.entries(headers).filter(([name]) => CARRIES_A_KEY.test(name));
	const carried = new Set(secretsOf(Object.fromEntries(carriers)));
	const passwords = new Set(Object.values(headers).flatMap(basicParts).filter(isMixedOrPair));
	return secretsOf(headers).filter(
		(secret) => passwords.has(secret) || isCertain(secret, carried.has(secret)),
	);
}

/** @param isCarried by a header whose name tells that it holds a key */
function isCertain(secret: string, isCarried: boolean): boolean {
	const words = secret.split(/[^a-z\d]+/i);
	if (secret.length < MIN_CERTAIN_KEY_LENGTH) return isCarried && words.some(isScattered);
	return isCarried || words.some(isRandomWord);
}

/** Letters and digits that alternate as in no model name. */
function isScattered(word: string): boolean {
	return word.length >= MIN_LENGTH && isMixed(word) && changesOfKind(word) >= MIN_CHANGES;
}

/** How often small letters, capitals and digits alternate: all the time in keys, now and then in names. */
function changesOfKind(text: string): number {
	return text.match(/[a-z](?=[A-Z\d])|[A-Z](?=[a-z\d])|\d(?=[A-Za-z])/g)?.length ?? 0;
}

const masks = new WeakMap<readonly string[], SecretMask>();

/** Masks secrets, and parts of them, in a text from outside: some servers echo the header they refuse. */
export function mask(text: string, secrets?: readonly string[]): string;
export function mask(text: string | undefined, secrets?: readonly string[]): string | undefined;
export function mask(
	text: string | undefined,
	secrets: readonly string[] = [],
): string | undefined {
	return text === undefined ? undefined : resultOf(maskSteps(text, secrets));
}

/** The same, which yields between the steps of a long text. */
export function* maskSteps(text: string, secrets: readonly string[]): Generator<void, string> {
	if (secrets.length === 0) return text;
	const secretMask = masks.get(secrets) ?? new SecretMask(secrets);
	masks.set(secrets, secretMask);
	return yield* secretMask.maskInSlices(text);
}

/** The first `length` characters of a text, masked. Cutting first could leave half a key at the end. */
export function maskedStart(text: string, length: number, secrets: readonly string[] = []): string {
	const longest = secrets[0]?.length ?? 0;
	if (text.length <= length + longest) return mask(text, secrets).slice(0, length);
	// Masking shortens the text, so more of it is read; a key may be cut at the end of that.
	const start = text.slice(0, length + longest + Math.min(3 * (length + longest), OVERLAP));
	const masked = mask(start, secrets);
	const certain = start === text ? masked : masked.slice(0, Math.max(0, masked.length - longest));
	return certain.slice(0, length);
}

export function maskDeep<T>(value: T, secrets: readonly string[] | undefined): T {
	if (typeof value === 'string') return mask(value, secrets) as T;
	if (Array.isArray(value)) return value.map((entry: unknown) => maskDeep(entry, secrets)) as T;
	if (!isRecord(value)) return value;
	const entries = Object.entries(value).map(([key, entry]) => [
		mask(key, secrets),
		maskDeep(entry, secrets),
	]);
	return Object.fromEntries(entries) as T;
}
