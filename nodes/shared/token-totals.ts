import type { FinishedAnswer, Usage } from '../../lib/chat/types';
import { ServerError } from '../../lib/errors/server-error';
import { asList, finiteNumber, isRecord, nonEmptyText, parseObject } from '../../lib/values';

/** What counts of a generation. */
export type CountedGeneration = Pick<FinishedAnswer, 'usage'> & Partial<Pick<FinishedAnswer, 'model' | 'totalMs'>>;

interface CustomData {
	get(key: string): unknown;
	set(key: string, value: string | number): void;
}

/** n8n takes ten of them in one execution, of at most 50 letters, digits and underscores. */
const KEYS = { tokensIn: 'llm_tokens_in', tokensOut: 'llm_tokens_out', usage: 'llm_usage' } as const;
/** Of a value: n8n cuts it at 512 characters, and logs from 256 on that it did. Names of models that do not fit are left out. */
const MAX_LENGTH = 255;

/**
 * Adds a generation to the totals of its execution, which later nodes and the list of executions have
 * (docs/protocols/n8n.md 4.10). Read, added to and written at once: n8n makes a new model for each round of an agent.
 * Nothing may fail because it was not counted.
 */
export function countGeneration(context: object, { usage, model, totalMs = 0 }: CountedGeneration): void {
	const { customData } = context as { customData?: CustomData };
	if (customData === undefined) return;
	try {
		const read = (key: string) => finiteNumber(Number(customData.get(key) ?? 0)) ?? 0;
		const known = parseObject(String(customData.get(KEYS.usage) ?? '')) ?? {};
		const sum = (name: string, more = 0) => (finiteNumber(known[name]) ?? 0) + more;
		const { promptTokens = 0, completionTokens = 0, cachedTokens } = usage ?? {};
		// Without its tokens or its time, a generation says nothing about the speed.
		const isTimed = usage !== undefined && totalMs > 0;
		const seconds = sum('seconds', isTimed ? totalMs / 1000 : 0);
		const timedTokens = sum('tokensPerSecond') * sum('seconds') + (isTimed ? completionTokens : 0);
		customData.set(KEYS.tokensIn, read(KEYS.tokensIn) + promptTokens);
		customData.set(KEYS.tokensOut, read(KEYS.tokensOut) + completionTokens);
		const totals = {
			models: [...new Set([...asList(known.models), model].filter(nonEmptyText).map(String))],
			generations: sum('generations', 1),
			// Their tokens are in none of the totals.
			uncounted: sum('uncounted', usage === undefined ? 1 : 0),
			cached: sum('cached', cachedTokens),
			seconds: rounded(seconds),
			tokensPerSecond: seconds > 0 ? rounded(timedTokens / seconds) : 0,
		};
		while (totals.models.length > 0 && JSON.stringify(totals).length > MAX_LENGTH) totals.models.pop();
		customData.set(KEYS.usage, JSON.stringify(totals));
	} catch {
		// n8n throws for what it does not take where a workflow is run by hand.
	}
}

/** What was generated counts also where it is no answer that can be used. */
export function countFailed(context: object, error: unknown): void {
	const usage = error instanceof ServerError ? error.facts.usage : undefined;
	if (isRecord(usage)) countGeneration(context, { usage: usage as unknown as Usage });
}

function rounded(number: number): number {
	return Math.round(number * 100) / 100;
}
