import type { TracedAnswer } from '../tracing/attributes';
import type { FinishedAnswer } from './types';
import { acceptedDrafts, speedByServer } from './counts';

/** The attributes of an answer for its trace. @param startedAt by `performance.now()` */
export function tracedAnswer(answer: FinishedAnswer, startedAt: number): TracedAnswer {
	const {
		model,
		finishReason,
		usage,
		timings,
		firstTokenMs,
		toolCalls,
		text,
		reasoning,
		serverKind = 'other',
	} = answer;
	return {
		provider: serverKind,
		answeredBy: model,
		finishReason,
		usage: usage && { ...usage, cachedTokens: usage.cachedTokens ?? timings?.cache_n },
		...(firstTokenMs > 0 ? { firstTokenAt: startedAt + firstTokenMs } : {}),
		tokensPerSecond: tokensPerSecond(answer),
		acceptedDrafts: acceptedDrafts(timings),
		toolCalls: toolCalls.map(({ name }) => name),
		output: [{ role: 'assistant', content: text, reasoning, toolCalls, finishReason }],
	};
}

/** The speed that the server reports, or else the one measured here. */
export function tokensPerSecond({
	timings,
	usage,
	firstTokenMs,
	totalMs,
}: FinishedAnswer): number | undefined {
	const generatedMs = totalMs - firstTokenMs;
	const tokens = usage?.completionTokens ?? 0;
	return (
		speedByServer(timings) ??
		(tokens > 1 && generatedMs > 0 ? ((tokens - 1) / generatedMs) * 1000 : undefined)
	);
}
