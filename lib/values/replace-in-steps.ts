/** Replaces in long texts, between whose parts other work may run. */

/** Matches that are replaced in some milliseconds. */
const MATCHES_PER_STEP = 10_000;

/**
 * As `String.replace`, in steps: a text of megabytes may consist of matches.
 *
 * @param pattern - Global.
 * @returns the text; after each step, the generator yields
 */
export function* replaceInSteps(
	text: string,
	pattern: RegExp,
	replace: (match: RegExpExecArray) => string,
): Generator<undefined, string> {
	const steps: string[] = [];
	let parts: string[] = [];
	let end = 0;
	for (const match of text.matchAll(pattern)) {
		parts.push(text.slice(end, match.index), replace(match));
		end = match.index + match[0].length;
		if (parts.length < 2 * MATCHES_PER_STEP) continue;
		steps.push(parts.join(''));
		parts = [];
		yield;
	}
	if (end === 0) return text;
	return steps.join('') + parts.join('') + text.slice(end);
}
