/** The pieces in which the text of one answer came, thinking included. */

/** Characters at the beginning of an answer that are checked for garbage. */
const MAX_JUDGED = 400;
/** A shorter answer may well repeat one character. */
const MIN_GARBLED = 8;
/** Pieces that are read this soon after one another came in one packet. */
const SAME_MOMENT_MS = 0.5;
/** A stream brings one piece at a time, or a few where this machine is busy. */
export const MAX_PIECES_PER_MOMENT = 4;
/** Bursts still show the speed where they are spread over this share of the time. */
const MIN_SPREAD = 0.2;

export class Pieces {
	firstMs: number | undefined;
	count = 0;
	characters = 0;
	/** How often something came, however many pieces at a time. */
	moments = 0;
	ofFirstMoment = 0;
	private lastMs = 0;
	private beginning = '';

	/** @param atMs milliseconds since the request was sent */
	note(text: string, atMs: number): void {
		const isNextMoment = this.firstMs === undefined || atMs - this.lastMs > SAME_MOMENT_MS;
		if (isNextMoment) this.moments++;
		this.firstMs ??= atMs;
		this.lastMs = atMs;
		this.count++;
		this.characters += text.length;
		if (this.beginning.length < MAX_JUDGED) this.beginning += text;
		if (this.moments === 1) this.ofFirstMoment = this.count;
	}

	/** Milliseconds from the first to the last. */
	get spanMs(): number {
		return this.lastMs - (this.firstMs ?? 0);
	}

	/** Whether they came in a burst, as a proxy that collects the answer hands it on. */
	isCollected(totalMs: number): boolean {
		const isSmooth = this.count <= this.moments * MAX_PIECES_PER_MOMENT;
		return !isSmooth && this.spanMs < totalMs * MIN_SPREAD;
	}

	/** Whether they are garbage: one character repeated (`@@@@`, `GGGG`), or undecodable ones. */
	get areGarbled(): boolean {
		const signs = [...this.beginning.replace(/\s/g, '')];
		const broken = signs.filter((sign) => sign === '\ufffd').length;
		return signs.length >= MIN_GARBLED && (new Set(signs).size === 1 || broken > signs.length / 4);
	}

	/** Whether nothing readable came: no text, or nothing but blanks and line breaks. */
	get areBlank(): boolean {
		return this.beginning.trim() === '';
	}
}
