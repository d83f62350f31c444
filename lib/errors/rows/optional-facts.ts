/** Facts in a sentence that is complete without them. */
import { isUnset } from '../../values/records';

/**
 * A known name in quotation marks.
 *
 * @returns with a space before it; empty if it is not known
 */
export function quoted(name: string | undefined): string {
	return optional(' "', name, '"');
}

/**
 * A known fact with the words around it.
 *
 * @returns empty if it is not known
 */
export function optional(before: string, fact: string | number | undefined, after = ''): string {
	return isUnset(fact) ? '' : `${before}${fact}${after}`;
}
