/**
 * Cuts streamed text at the first stop text, for servers that take none. Text that may be the start of one is held
 * back.
 */
export class StopTexts {
	private held = '';
	private readonly stops: readonly string[];
	/** Whether a stop text was found: the answer has ended. */
	stopped = false;

	constructor(stops: readonly string[] = []) {
		this.stops = stops.filter((stop) => stop !== '');
	}

	/** Adds a piece. @returns the text that can be shown now */
	push(piece: string): string {
		if (this.stopped) return '';
		const text = this.held + piece;
		const at = Math.min(
			...this.stops
				.map((stop) => text.indexOf(stop))
				.map((found) => (found < 0 ? Infinity : found)),
		);
		if (at !== Infinity) {
			this.stopped = true;
			this.held = '';
			return text.slice(0, at);
		}
		const kept = Math.max(0, ...this.stops.map((stop) => beginningAtEnd(text, stop)));
		this.held = text.slice(text.length - kept);
		return text.slice(0, text.length - kept);
	}

	/** The text held back, to be shown when nothing more comes. */
	end(): string {
		const rest = this.held;
		this.held = '';
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
