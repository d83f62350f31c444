/** What share of a prompt the server took from its cache, and why it may be small. */
import type { ChatAnswer, ChatMessage, ChatParameters, ToolDefinition } from '../types';

/** Shorter prompts are read in no time. */
const MIN_TOKENS = 200;
/** Below this share of what could have come from the cache, somebody waits for nothing. */
const SMALL_SHARE = 0.2;
/**
 * llama-server looks for reusable pieces only in a slot that has more than this of the new prompt at its beginning
 * (`--slot-prompt-similarity`; docs/protocols/llama-server.md 7).
 */
const LEAST_COMMON_HEAD = 0.1;

/** From 0 to 1; undefined where the server does not tell. */
export function cachedShare({ usage, timings }: Pick<ChatAnswer, 'usage' | 'timings'>): number | undefined {
	const { cache_n: cached = usage?.cachedTokens, prompt_n: read } = timings ?? {};
	const all = read !== undefined && timings?.cache_n !== undefined ? timings.cache_n + read : usage?.promptTokens;
	return cached === undefined || all === undefined || all <= 0 ? undefined : Math.min(1, cached / all);
}

interface Prompt {
	messages: readonly ChatMessage[];
	tools?: readonly ToolDefinition[];
	parameters: Pick<ChatParameters, 'cacheReuse' | 'slotId' | 'cachePrompt'>;
}

/**
 * A remark where a conversation that goes on had little of its prompt in the cache; undefined where all is well, or
 * where the server tells no timings as llama-server does.
 */
export function remarkOnPromptCache(
	{ messages, tools = [], parameters }: Prompt,
	{ usage, timings }: Pick<ChatAnswer, 'usage' | 'timings'>,
): string | undefined {
	const { cache_n: cached, prompt_n: read } = timings ?? {};
	if (cached === undefined || read === undefined || cached + read < MIN_TOKENS) return undefined;
	// What the model was asked before: everything up to its last answer, with that.
	const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
	if (lastAnswer < 0 || parameters.cachePrompt === false) return undefined;
	const fixed = JSON.stringify(tools).length;
	const all = fixed + lengthOf(messages);
	const known = (fixed + lengthOf(messages.slice(0, lastAnswer))) / all;
	const share = cachedShare({ usage, timings }) ?? 1;
	if (share >= known / 2) return undefined;
	const firstOther = messages.findIndex(({ role }) => role !== 'system');
	const head = (fixed + lengthOf(messages.slice(0, firstOther))) / all;
	const { cacheReuse = 0, slotId = -1 } = parameters;
	if (cacheReuse > 0 && slotId < 0 && head < LEAST_COMMON_HEAD) return SHORT_HEAD;
	return share < SMALL_SHARE ? LITTLE_CACHED : undefined;
}

const SHORT_HEAD =
	'Cache Reuse found nothing: the system prompt and the tools are less than 10 % of this prompt, and then llama-server takes another slot before it looks. Set Slot ID for this conversation, or start llama-server with -sps 0.01.';

const LITTLE_CACHED =
	'Less than 20 % of this prompt came from the prompt cache, although the conversation went on. Something at its beginning changes from round to round: a date or time in the system prompt (put it into the question), another system prompt, or tools in another order. If the memory drops its oldest messages, set Cache Reuse. If other conversations use the server in between, it needs more slots (-np) or --cache-ram.';

function lengthOf(messages: readonly ChatMessage[]): number {
	return messages.reduce((sum, message) => sum + JSON.stringify(message).length, 0);
}
