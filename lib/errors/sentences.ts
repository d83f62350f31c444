/** Sentences: their ends, and how several of them follow each other. */

/** The sentence with its period, if it lacks one. */
export function withPeriod(sentence: string): string {
	return hasEnd(sentence) ? sentence : `${sentence}.`;
}

/** Whether a sentence ends with a mark, also within a quotation: nothing needs to be added to continue after it. */
export function hasEnd(sentence: string): boolean {
	return /[.!?…:]["')”]?$/.test(sentence);
}

/** Sentences without those that are not known. */
export function join(...sentences: ReadonlyArray<string | undefined>): string {
	return sentences.filter(Boolean).join(' ');
}

/** An imperative that follows another one, of which one is enough. */
export function toAlternative(step: string | undefined): string | undefined {
	return step && `Or ${step.charAt(0).toLowerCase()}${step.slice(1)}`;
}
