/** The simulator's replacement for a tokenizer. */
import type { Settings } from './options';

const ALPHANUMERICS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The same text for the same seed, so that failures are reproducible. */
export const randomAlphanumerics = (length: number, seed: number): string => {
	let state = (seed * 2654435761) >>> 0;
	return Array.from({ length }, () => {
		state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
		return ALPHANUMERICS[(state >>> 8) % ALPHANUMERICS.length];
	}).join('');
};

/** Pieces of about a token's length. */
export const textPieces = (text: string): string[] =>
	text.match(/\s*[\p{L}\p{N}]{1,12}|\s+$|\s*[^\s\p{L}\p{N}]/gsu) ?? [];

/** Tool arguments as llama-server cuts them: `{`, `"`, `city`, `":`, ` "`, `Rome`, `"`, `}`. */
export const argumentPieces = (text: string): string[] => {
	if (!text.startsWith('{')) return text === '' ? [] : [text];
	return [
		'{',
		...(text.slice(1).match(/[\p{L}\p{N}_]{1,8}|": ?|",|\s*"|\s+|[^\s"\p{L}\p{N}_]/gsu) ?? []),
	];
};

/** One character is one token: every count can be checked by eye. */
export const countTokens = (text: string): number => {
	let count = 0;
	for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) count += 1;
	return count;
};

/** Words and punctuation, like the tokens of encoders for plain English. */
export const wordPieces = (text: string): string[] =>
	text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];

/** Number of leading characters that two texts share. */
export const sharedPrefix = (a: string, b: string): number => {
	const limit = Math.min(a.length, b.length);
	let at = 0;
	while (at < limit && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
	return countTokens(a.slice(0, at));
};

/** JSON with spaces after `:` and `,`, like `tojson` in chat templates. */
export const spacedJson = (value: unknown): string => {
	if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
	if (value !== null && typeof value === 'object') {
		return `{${Object.entries(value)
			.map(([key, member]) => `${JSON.stringify(key)}: ${spacedJson(member)}`)
			.join(', ')}}`;
	}
	return JSON.stringify(value);
};

/** Number of tokens of a text, including special tokens. */
export const countOf = (text: string, { embeddings }: Settings): number =>
	embeddings?.encoder === true ? wordPieces(text).length + 2 : countTokens(text);
