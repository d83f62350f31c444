/** Reads token counts and times from the responses of each API. */
import type { JsonRecord } from '../../values/records';
import { isRecord, asRecord } from '../../values/records';
import { isInRange } from '../../values/numbers';
import type { NumberRange } from '../../values/numbers';
import { estimateTokens } from '../../values/tokens';
import type { Completion } from '../completion';
import type { ChatResult, Timings, Usage } from '../chat-result';

/** Counts as a server reports them. */
interface ReportedCounts {
	/** Tokens of the prompt. */
	prompt: unknown;
	/** Tokens of the response. */
	completion: unknown;
	/** Default: both together. */
	total?: unknown;
	/** Tokens of the prompt that were in the cache. */
	cached?: unknown;
	/** Tokens of the thinking. */
	reasoning?: unknown;
}

/**
 * Undefined without counts: an empty object in a later chunk must not overwrite earlier counts, and servers that do not
 * count send zeros.
 */
function createUsage({
	prompt,
	completion,
	total,
	cached,
	reasoning,
}: ReportedCounts): Usage | undefined {
	const promptTokens = parseCount(prompt) ?? 0;
	const completionTokens = parseCount(completion) ?? 0;
	if (promptTokens + completionTokens === 0) return undefined;
	return {
		promptTokens,
		completionTokens,
		totalTokens: parseCount(total) ?? promptTokens + completionTokens,
		cachedTokens: parseCount(cached),
		reasoningTokens: parseCount(reasoning),
	};
}

/** A number from 0 to the largest safe integer, of some gateways as text; otherwise undefined. */
function parseCount(value: unknown) {
	const count = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
	const isCount = typeof count === 'number' && count >= 0 && count <= Number.MAX_SAFE_INTEGER;
	return isCount ? count : undefined;
}

/**
 * OpenAI's `usage`. Some servers count the thinking beside the details (seen: Kimi K3, 2026), others the cached tokens, DeepSeek
 * those under a name of its own.
 */
export function parseOpenAiUsage(usage: unknown): Usage | undefined {
	if (!isRecord(usage)) return undefined;
	const promptDetails = asRecord(usage.prompt_tokens_details);
	const completionDetails = asRecord(usage.completion_tokens_details);
	return createUsage({
		prompt: usage.prompt_tokens,
		completion: usage.completion_tokens,
		total: usage.total_tokens,
		cached: promptDetails.cached_tokens ?? usage.prompt_cache_hit_tokens ?? usage.cached_tokens,
		reasoning: completionDetails.reasoning_tokens ?? usage.reasoning_tokens,
	});
}

/** Far more than any server sends. */
const MAX_TIMINGS = 50;

/** Counts, times and speeds. A number beyond them, such as 1e308, says nothing, and becomes infinite when it is rounded. */
const TIMING_RANGE: NumberRange = [0, Number.MAX_SAFE_INTEGER];

/** Reads llama-server's `timings`. */
export function parseTimings(timings: JsonRecord): Timings {
	return Object.fromEntries(
		Object.entries(timings)
			.filter((entry): entry is [string, number] => isTiming(entry[1]))
			.slice(0, MAX_TIMINGS),
	);
}

function isTiming(value: unknown): value is number {
	return typeof value === 'number' && isInRange(value, TIMING_RANGE);
}

/** The counts in llama-server's `timings`, which it also sends without `usage` in the request. */
export function usageFromTimings({
	cache_n: cached,
	prompt_n: promptTokens,
	predicted_n: completionTokens,
}: Timings = {}): Usage | undefined {
	return createUsage({
		prompt: promptTokens === undefined ? undefined : (cached ?? 0) + promptTokens,
		completion: completionTokens,
		cached,
	});
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

/** The tokens of all attempts or requests together; undefined if the server counted none. */
export function sumUsage(parts: ReadonlyArray<{ usage?: Usage | undefined }>): Usage | undefined {
	return parts.reduce<Usage | undefined>((sum, { usage }) => addUsage(sum, usage), undefined);
}

/** The tokens of two requests. */
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

/**
 * Estimates the usage for minimal servers, which report neither token counts nor a finish reason.
 *
 * @returns undefined for a server with a finish reason
 */
export function estimateUsage(
	{ finishReason, text, reasoning }: Completion,
	texts: readonly string[],
): Usage | undefined {
	if (finishReason !== 'unknown') return undefined;
	const promptTokens = texts.reduce((total, text) => total + estimateTokens(text), 0);
	const completionTokens = estimateTokens(text + reasoning);
	const totalTokens = promptTokens + completionTokens;
	return { promptTokens, completionTokens, totalTokens, estimated: true };
}
