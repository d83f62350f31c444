/** The share of a prompt that came from the server's cache, and why it may be small. */
import type { AnswerContent, ChatMessage, ChatParameters, Timings, ToolDefinition } from '../types';

/** Shorter prompts are read quickly anyway. */
const MIN_TOKENS = 200;
/** Below this share of cached tokens, the user gets a note. */
const SMALL_SHARE = 0.2;
/**
 * llama-server looks for reusable parts only in a slot that has at least this share of the new prompt at its beginning
 * (`--slot-prompt-similarity`; docs/protocols/llama-server.md 7).
 */
const LEAST_COMMON_HEAD = 0.1;

/** The cached share of the prompt from 0 to 1; undefined if unknown. */
export function cachedShare({
	usage,
	timings,
}: Pick<AnswerContent, 'usage' | 'timings'>): number | undefined {
	const cached = timings?.cache_n ?? usage?.cachedTokens;
	const all = countedTokens(timings) ?? usage?.promptTokens ?? 0;
	if (cached === undefined || all <= 0) return undefined;
	return Math.min(1, cached / all);
}

interface Prompt {
	messages: readonly ChatMessage[];
	tools?: readonly ToolDefinition[];
	parameters: Pick<ChatParameters, 'cacheReuse' | 'slotId' | 'cachePrompt'>;
}

/**
 * A note if little of a continued conversation came from the cache; undefined if enough did, or if the server does not
 * send llama-server's timings.
 */
export function remarkOnPromptCache(
	{ messages, tools = [], parameters }: Prompt,
	{ usage, timings }: Pick<AnswerContent, 'usage' | 'timings'>,
): string | undefined {
	if (parameters.cachePrompt === false || (countedTokens(timings) ?? 0) < MIN_TOKENS)
		return undefined;
	// The previous request: everything before the model's last answer.
	const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
	if (lastAnswer < 0) return undefined;
	const whole = lengthOf(tools, messages);
	const shareBefore = (end: number) => lengthOf(tools, messages.slice(0, end)) / whole;
	const share = cachedShare({ usage, timings }) ?? 1;
	if (share >= shareBefore(lastAnswer) / 2) return undefined;
	const head = shareBefore(messages.findIndex(({ role }) => role !== 'system'));
	if (searchesAnySlot(parameters) && head < LEAST_COMMON_HEAD) return SHORT_HEAD;
	return share < SMALL_SHARE ? LITTLE_CACHED : undefined;
}

/** Whether the server looks for reusable parts, in a slot that it chooses itself. */
function searchesAnySlot({ cacheReuse = 0, slotId = -1 }: Prompt['parameters']): boolean {
	return cacheReuse > 0 && slotId < 0;
}

/** The tokens of the prompt, cached or read; undefined where the server does not count both. */
function countedTokens(timings: Timings = {}): number | undefined {
	const { cache_n: cached, prompt_n: read } = timings;
	return cached === undefined || read === undefined ? undefined : cached + read;
}

const SHORT_HEAD =
	'Cache Reuse found nothing: the system prompt and the tools are less than 10 % of this prompt, and then the server takes another slot before it looks. Set Slot ID for this conversation, or start the server with -sps 0.01.';

const LITTLE_CACHED =
	'Less than 20 % of this prompt came from the prompt cache, although the conversation went on. Something at its beginning changes from round to round: a date or time in the system prompt (put it into the question), another system prompt, or tools in another order. If the memory drops its oldest messages, set Cache Reuse. If other conversations use the server in between, it needs more slots (-np).';

function lengthOf(tools: readonly ToolDefinition[], messages: readonly ChatMessage[]): number {
	const lengths = messages.map((message) => JSON.stringify(message).length);
	return lengths.reduce((sum, length) => sum + length, JSON.stringify(tools).length);
}
