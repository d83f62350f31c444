import { isRecord } from '../values';

/**
 * What of a credential's headers must appear nowhere, longest first: the values, their parts (the key behind a scheme, the cookies of
 * a Cookie header), and how both look in a URL and in JSON.
 */
export function secretsOf(headers: Record<string, string>): string[] {
	const parts = Object.values(headers).flatMap((value) => [
		value,
		value.replace(/^\S+\s+/, ''),
		...value.split(/[\s;,=]+/).filter((part) => part.length >= 8),
	]);
	const forms = parts.flatMap((part) => [part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1)]);
	return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

const CARRIES_A_KEY = /auth|key|token|secret|cookie|pass/i;
/** People give servers that want no key a word such as "ollama" or "not-needed", which answers hold for other reasons. */
const LEAST_OF_A_KEY = 16;

/** Of the same only what is surely a key: for answers whose words have a meaning, such as names of models. */
export function keysOf(headers: Record<string, string>): string[] {
	const carriers = Object.entries(headers).filter(([name]) => CARRIES_A_KEY.test(name));
	return secretsOf(Object.fromEntries(carriers)).filter((secret) => secret.length >= LEAST_OF_A_KEY);
}

/** Takes keys out of a text that comes from outside: some servers and proxies echo the header they refuse. */
export function mask(text: string | undefined, secrets: readonly string[] = []): string | undefined {
	// Shorter values are no secrets, but would tear words apart.
	return secrets.filter((secret) => secret.length >= 4).reduce((rest, secret) => rest?.split(secret).join('***'), text);
}

export function masked<T>(value: T, secrets: readonly string[] | undefined): T {
	if (typeof value === 'string') return mask(value, secrets) as T;
	if (Array.isArray(value)) return value.map((entry: unknown) => masked(entry, secrets)) as T;
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, entry]) => [mask(key, secrets), masked(entry, secrets)]),
	) as T;
}
