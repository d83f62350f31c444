/** Beginnings of a text that a server may accept. */
import type { ServerError } from '../errors/server-error';
import { asFiniteNumber, maxOf } from '../values/numbers';

/** Halves of a text that are tried: the last one is an eighth of it. */
const MAX_HALVES = 3;

/** Lengths that are tried because a response named a limit: a second one may name another limit. */
const MAX_LIMITED = 4;

/**
 * Shorter and shorter beginnings of a text: to the limit if the last refusal names one that the text exceeds, otherwise
 * by halves, down to an eighth. A change that gets the same refusal again was of no use, so the next ones are halves.
 *
 * @param getRefusal - Why the text, or its last beginning, was refused.
 */
export function* shortenText(whole: string, getRefusal: () => ServerError): Generator<string> {
	let text = whole;
	let halves = 0;
	let limited = 0;
	let lastKey: string | undefined;
	let isRepeated = false;
	while (halves < MAX_HALVES && limited < MAX_LIMITED) {
		const refusal = getRefusal();
		const key = toRefusalKey(refusal);
		isRepeated ||= key === lastKey;
		lastKey = key;
		const limit = isRepeated ? undefined : findLimit(text, refusal);
		if (limit === undefined) halves++;
		else limited++;
		text = sliceCharacters(text, limit ?? Math.floor(text.length / 2));
		if (text.trim() === '') return;
		yield text;
	}
}

/** By which two refusals are the same. */
function toRefusalKey({ facts, serverText }: ServerError): string {
	return JSON.stringify([facts.n_prompt_tokens, facts.n_ctx, serverText]);
}

/** The first characters of a text, at most `length`. Never half of a character. */
function sliceCharacters(text: string, length: number): string {
	return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}

/** Share of the limit to use, since tokens are estimated from characters. */
const MARGIN = 0.9;

/** Characters of a text that a limit leaves; undefined if the refusal names no limit that the text exceeds. */
function findLimit(text: string, { facts, serverText = '' }: ServerError): number | undefined {
	const tokens = asFiniteNumber(facts.n_prompt_tokens) ?? 0;
	const maxTokens = asFiniteNumber(facts.n_ctx) ?? Infinity;
	// vLLM stops counting at the first token that does not fit: "at least 513" for a limit of 512.
	if (tokens > maxTokens + 1) return Math.floor(text.length * (maxTokens / tokens) * MARGIN);
	if (tokens > maxTokens) return undefined;
	const limits = [...serverText.matchAll(SIZE)].flatMap(([, digits = '', unit = '']) => {
		const size = /^b/i.test(unit) ? Buffer.byteLength(text) : text.length;
		const max = Number(digits.replaceAll(',', ''));
		// "less than" excludes the number itself. The size of the text may stand in the sentence, too.
		return max > 1 && max < size ? [Math.floor((text.length * (max - 1)) / size)] : [];
	});
	return limits.length === 0 ? undefined : maxOf(limits);
}

/** text-embeddings-inference: "`inputs` must have less than 4096 characters. Given: 5000" */
const SIZE = /\b(\d[\d,]{0,12}) ?(characters?|chars|bytes)\b/gi;
