/**
 * From this length and number of different characters on, a repetition at the beginning of the next piece is no
 * coincidence, unlike "ha", "haha" or "-", "--".
 */
const MIN_PROOF = { length: 8, letters: 4 };

function isNoCoincidence(text: string): boolean {
	return text.length >= MIN_PROOF.length && new Set(text).size >= MIN_PROOF.letters;
}

/**
 * Detects servers that send the whole text so far in each chunk, and passes on only what is new. Pieces are held back
 * only while each begins with the previous one, which in normal answers ends at the second or third piece. In both
 * cases nothing is lost or repeated.
 */
export class CumulativeText {
	private state: 'first' | 'maybe' | 'pieces' | 'whole' = 'first';
	private given = 0;
	private held: string[] = [];
	private last = '';

	/** @returns the new text, as far as that is decided */
	push(piece: string): string {
		if (piece === '' || this.state === 'pieces') return piece;
		if (this.state === 'whole') return this.newIn(piece);
		if (this.state === 'first') {
			this.state = piece.trim() === '' ? 'pieces' : 'maybe';
			this.last = piece;
			this.given = piece.length;
			return piece;
		}
		const grows = piece.length > this.last.length || this.held.length > 0;
		if (!grows || !piece.startsWith(this.last)) {
			this.state = 'pieces';
			return this.held.splice(0).join('') + piece;
		}
		const isProof = isNoCoincidence(this.last);
		this.held.push(piece);
		this.last = piece;
		return isProof ? this.settle() : '';
	}

	/** At the end of the answer: returns what was held back. */
	end(): string {
		return this.held.splice(0).join('');
	}

	private settle(): string {
		this.state = 'whole';
		this.held = [];
		return this.last.slice(this.given);
	}

	private newIn(piece: string): string {
		if (this.last === piece) return '';
		const added = piece.startsWith(this.last) ? piece.slice(this.last.length) : piece;
		this.last += added;
		return added;
	}
}

/** Extracts the new text of each piece: without repetitions and the prefill, and never half a character. */
export class NewText {
	private readonly whole = new CumulativeText();
	/** A lone first surrogate: some servers escape an emoji as two surrogates in two pieces. */
	private half = '';
	/** Text that equals the prefill so far; undefined once decided. */
	private held: string | undefined = '';

	/** @param prefill text that servers repeat at the beginning of the answer */
	constructor(private readonly prefill = '') {}

	push(piece: string): string {
		return this.withoutPrefill(this.inCharacters(this.whole.push(piece)));
	}

	/** At the end of the answer: returns what was held back. */
	end(): string {
		const late = this.withoutPrefill(this.inCharacters(this.whole.end()));
		const rest = late + (this.held ?? '') + this.half;
		this.held = undefined;
		this.half = '';
		return rest;
	}

	/** Holds text back while it equals the prefill, and releases it if the answer differs. */
	private withoutPrefill(text: string): string {
		if (this.held === undefined || this.prefill === '') return text;
		const begin = this.held + text;
		this.held = this.prefill.startsWith(begin) && begin !== this.prefill ? begin : undefined;
		if (this.held !== undefined) return '';
		return begin.startsWith(this.prefill) ? begin.slice(this.prefill.length) : begin;
	}

	private inCharacters(piece: string): string {
		const all = this.half + piece;
		const last = all.charCodeAt(all.length - 1);
		this.half = last >= 0xd800 && last <= 0xdbff ? all.slice(-1) : '';
		return this.half === '' ? all : all.slice(0, -1);
	}
}
