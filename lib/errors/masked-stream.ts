/** Masks what a model writes, which arrives in parts: a secret may begin in one and end in another. */
import { findSecrets, getSearch } from './find-secrets';
import type { SecretSearch } from './find-secrets';
import { replaceRanges } from './mask';
import { getWrittenSecrets, NO_SECRETS } from './secrets';

/** Visible characters of ASCII, of which keys consist. */
const VISIBLE = /^[!-~]*$/;

/**
 * A text that arrives in parts. Its last word of visible ASCII is held back, up to the length of a secret, whatever it is:
 * to hold back only what a secret begins with would show a reader who guesses, by the pauses, which guess is right.
 */
export class MaskedStream {
	private readonly search: SecretSearch;
	/** Whether a secret has blanks or letters of other alphabets. Then the end of any text is held back. */
	private readonly hasOtherCharacters: boolean;
	private pending = '';

	constructor(secrets: readonly string[] = NO_SECRETS) {
		const written = getWrittenSecrets(secrets);
		this.search = getSearch(written);
		this.hasOtherCharacters = !written.every((secret) => VISIBLE.test(secret));
	}

	/**
	 * @param delta - The next part.
	 * @returns what can be shown of the text.
	 */
	push(delta: string): string {
		if (this.search.isEmpty) return delta;
		const text = this.pending + delta;
		const ranges = findSecrets(text, this.search);
		const end = Math.max(ranges.at(-1) ?? 0, this.getOpenStart(text));
		this.pending = text.slice(end);
		return replaceRanges(text.slice(0, end), ranges);
	}

	/** @returns the rest, at the end of the text. */
	end(): string {
		const rest = this.pending;
		this.pending = '';
		return rest;
	}

	/** Forgets the text: another one replaces it. */
	reset(): void {
		this.pending = '';
	}

	/** Where the end of the text begins, in which a secret may have begun. */
	private getOpenStart(text: string): number {
		const first = Math.max(0, text.length - this.search.maxLength + 1);
		let start = text.length;
		while (start > first && this.mayBeOfSecret(text.charCodeAt(start - 1))) start--;
		return start;
	}

	private mayBeOfSecret(code: number): boolean {
		return this.hasOtherCharacters || (code > 0x20 && code < 0x7f);
	}
}
