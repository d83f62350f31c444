import { eachText, type TextChange } from '../chunk';

/** Servers that send the whole text so far in each chunk. */
export const wholeTexts = () => eachText({ text: new NewText(), reasoning: new NewText() });

/**
 * From this length and number of different characters on, a repetition at the beginning of the next piece is no
 * coincidence, unlike "ha", "haha" or "-", "--".
 */
const MIN_PROOF = { length: 8, letters: 4 };

function isNoCoincidence(text: string): boolean {
	return text.length >= MIN_PROOF.length && new Set(text).size >= MIN_PROOF.letters;
}

/**
 * Passes on only what is new. Pieces are held back only while each begins with the previous one, which in normal
 * answers ends at the second or third piece. In both cases nothing is lost or repeated.
 */
export class NewText implements TextChange {
	private state: 'first' | 'maybe' | 'pieces' | 'whole' = 'first';
	private shownLength = 0;
	private held: string[] = [];
	private last = '';

	push(piece: string): string {
		if (piece === '' || this.state === 'pieces') return piece;
		if (this.state === 'whole') return this.newIn(piece);
		if (this.state === 'first') {
			this.state = piece.trim() === '' ? 'pieces' : 'maybe';
			this.last = piece;
			this.shownLength = piece.length;
			return piece;
		}
		return this.compare(piece);
	}

	end(): string {
		return this.held.splice(0).join('');
	}

	/** Whether the second or a later piece begins with the one before. */
	private compare(piece: string): string {
		const grows = piece.length > this.last.length || this.held.length > 0;
		if (!grows || !piece.startsWith(this.last)) {
			this.state = 'pieces';
			return this.end() + piece;
		}
		const isProof = isNoCoincidence(this.last);
		this.held.push(piece);
		this.last = piece;
		if (!isProof) return '';
		this.state = 'whole';
		this.held = [];
		return piece.slice(this.shownLength);
	}

	private newIn(piece: string): string {
		if (this.last === piece) return '';
		const added = piece.startsWith(this.last) ? piece.slice(this.last.length) : piece;
		this.last += added;
		return added;
	}
}
