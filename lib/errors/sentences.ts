/** Ends of sentences. */

/** The sentence with its period, if it lacks one. */
export function withPeriod(sentence: string): string {
	return hasEnd(sentence) ? sentence : `${sentence}.`;
}

/** Whether a sentence ends with a mark, also within a quotation: nothing needs to be added to continue after it. */
export function hasEnd(sentence: string): boolean {
	return /[.!?…:]["')”]?$/.test(sentence);
}
