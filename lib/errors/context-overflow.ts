/** A prompt that fits into the context, but not together with the requested response. */
import type { TokenCounts } from './token-counts';

/** Tokens that a response needs at least: with less room, fewer tokens do not help. */
export const ROOM_FOR_RESPONSE = 512;

/** Tokens of context that the prompt leaves for the response; undefined if not all of the numbers are known. */
export function getRoomForResponse({
	promptTokens,
	contextTokens,
	responseTokens,
}: TokenCounts): number | undefined {
	if (promptTokens === undefined || contextTokens === undefined) return undefined;
	// vLLM stops counting the prompt at the first token that does not fit.
	const isCountCapped = promptTokens + (responseTokens ?? 0) === contextTokens + 1;
	return isCountCapped ? undefined : Math.max(0, contextTokens - promptTokens);
}

/** What to do if a shorter response fits; undefined if it would not, or if the numbers do not say it. */
export function suggestShorterResponse(counts: TokenCounts): string | undefined {
	const room = getRoomForResponse(counts) ?? 0;
	const { responseTokens = 0 } = counts;
	return room >= ROOM_FOR_RESPONSE && responseTokens > room
		? `Lower Maximum Tokens to at most ${room}.`
		: undefined;
}
