/** How much of a text can be shown while more of it may arrive: what may become a call waits. */
import { END_MARKS, getLengthBeforeEndMarks } from '../end-marks';
import { createPartialMarkFinder } from '../partial-marks';
import { MARK_BEGINNING } from './call-marks';

/** A mark that has not arrived completely. */
const PARTIAL_MARK = /(?:<[^<>\s]{0,60}|\](?:<\]?)?|\[[A-Z_|~e]{0,17}|\bf[a-z]{0,8})$/;

const getPartialEndMarkLength = createPartialMarkFinder(END_MARKS);

/** Up to this length, the start of a response may still become a call. */
export const MAX_UNDECIDED_LENGTH = 64;

/** Where a text stands that is not decided. */
interface PendingTextContext {
	/** Whether the response begins with this text. */
	isFirst: boolean;
	/** Whether it may contain calls. */
	hasTools: boolean;
}

/**
 * Length of the text that can be shown while more may arrive. Text that may become a call is pending.
 */
export function getDisplayableLength(
	pending: string,
	{ isFirst, hasTools }: PendingTextContext,
): number {
	const start = pending.slice(0, MAX_UNDECIDED_LENGTH);
	// The blanks leave room for the backticks: a start of only blanks would never be decided.
	if (hasTools && isFirst && /^\s{0,60}(?:[{[]|`{0,2}$|`{3})/.test(start)) return 0;
	const marker = hasTools ? pending.search(MARK_BEGINNING) : -1;
	if (marker >= 0) return getLengthBeforeEndMarks(pending.slice(0, marker));
	const partial = PARTIAL_MARK.exec(pending)?.[0].length ?? 0;
	const length = pending.length - Math.max(partial, getPartialEndMarkLength(pending));
	const lengthBeforeMarks = getLengthBeforeEndMarks(pending);
	if (length === pending.length) return lengthBeforeMarks;
	// What may be a mark may follow another one, which then is one at the end.
	return Math.min(lengthBeforeMarks, getLengthBeforeEndMarks(pending.slice(0, length)));
}
