/** Reads token counts and times from the responses of each API. */
import type { JsonRecord } from '../../values/records';
import { isRecord, asRecord } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import type { ChatResult, Timings, Usage } from '../types';
import type { ResponseAttributes } from '../../tracing/attributes';

/**
 * Undefined without counts: an empty object in a later chunk must not overwrite earlier counts, and servers that do not
 * count send zeros.
 */
function createUsage(
	prompt: unknown,
	completion: unknown,
	details: Record<string, unknown>,
): Usage | undefined {
	const promptTokens = parseCount(prompt) ?? 0;
	const completionTokens = parseCount(completion) ?? 0;
	if (promptTokens + completionTokens === 0) return undefined;
	return {
		promptTokens,
		completionTokens,
		totalTokens: parseCount(details.total) ?? promptTokens + completionTokens,
		cachedTokens: parseCount(details.cached),
		reasoningTokens: parseCount(details.reasoning),
	};
}

/** A number from 0 to the largest safe integer; otherwise undefined. */
function parseCount(value: unknown) {
	const isCount = typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
	return isCount ? value : undefined;
}

/** OpenAI's `usage`. */
export function parseOpenAiUsage(usage: unknown): Usage | undefined {
	if (!isRecord(usage)) return undefined;
	return createUsage(usage.prompt_tokens, usage.completion_tokens, {
		total: usage.total_tokens,
		cached: asRecord(usage.prompt_tokens_details).cached_tokens,
		reasoning: asRecord(usage.completion_tokens_details).reasoning_tokens,
	});
}

/** Far more than any server sends. */
const MAX_TIMINGS = 50;

/** Reads llama-server's `timings`. */
export function parseTimings(timings: JsonRecord): Timings {
	return Object.fromEntries(
		Object.entries(timings)
			.filter((entry): entry is [string, number] => asFiniteNumber(entry[1]) !== undefined)
			.slice(0, MAX_TIMINGS),
	);
}

/** The counts in llama-server's `timings`, which it also sends without `usage` in the request. */
export function usageFromTimings({
	cache_n: cached,
	prompt_n: promptTokens,
	predicted_n: completionTokens,
}: Timings = {}): Usage | undefined {
	return createUsage(
		promptTokens === undefined ? undefined : (cached ?? 0) + promptTokens,
		completionTokens,
		{ cached },
	);
}

/** The reported tokens per second. For a single token llama-server has no time, and reports a million. */
export function getReportedSpeed(timings: Timings | undefined): number | undefined {
	const { predicted_n: tokens = Infinity, predicted_per_second: speed } = timings ?? {};
	return tokens > 1 ? speed : undefined;
}

/** The share of draft tokens that the model accepted, from 0 to 1; undefined without drafts. */
export function getDraftAcceptanceRate({
	draft_n: drafted = 0,
	draft_n_accepted: accepted = 0,
}: Timings = {}): number | undefined {
	return drafted > 0 ? Math.round((accepted / drafted) * 1000) / 1000 : undefined;
}

/**
 * The attributes of a chat result for its span.
 *
 * @param startedAt by `performance.now()`
 */
export function toResponseAttributes(result: ChatResult, startedAt: number): ResponseAttributes {
	const {
		model,
		finishReason,
		usage,
		timings,
		firstTokenMs,
		toolCalls,
		text,
		reasoning,
		serverType = 'openai_compatible',
	} = result;
	return {
		provider: serverType,
		responseModel: model,
		finishReason,
		usage: usage && { ...usage, cachedTokens: usage.cachedTokens ?? timings?.cache_n },
		...(firstTokenMs > 0 ? { firstTokenAt: startedAt + firstTokenMs } : {}),
		tokensPerSecond: getTokensPerSecond(result),
		draftAcceptanceRate: getDraftAcceptanceRate(timings),
		toolCalls: toolCalls.map(({ name }) => name),
		output: [{ role: 'assistant', content: text, reasoning, toolCalls, finishReason }],
	};
}

/** The speed reported by the server, otherwise the measured one. */
export function getTokensPerSecond({
	timings,
	usage,
	firstTokenMs,
	totalMs,
}: ChatResult): number | undefined {
	const generatedMs = totalMs - firstTokenMs;
	const tokens = usage?.completionTokens ?? 0;
	return (
		getReportedSpeed(timings) ??
		(tokens > 1 && generatedMs > 0 ? ((tokens - 1) / generatedMs) * 1000 : undefined)
	);
}

/** Adds the tokens of all attempts. */
export function addUsage(earlier: Usage | undefined, next: Usage | undefined): Usage | undefined {
	if (!earlier || !next) return earlier ?? next;
	return {
		promptTokens: earlier.promptTokens + next.promptTokens,
		completionTokens: earlier.completionTokens + next.completionTokens,
		totalTokens: earlier.totalTokens + next.totalTokens,
		cachedTokens: (earlier.cachedTokens ?? 0) + (next.cachedTokens ?? 0),
		reasoningTokens: (earlier.reasoningTokens ?? 0) + (next.reasoningTokens ?? 0),
	};
}
