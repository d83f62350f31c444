/** Finds marks that have not arrived completely, at the end of a text that goes on. */
import { maxOf } from '../values/numbers';

/** @returns the characters at the end of a text that may be the beginning of a mark; 0 for a text that may be shown whole */
export type PartialMarkFinder = (text: string) => number;

/**
 * Prepares the search for the beginnings of some marks. It runs for each delta of a response, of which most contain no
 * first character of a mark: only such a character is compared with the marks.
 *
 * @param marks - Any texts; each is searched for up to its last character but one, since a complete mark is not partial
 */
export function createPartialMarkFinder(marks: readonly string[]): PartialMarkFinder {
	const firstCharacters = new Set(marks.map((mark) => mark.charAt(0)));
	const maxLength = maxOf(
		marks.map(({ length }) => length - 1),
		0,
	);
	return (text) => {
		for (let at = Math.max(0, text.length - maxLength); at < text.length; at++) {
			if (!firstCharacters.has(text.charAt(at))) continue;
			const rest = text.slice(at);
			if (marks.some((mark) => mark.length > rest.length && mark.startsWith(rest)))
				return rest.length;
		}
		return 0;
	};
}
