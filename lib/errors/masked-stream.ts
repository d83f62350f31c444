/** Masks what a model writes, which arrives in parts: a secret may begin in one and end in another. */
import { findSecrets, getSearch } from './find-secrets';
import type { SecretSearch } from './find-secrets';
import { replaceRanges } from './mask';
import { getWrittenSecrets, NO_SECRETS } from './secrets';

/** Visible characters of ASCII, of which keys consist. */
const VISIBLE = /^[!-~]*$/;

/** How much longer than a secret the end of a text becomes before it is searched again: each character five times at most. */
const SEARCHED_AGAIN = 1.25;

/**
 * A text that arrives in parts. Its last word of visible ASCII is held back, up to the length of a secret, whatever it is:
 * to hold back only what a secret begins with would show a reader who guesses, by the pauses, which guess is right.
 */
export class MaskedStream {
	private readonly search: SecretSearch;
	/** Whether a secret has blanks or letters of other alphabets. Then the end of any text is held back. */
	private readonly hasOtherCharacters: boolean;
	/** What is held back: characters that a secret may have, and no others. */
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
		const open = this.countOpen(delta);
		if (open === text.length && open < SEARCHED_AGAIN * this.search.maxLength) {
			this.pending = text;
			return '';
		}
		const ranges = findSecrets(text, this.search);
		const start = text.length - Math.min(open, this.search.maxLength - 1);
		const end = Math.max(ranges.at(-1) ?? 0, start);
		this.pending = text.slice(end);
		return replaceRanges(text.slice(0, end), ranges);
	}

	/** @returns the rest, at the end of the text. */
	end(): string {
		const rest = replaceRanges(this.pending, findSecrets(this.pending, this.search));
		this.pending = '';
		return rest;
	}

	/** Forgets the text: another one replaces it. */
	reset(): void {
		this.pending = '';
	}

	/** How many characters at the end of the text a secret may have, if the text ends with this part. */
	private countOpen(delta: string): number {
		let count = 0;
		while (count < delta.length && this.mayBeOfSecret(delta.charCodeAt(delta.length - 1 - count)))
			count++;
		return count === delta.length ? this.pending.length + count : count;
	}

	private mayBeOfSecret(code: number): boolean {
		return this.hasOtherCharacters || (code > 0x20 && code < 0x7f);
	}
}
