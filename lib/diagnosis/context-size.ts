/** A prompt that does not fit into the context, alone or together with the requested response. */
import type { ServerType } from '../servers/types/server-type';

/** Tokens that a response needs at least: with less room, fewer tokens do not help. */
const ROOM_FOR_RESPONSE = 512;

/** What is known of the context, in tokens. */
export interface ContextSizes {
	/** Of the server now; undefined: not known. */
	current: number | undefined;
	/** What the model was trained with; infinite: not known. */
	trained: number;
	/** Slots that share the context. */
	slots: number | undefined;
}

/** What a response says of a request, in tokens. */
interface CountedRequest {
	promptTokens: number;
	contextTokens: number;
	responseTokens: number;
}

/** What to do if a shorter response fits; undefined if it would not, or if the numbers do not say it. */
export function suggestShorterResponse({
	promptTokens,
	contextTokens,
	responseTokens,
}: CountedRequest): string | undefined {
	// vLLM stops counting the prompt at the first token that does not fit.
	const isCountCapped = promptTokens + responseTokens === contextTokens + 1;
	const room = isCountCapped ? 0 : contextTokens - promptTokens;
	return room >= ROOM_FOR_RESPONSE && responseTokens > room
		? `Lower Maximum Tokens to at most ${room}.`
		: undefined;
}

/**
 * How the server gets a context in which the prompt fits.
 *
 * @returns an imperative; undefined if the model does not support it, or the context is as large already
 */
export function suggestLargerContext(
	promptTokens: number,
	{ current, trained, slots }: ContextSizes,
	{ texts }: ServerType,
): string | undefined {
	const needed = getNeededTokens(promptTokens, current);
	if (needed >= trained) return undefined;
	const size = Math.min(trained, Math.ceil((needed + ROOM_FOR_RESPONSE) / 1024) * 1024);
	return size > (current ?? 0) ? texts.context(size, slots) : undefined;
}

/** What to do if the model was not trained for a context in which the prompt fits; undefined if it was. */
export function suggestOtherModel(
	promptTokens: number,
	{ current, trained }: ContextSizes,
): string | undefined {
	return getNeededTokens(promptTokens, current) >= trained
		? `This model supports at most ${trained} tokens, so a larger context does not help: choose a model with a larger context.`
		: undefined;
}

/** Tokens of the prompt, and those of the response if the server counts them. */
function getNeededTokens(promptTokens: number, contextTokens = Infinity) {
	// The counts say that the prompt fits: a server that stops counting does so one token above its limit (vLLM).
	const isCountCapped = promptTokens <= contextTokens + 1;
	return isCountCapped && Number.isFinite(contextTokens)
		? 2 * Math.max(promptTokens, contextTokens)
		: promptTokens;
}
