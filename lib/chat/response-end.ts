/** How a response ended, as facts: its tokens against the limits, and the call that was cut. */
import type { CutCall, ResponseEnd } from '../errors/issues';
import { getProfile } from '../servers/profile';
import type { RawToolCall } from '../text/calls/types';
import type { Completion } from './completion';
import type { TurnContext } from './turn-context';

/** Tokens that are too few for another one: some servers stop before the last. */
const MIN_FREE_TOKENS = 2;

/** The facts of a response of a turn. */
export function getResponseEnd(
	{ server, settings: { model }, display }: TurnContext,
	{ usage, maxTokens, isCutOff }: Pick<Completion, 'usage' | 'maxTokens' | 'isCutOff'>,
): ResponseEnd {
	const end: ResponseEnd = {
		shownLength: display.text.length,
		promptTokens: usage?.promptTokens,
		completionTokens: usage?.completionTokens,
		maxTokens,
		contextTokens: getProfile(server).getCachedContext(model),
	};
	// Some servers count the thinking beside the rest of the response.
	const reasoningTokens = usage?.reasoningTokens ?? 0;
	return isCutOff ? { ...end, isContextFull: isContextFull(end, reasoningTokens) } : end;
}

/** Whether the context ended a response, and not a limit of its tokens; undefined if the counts do not say it. */
function isContextFull(
	{ promptTokens, completionTokens, maxTokens, contextTokens }: ResponseEnd,
	reasoningTokens: number,
): boolean | undefined {
	if (promptTokens === undefined || completionTokens === undefined) return undefined;
	const usedTokens = promptTokens + completionTokens;
	if (contextTokens !== undefined && usedTokens + MIN_FREE_TOKENS > contextTokens) return true;
	if (maxTokens === undefined) return contextTokens === undefined ? undefined : false;
	if (completionTokens >= maxTokens) return false;
	return completionTokens + reasoningTokens >= maxTokens ? undefined : true;
}

/** Where the arguments of a call ended, and how often they have ended there in this turn. */
export function toCutCall({ cutCalls }: Pick<TurnContext, 'cutCalls'>, call: RawToolCall): CutCall {
	const { name, arguments: args } = call;
	cutCalls.push(call);
	const equal = cutCalls.filter(
		(earlier) => earlier.name === name && earlier.arguments.length === args.length,
	);
	return { tool: name, length: args.length, times: equal.length };
}
