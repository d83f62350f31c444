/** Facts in a sentence that is complete without them. */
import { isUnset } from '../../values/records';
import { truncate } from '../../values/text';

/** Characters of a name. A name from an expression has any length, and what follows it must stay visible. */
const MAX_NAME_LENGTH = 200;

/**
 * A known name in quotation marks.
 *
 * @returns with a space before it; empty if it is not known
 */
export function quoted(name: string | undefined): string {
	return optional(' "', name === undefined ? name : truncate(name, MAX_NAME_LENGTH), '"');
}

/**
 * A known fact with the words around it.
 *
 * @returns empty if it is not known
 */
export function optional(before: string, fact: string | number | undefined, after = ''): string {
	return isUnset(fact) ? '' : `${before}${fact}${after}`;
}
