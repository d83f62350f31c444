import type { ChatResult, Usage } from '../chat/chat-result';
import { ServerError } from '../errors/server-error';
import type { JsonRecord } from '../values/records';
import { asArray, asNonEmptyString, isRecord } from '../values/records';
import { parseObject } from '../values/json';
import { asFiniteNumber, parseNumber, round } from '../values/numbers';
import { getOwn } from '../values/own-properties';

/** The usage of a generation, with its model and time. */
export type GenerationUsage = Pick<ChatResult, 'usage'> &
	Partial<Pick<ChatResult, 'model' | 'totalMs'>>;

interface ExecutionContext {
	customData?: {
		get(key: string): unknown;
		set(key: string, value: string | number): void;
	};
}

/** Keys of custom data. n8n accepts ten per execution, each of up to 50 letters, digits and underscores. */
const KEYS = {
	tokensIn: 'llm_tokens_in',
	tokensOut: 'llm_tokens_out',
	usage: 'llm_usage',
} as const;

/**
 * Characters of a value: n8n truncates it at 512, and logs a warning from 256 on. Names of models that do not fit are
 * omitted.
 */
const MAX_LENGTH = 255;

/**
 * Adds a generation to the totals of its execution, for later nodes and the list of executions (docs/protocols/n8n.md
 * 4.10). Stored in n8n, which creates a new model for each round of an agent. Never throws.
 */
export function storeTokenTotals(context: object, generation: GenerationUsage): void {
	const { customData } = context as ExecutionContext;
	if (customData === undefined) return;
	try {
		const { promptTokens = 0, completionTokens = 0 } = generation.usage ?? {};
		const { tokensIn, tokensOut } = readTokenTotals(context);
		customData.set(KEYS.tokensIn, tokensIn + promptTokens);
		customData.set(KEYS.tokensOut, tokensOut + completionTokens);
		const previous = parseObject(String(customData.get(KEYS.usage) ?? '')) ?? {};
		const totals = addUsage(previous, generation);
		while (totals.models.length > 0 && JSON.stringify(totals).length > MAX_LENGTH)
			totals.models.pop();
		customData.set(KEYS.usage, JSON.stringify(totals));
	} catch {
		// In manual runs, n8n throws for values that it does not accept.
	}
}

/** Tokens of all generations of an execution so far; 0 if n8n stores no totals. */
export interface TokenTotals {
	/** Of prompts. */
	tokensIn: number;
	/** Of responses. */
	tokensOut: number;
}

export function readTokenTotals(context: object): TokenTotals {
	const { customData } = context as ExecutionContext;
	const readTotal = (key: string) => parseNumber(customData?.get(key)) ?? 0;
	return { tokensIn: readTotal(KEYS.tokensIn), tokensOut: readTotal(KEYS.tokensOut) };
}

function addUsage(previous: JsonRecord, { usage, model, totalMs = 0 }: GenerationUsage) {
	const sum = (name: string, increment = 0) =>
		(asFiniteNumber(getOwn(previous, name)) ?? 0) + increment;
	// Without tokens or time, a generation does not count for the speed.
	const isTimed = usage !== undefined && totalMs > 0;
	const seconds = sum('seconds', isTimed ? totalMs / 1000 : 0);
	const timedTokens =
		sum('tokensPerSecond') * sum('seconds') + (isTimed ? usage.completionTokens : 0);
	return {
		models: [...new Set([...asArray(previous.models), model].filter(asNonEmptyString).map(String))],
		generations: sum('generations', 1),
		// Generations whose tokens are not in the totals.
		uncounted: sum('uncounted', usage === undefined ? 1 : 0),
		cached: sum('cached', usage?.cachedTokens),
		seconds: round(seconds, 2),
		tokensPerSecond: seconds > 0 ? round(timedTokens / seconds, 2) : 0,
	};
}

/** Counts a failed generation, if its usage is known. */
export function addFailedTokenTotals(context: object, error: unknown): void {
	const usage = error instanceof ServerError ? error.facts.usage : undefined;
	if (isRecord(usage)) storeTokenTotals(context, { usage: usage as unknown as Usage });
}
