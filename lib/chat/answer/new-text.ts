/** A text like this that comes again at the beginning of the next piece is no chance; "ha", "haha" or "-", "--" is. */
const NO_CHANCE = { length: 8, letters: 4 };

function isNoChance(text: string): boolean {
	return text.length >= NO_CHANCE.length && new Set(text).size >= NO_CHANCE.letters;
}

/**
 * Some home-made servers put all the text so far into each chunk, in place of what is new. Pieces are held back only as
 * long as each begins with the one before it, which the second or third piece of other answers ends. Whatever they turn
 * out to be, nothing is lost and nothing comes twice.
 */
export class CumulativeText {
	private state: 'first' | 'maybe' | 'pieces' | 'whole' = 'first';
	private given = 0;
	private held: string[] = [];
	private last = '';

	/** @returns what is new in this piece, as far as that is decided */
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
		const isProof = isNoChance(this.last);
		this.held.push(piece);
		this.last = piece;
		return isProof ? this.settle() : '';
	}

	/** The end of the answer: what was held back. */
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

/** What is new in the text of an answer, in whole characters, whichever way a server repeats and cuts it. */
export class NewText {
	private readonly whole = new CumulativeText();
	/** The first half of a character: some servers escape an emoji as two halves in two pieces. */
	private half = '';
	/** What equals the prefill so far; undefined once that is settled. */
	private held: string | undefined = '';

	/** @param prefill which servers repeat at the beginning of the answer */
	constructor(private readonly prefill = '') {}

	push(piece: string): string {
		return this.withoutPrefill(this.inCharacters(this.whole.push(piece)));
	}

	/** The end of the answer: what was held back. */
	end(): string {
		const late = this.withoutPrefill(this.inCharacters(this.whole.end()));
		const rest = late + (this.held ?? '') + this.half;
		this.held = undefined;
		this.half = '';
		return rest;
	}

	/** Gives everything back as soon as the answer turns out to differ. */
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
