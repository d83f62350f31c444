/** Numbers of tokens in a message about the context. */

/** Words beside a number that say what it counts. The nearest ones before it count, unless those after it are clear. */
const PROMPT_AFTER = /^(?: \+ |[)`'" ]*(?:tokens? )?(?:in the messages|input|prompt)\b)/i;
const OUTPUT_AFTER =
	/^[)`'" ]*(?:tokens? )?(?:in the completion|for the completion|output|completion)\b/i;
const LIMIT_AFTER = /^[)`'" ]*(?:tokens? )?(?:max|limit|context)/i;
const LABELS =
	/(?<other>by|at least|outputs?|completion|max_(?:new_|completion_)?tokens|got)|(?<limit>context|n_ctx|max\w*|limit|only|than|available|window|size|<=|>)|(?<prompt>prompt|inputs?|keep|passed|request\w*|messages?|contains|given)/gi;

/** A number, and what directly follows it: then it is a part of a word or a version. */
const NUMBER = /(?<![\w.-])(\d[\d,]*)([\w.]*)/g;

/** The tokens of the prompt and of the context in a message about them. Numbers that nothing explains are left out. */
export function findTokenCounts(message: string): {
	promptTokens?: number;
	contextTokens?: number;
} {
	const counts: { promptTokens?: number; contextTokens?: number } = {};
	// Each run is matched as a whole: a pattern that gives characters back takes quadratic time.
	for (const { 1: digits = '', 2: rest = '', index } of message.matchAll(NUMBER)) {
		if (/\w/.test(rest) && !digits.endsWith(',')) continue;
		const value = Number(digits.replaceAll(',', ''));
		const end = index + digits.length;
		const label = findLabel(
			message.slice(Math.max(0, index - 45), index),
			message.slice(end, end + 30),
		);
		if (label === 'prompt') counts.promptTokens ??= value;
		if (label === 'limit') counts.contextTokens ??= value;
	}
	return counts;
}

function findLabel(before: string, after: string) {
	if (PROMPT_AFTER.test(after)) return 'prompt';
	if (OUTPUT_AFTER.test(after)) return 'other';
	if (LIMIT_AFTER.test(after)) return 'limit';
	const sinceNumber = before.split(/\d/).at(-1) ?? '';
	const groups = [...sinceNumber.matchAll(LABELS)].at(-1)?.groups ?? {};
	return Object.keys(groups).find((name) => groups[name] !== undefined);
}
