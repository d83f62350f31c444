/** Numbers of tokens in a message about the context. */

/** Counts that a message explains. */
export interface TokenCounts {
	/** Tokens of the prompt. */
	promptTokens?: number;
	/** Tokens that prompt and response may have together. */
	contextTokens?: number;
	/** Tokens that were requested for the response. */
	responseTokens?: number;
}

/** What a number in a message counts. `request`: the prompt, or the prompt and the response together. */
type Label = 'prompt' | 'limit' | 'response' | 'request' | 'other';

/** Words directly after a number, which are clearer than those before it. */
const AFTER: ReadonlyArray<readonly [label: Label, words: RegExp]> = [
	// vLLM counts characters if that suffices to reject a prompt.
	['other', /^[)`'" ]*(?:input |prompt )?(?:characters|chars|words|bytes)\b/i],
	[
		'response',
		/^[)`'" ]*(?:tokens? )?(?:(?:in|for|from) (?:the |your )?(?:completion|response|output)|output|completion|max_(?:new_|completion_)?tokens)\b/i,
	],
	// In a sum and in a comparison, the prompt is first; not in one of the response with what is left for it (vLLM).
	['prompt', /^ (?:\+|>=?) \d[\d,]*(?![\d,]| - )/],
	[
		'prompt',
		/^[)`'" ]*(?:tokens? )?(?:(?:in|from|of) (?:the |your )?(?:messages?|prompt|inputs?)|inputs?|prompt)\b/i,
	],
	['limit', /^[)`'" ]*(?:tokens? )?(?:max|limit|context)/i],
];

/** Words before a number; the nearest one counts. */
const BEFORE =
	/(?<response>outputs?|completion|max_(?:new_|completion_)?tokens)|(?<other>by|at least|got|total)|(?<limit>context|n_ctx|max\w*(?: (?:allowed|supported|input|prompt|model|sequence|token))*|limit|only|than|available|window|size|<=|>|最大|上下文|限制|上限)|(?<request>request\w*)|(?<prompt>prompt|inputs?|keep|passed|messages?|contains|given|number of tokens|token count|输入)/gi;

/** A number, and what directly follows it: then it is a part of a word or a version. */
const NUMBER = /(?<![\w.-])(\d[\d,]*)([\w.]*)/g;

/** A context has no more tokens: a larger number counts something else. */
const MAX_PLAUSIBLE_TOKENS = 1_000_000_000;

/** The tokens in a message about them. Numbers that nothing explains are left out, and so is a sum of others. */
export function findTokenCounts(message: string): TokenCounts {
	const first: Partial<Record<Label, number>> = {};
	// Each run is matched as a whole: a pattern that gives characters back takes quadratic time.
	for (const { 1: digits = '', 2: rest = '', index } of message.matchAll(NUMBER)) {
		if (/\w/.test(rest) && !digits.endsWith(',')) continue;
		const value = Number(digits.replaceAll(',', ''));
		if (value === 0 || value > MAX_PLAUSIBLE_TOKENS) continue;
		const end = index + digits.length;
		const before = message.slice(Math.max(0, index - 45), index);
		const label = findLabel({ before, after: message.slice(end, end + 40) });
		if (label !== undefined) first[label] ??= value;
	}
	return toCounts(first);
}

function toCounts({ prompt, limit, response, request }: Partial<Record<Label, number>>) {
	// With a response beside it, what was requested is the sum of both.
	const promptTokens = prompt ?? (response === undefined ? request : undefined);
	return {
		...(promptTokens !== undefined && { promptTokens }),
		...(limit !== undefined && { contextTokens: limit }),
		...(response !== undefined && { responseTokens: response }),
	};
}

/** What the text around a number says that it counts. */
function findLabel({ before, after }: { before: string; after: string }): Label | undefined {
	// The second part of a sum: `199759 + 8192`
	if (/\d \+ $/.test(before)) return 'response';
	const [label] = AFTER.find(([, pattern]) => pattern.test(after)) ?? [];
	if (label !== undefined) return label;
	const sinceNumber = before.split(/\d/).at(-1) ?? '';
	const groups = [...sinceNumber.matchAll(BEFORE)].at(-1)?.groups ?? {};
	return (Object.keys(groups) as Label[]).find((name) => groups[name] !== undefined);
}
