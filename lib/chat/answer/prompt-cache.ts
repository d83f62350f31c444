import type { AnswerContent, Timings } from '../types';

/** The cached share of the prompt from 0 to 1; undefined if unknown. */
export function cachedShare({
	usage,
	timings,
}: Pick<AnswerContent, 'usage' | 'timings'>): number | undefined {
	const cached = timings?.cache_n ?? usage?.cachedTokens;
	const all = countedTokens(timings) ?? usage?.promptTokens ?? 0;
	if (cached === undefined || all <= 0) return undefined;
	return Math.min(1, cached / all);
}

/** The tokens of the prompt, cached or read; undefined where the server does not count both. */
function countedTokens(timings: Timings = {}): number | undefined {
	const { cache_n: cached, prompt_n: read } = timings;
	return cached === undefined || read === undefined ? undefined : cached + read;
}
