import { largestOf, smallestOf } from '../values';

/**
 * Cuts streamed text at the first stop text, for servers that take none. Text that may be the start of one is held
 * back.
 */
export class StopTexts {
	/** Text that may be the start of a stop text. */
	private pending = '';
	private readonly stops: readonly string[];
	/** Whether a stop text was found: the answer has ended. */
	stopped = false;

	constructor(stops: readonly string[] = []) {
		this.stops = stops.filter((stop) => stop !== '');
	}

	/** Adds a piece. @returns the text that can be shown now */
	push(piece: string): string {
		if (this.stopped) return '';
		const text = this.pending + piece;
		const positions = this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
		if (positions.length > 0) {
			this.stopped = true;
			this.pending = '';
			return text.slice(0, smallestOf(positions));
		}
		const pendingLength = largestOf(
			this.stops.map((stop) => beginningAtEnd(text, stop)),
			0,
		);
		this.pending = text.slice(text.length - pendingLength);
		return text.slice(0, text.length - pendingLength);
	}

	/** The text held back, to be shown when nothing more comes. */
	end(): string {
		const rest = this.pending;
		this.pending = '';
		return rest;
	}
}

/** How many characters at the end of `text` are the beginning of `stop`. */
function beginningAtEnd(text: string, stop: string): number {
	for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1)
		if (text.endsWith(stop.slice(0, length))) return length;
	return 0;
}

/** A whole text, up to the first stop text. */
export function cutAt(text: string, stops?: readonly string[]): string {
	const reader = new StopTexts(stops);
	return reader.push(text) + reader.end();
}
