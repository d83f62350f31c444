/** Lines of a stream that belong to no event, for the error of a stream that ended early. */

/** Maximum lines that are kept: an error cannot show more. */
const MAX_STRAY_LINES = 20;

const MAX_STRAY_LINE_LENGTH = 500;

/** The first lines outside of events, for example a router's `proxy error: …`. */
export class StrayLines {
	private readonly lines: string[] = [];

	/** All kept lines; empty without any. */
	get text(): string {
		return this.lines.join('\n');
	}

	/** In their order. */
	get all(): readonly string[] {
		return this.lines;
	}

	/** Keeps a line if it is one of the first, without what is beyond its 500th character. */
	add(line: string): void {
		if (this.lines.length < MAX_STRAY_LINES) this.lines.push(line.slice(0, MAX_STRAY_LINE_LENGTH));
	}
}
