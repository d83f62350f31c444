/** The field `metadata` of a generated text. */
import type { ChatResult, Timings, Usage } from '../../../lib/chat/chat-result';
import { omitEmpty, omitUndefined } from '../../../lib/values/records';
import { round } from '../../../lib/values/numbers';
import type { ServerTypeName } from '../../../lib/server-type-name';

/** Token counts and times of a text. */
export interface UsageMetadata {
	/** With the cached tokens that llama-server reports as timings. */
	usage?: Usage;
	/** Without those that repeat a count, rounded: times in milliseconds, speeds per second. */
	timings?: Timings;
}

export interface ResultMetadata extends UsageMetadata {
	/** What the model thought, if it did. */
	reasoning?: string;
	/** Why the text ends, as the server says it. */
	finishReason: string;
	/** The model that the response names. */
	model: string | undefined;
	/** Undefined if the server was not recognized. */
	server: ServerTypeName | undefined;
	/** How often the request gave way to interactive ones, if it did. */
	timesPreempted: number | undefined;
}

/** Metadata of a result for its item. */
export function toMetadata(
	result: Omit<ChatResult, 'text' | 'toolCalls' | 'warnings' | 'totalMs'>,
): ResultMetadata {
	const { reasoning, finishReason, model, serverType, timesPreempted } = result;
	return {
		...(reasoning !== '' && { reasoning }),
		finishReason,
		...toUsageMetadata(result),
		model,
		server: serverType,
		timesPreempted,
	};
}

/** Timings that repeat a count of the usage, or the speed per token instead of per second. */
const REPEATED_TIMINGS = new Set([
	'cache_n',
	'prompt_n',
	'prompt_per_token_ms',
	'predicted_n',
	'predicted_per_token_ms',
]);

/** Usage and timings, with each number once and rounded. */
export function toUsageMetadata({
	usage,
	timings,
}: Pick<ChatResult, 'usage' | 'timings'>): UsageMetadata {
	const cachedTokens = usage?.cachedTokens ?? timings?.cache_n;
	return omitEmpty({
		usage: usage && { ...usage, ...omitUndefined({ cachedTokens }) },
		timings: roundTimings(timings ?? {}),
	});
}

function roundTimings(timings: Timings): Timings {
	return Object.fromEntries(
		Object.entries(timings)
			.filter(([name]) => !REPEATED_TIMINGS.has(name))
			.map(([name, value]) => [name, round(value, name.endsWith('_ms') ? 1 : 2)]),
	);
}
