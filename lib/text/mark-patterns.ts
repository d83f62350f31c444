/** Patterns of marks. */

/** The source of a regular expression that matches any of some texts. */
export function toAlternatives(texts: readonly string[]): string {
	return texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
}
