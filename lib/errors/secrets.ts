/** The secrets of a credential: what of its headers is secret, and which of it is masked where. */
import { memoize } from '../lru-cache';
import { collectTexts } from '../values/text';
import { containsSecret } from './find-secrets';

/** Headers that describe the request: their values are not secret. All other values are. */
const OPEN_HEADERS =
	/^(?:accept(?:-\w+)?|content-\w+|forwarded|host|(?:http-)?referer|origin|trace(?:parent|state)|user-agent|via|x-forwarded-\w+|x-real-ip|x-request-id|x-title)$/i;

/** Placeholders for servers that need no key, and words that are common in model names and diagnoses. */
const PLACEHOLDER =
	/^(?:sk-)?(?:no[-_ ]?key(?:[-_ ]?(?:required|needed))?|not[-_ ]?(?:needed|required)|none|null|empty|dummy|test|anything|whatever|password|changeme|admin|ollama|lm-?studio|llama(?:[.-]?cpp)?|local-?llama|vllm|openai|gpustack|dify|x+)$/i;

/** How Dify's keys begin, as its documentation says. The rest of a key is what only its owner knows. */
const PUBLIC_PREFIX = /^(?:app|dataset)-/;

/** Characters of the shortest secret. */
const MIN_LENGTH = 8;

/** Characters of the shortest one without a digit, or without a letter. Masking a common word would garble many texts. */
const MIN_WORD_LENGTH = 16;

/** Characters of the shortest secret that is masked in what a model wrote: a shorter one could be guessed there. */
const MIN_WRITTEN_LENGTH = 20;

/** One list, so that its search is prepared once. */
export const NO_SECRETS: readonly string[] = [];

/**
 * @param headers - Those of a credential.
 * @returns the key behind its scheme, the pair of Basic, its password and its base64, the values of cookies, and of other
 *   headers the whole value and the key behind a scheme; a key of Dify also without its prefix. Short and common words are
 *   omitted
 */
export function collectSecrets(headers: Readonly<Record<string, string>>): string[] {
	const secrets = Object.entries(headers).flatMap(([name, value]) =>
		OPEN_HEADERS.test(name) ? [] : splitHeader(name.toLowerCase(), value),
	);
	return [...new Set(secrets.flatMap(withRest))];
}

/** Also without its public prefix: a console shows keys so. */
function withRest(secret: string): string[] {
	const rest = secret.replace(PUBLIC_PREFIX, '');
	return rest !== secret && isSecret(rest) ? [secret, rest] : [secret];
}

function splitHeader(name: string, value: string): string[] {
	const basic = /^Basic +(\S+)$/i.exec(value)?.[1];
	if (basic !== undefined) return splitBasic(basic);
	if (name === 'cookie')
		return value
			.split(/; */)
			.map((cookie) => cookie.slice(cookie.indexOf('=') + 1))
			.filter(isSecret);
	const key = /^[a-z][\w-]* +(\S+)$/i.exec(value)?.[1];
	const values = name === 'authorization' ? [value.replace(/^\S+ +/, '')] : [value, key ?? value];
	return values.filter(isSecret);
}

/** A password may be a word. */
function splitBasic(basic: string): string[] {
	const pair = Buffer.from(basic, 'base64').toString();
	const password = pair.slice(pair.indexOf(':') + 1);
	const isLong = password.length >= MIN_LENGTH && !PLACEHOLDER.test(password);
	return [pair, encodePair(pair), ...(isLong ? [password] : [])].filter(
		(secret) => secret.length >= MIN_LENGTH,
	);
}

/** Without the signs that fill it up, which some programs omit. */
function encodePair(pair: string): string {
	const encoded = Buffer.from(pair).toString('base64');
	const end = encoded.indexOf('=');
	return end < 0 ? encoded : encoded.slice(0, end);
}

function isSecret(value: string): boolean {
	if (PLACEHOLDER.test(value)) return false;
	const isMixed = /\d/.test(value) && /[a-z]/i.test(value);
	return value.length >= (isMixed ? MIN_LENGTH : MIN_WORD_LENGTH);
}

/**
 * The secrets that are masked in what a model wrote. Who chats with a model makes it write what they like, so a masked
 * text tells them that they guessed all of a secret: only what nobody guesses is masked there.
 */
export const getWrittenSecrets: (secrets: readonly string[]) => readonly string[] = memoize(
	(secrets) => {
		const pairs = secrets.filter((secret) => secrets.includes(encodePair(secret)));
		const open = new Set(
			pairs.filter(hasShortPassword).flatMap((pair) => [pair, encodePair(pair)]),
		);
		return secrets.filter((secret) => secret.length >= MIN_WRITTEN_LENGTH && !open.has(secret));
	},
);

function hasShortPassword(pair: string): boolean {
	return pair.length - (pair.indexOf(':') + 1) < MIN_WRITTEN_LENGTH;
}

/**
 * The secrets that are masked in the response to a request: what its body has is no secret to those who wrote it.
 *
 * @param body - Of the request, as sent, without the headers of the credential.
 * @returns the same list if the body contains none of them
 */
export function withoutSent(secrets: readonly string[], body: unknown): readonly string[] {
	const texts = collectTexts(body).filter((text) => containsSecret(text, secrets));
	if (texts.length === 0) return secrets;
	const sent = secrets.filter((secret) => texts.some((text) => containsSecret(text, [secret])));
	const hasSent = (secret: string) => sent.some((other) => secret.includes(other));
	return secrets.filter(
		(secret) =>
			!hasSent(secret) && !secrets.some((pair) => hasSent(pair) && encodePair(pair) === secret),
	);
}
