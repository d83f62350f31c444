/** Masks what a model writes, which arrives in parts: a secret may begin in one and end in another. */
import type { Stage } from '../stage';
import { findSecrets, getSearch } from './find-secrets';
import { replaceRanges } from './mask';
import { getWrittenSecrets, NO_SECRETS } from './secrets';

/** Visible characters of ASCII, of which keys consist. */
const VISIBLE = /^[!-~]*$/;

/** How much longer than a secret the end of a text becomes before it is searched again: each character five times at most. */
const SEARCHED_AGAIN = 1.25;

/**
 * Masks a text that arrives in parts. Its last word of visible ASCII is held back, up to the length of a secret, whatever it
 * is: to hold back only what a secret begins with would show a reader who guesses, by the pauses, which guess is right.
 *
 * @returns a stage whose state is what is held back: characters that a secret may have, and no others
 */
export function createMaskStage(
	secrets: readonly string[] = NO_SECRETS,
): Stage<string, string, string> {
	const written = getWrittenSecrets(secrets);
	const search = getSearch(written);
	if (search.isEmpty) return NO_MASK;
	// Whether a secret has blanks or letters of other alphabets. Then the end of any text is held back.
	const hasOtherCharacters = !written.every((secret) => VISIBLE.test(secret));
	const mayBeOfSecret = (code: number) => hasOtherCharacters || (code > 0x20 && code < 0x7f);
	return {
		start: '',
		step(pending, delta) {
			const text = pending + delta;
			let open = countAtEnd(delta, mayBeOfSecret);
			if (open === delta.length) open = text.length;
			if (open === text.length && open < SEARCHED_AGAIN * search.maxLength) return ['', text];
			const ranges = findSecrets(text, search);
			const start = text.length - Math.min(open, search.maxLength - 1);
			const end = Math.max(ranges.at(-1) ?? 0, start);
			return [replaceRanges(text.slice(0, end), ranges), text.slice(end)];
		},
		end: (pending) => replaceRanges(pending, findSecrets(pending, search)),
	};
}

/** The stage without secrets. */
export const NO_MASK: Stage<string, string, string> = {
	start: '',
	step: (_pending, text) => [text, ''],
	end: () => '',
};

/** How many characters at the end of a text match. */
function countAtEnd(text: string, matches: (code: number) => boolean): number {
	let count = 0;
	while (count < text.length && matches(text.charCodeAt(text.length - 1 - count))) count++;
	return count;
}
