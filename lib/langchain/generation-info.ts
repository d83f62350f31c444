import { cachedShare } from '../chat/answer/prompt-cache';
import { tokensPerSecond } from '../chat/traced-answer';
import type { FinishedAnswer } from '../chat/types';
import type { Skipped } from '../servers/pool/failover';
import { optional } from '../values';

/** The token counts with LangChain's names. */
export function usageMetadata({ usage }: FinishedAnswer): Record<string, unknown> | undefined {
	if (usage === undefined) return undefined;
	return {
		input_tokens: usage.promptTokens,
		output_tokens: usage.completionTokens,
		total_tokens: usage.totalTokens,
		...(usage.cachedTokens === undefined
			? {}
			: { input_token_details: { cache_read: usage.cachedTokens } }),
		...(usage.reasoningTokens === undefined
			? {}
			: { output_token_details: { reasoning: usage.reasoningTokens } }),
	};
}

const MAX_LOGGED_REASONING = 2000;
/** Shorter load times mean that the model was already in memory. */
const COLD_START_MS = 1000;

/** What the execution log shows besides the text: n8n records nothing else (docs/protocols/n8n.md 2.7). */
export function generationInfoOf(answer: FinishedAnswer): Record<string, unknown> {
	const { timings, usage, reasoning, model, server } = answer;
	const { load_ms: loadMs = 0 } = timings ?? {};
	const share = cachedShare(answer);
	const isLong = reasoning.length > MAX_LOGGED_REASONING;
	return optional({
		finish_reason: answer.finishReason,
		model: model ?? server?.model,
		tokensPerSecond: rounded(tokensPerSecond(answer)),
		promptTokensPerSecond: rounded(timings?.prompt_per_second),
		cachedTokens: usage?.cachedTokens ?? timings?.cache_n,
		promptCache: share === undefined ? undefined : `${Math.floor(share * 100)} %`,
		usageEstimated: usage?.estimated,
		firstTokenMs: rounded(answer.firstTokenMs),
		totalMs: rounded(answer.totalMs),
		modelLoadMs: loadMs >= COLD_START_MS ? rounded(loadMs) : undefined,
		timings,
		reasoning: (isLong ? `${reasoning.slice(0, MAX_LOGGED_REASONING)}…` : reasoning) || undefined,
		notes: answer.notes.length === 0 ? undefined : answer.notes,
		url: answer.url,
		server: server?.url,
		passedOver: server?.passedOver.length ? server.passedOver.map(skippedInWords) : undefined,
		...answer.log,
	});
}

/** Why a server was passed over. */
function skippedInWords({ url, why, wasAsked }: Skipped): string {
	return `${url}: ${why}${wasAsked ? '' : ' (rests)'}`;
}

function rounded(value: number | undefined): number | undefined {
	return value === undefined || !Number.isFinite(value) ? undefined : Math.round(value * 10) / 10;
}
