/** The span around a turn. */
import type { ModelServer } from '../servers/types/server-type';
import type { ResponseAttributes } from '../tracing/attributes';
import { withSpan } from '../tracing/span';
import { getDraftAcceptanceRate, getTokensPerSecond } from './read/usage';
import type { ChatResult } from './chat-result';
import type { ChatMessage } from './chat-message';
import type { ChatSettings } from './settings';

/** A turn as its span shows it. */
export interface TracedTurn {
	server: ModelServer;
	settings: ChatSettings;
	/** The messages that are sent. */
	messages: readonly ChatMessage[];
	/** By `performance.now()`. */
	startedAt: number;
}

/**
 * Runs a turn in a span, if n8n exports traces.
 *
 * @param runTraced receives the server whose requests are parts of the span
 */
export async function traceTurn(
	{ server, settings, messages, startedAt }: TracedTurn,
	runTraced: (server: ModelServer) => Promise<ChatResult>,
): Promise<ChatResult> {
	const { model, sampling, trace, priority } = settings;
	return await withSpan(server, {
		request: { operation: 'chat', model, sampling, input: messages, trace, priority },
		work: runTraced,
		toAttributes: (result) => toResponseAttributes(result, startedAt),
	});
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
