/** Detects output that repeats itself without end, while it arrives. */
import { JsonBrackets } from '../values';

/** New characters after which the end of the output is checked, so that each is read a few times at most. */
const CHECK_INTERVAL = 1_000;
/** Longest piece whose repetition counts. */
const MAX_PERIOD = 64;

/** Characters of the end that are blank, or one piece again and again. */
const MAX_BLANKS = 2_000;
const MAX_REPEATED = 16_000;
/** In JSON: repetition inside of strings, and blanks and digits outside of them. */
const MAX_REPEATED_IN_STRING = 8_000;
const MAX_BLANKS_IN_JSON = 500;
const MAX_DIGITS = 400;
/** Blanks or digits at the end of an output that the token limit ended. */
const MAX_AT_LIMIT = 100;
/** Zeros in base64, of which a file may have many. */
const MAX_BASE64_ZEROS = 128 * 1024;

/** `complete`: a JSON value, and only blanks after it. */
export type RunawayState = 'normal' | 'runaway' | 'complete';

export class RunawayDetector {
	state: RunawayState = 'normal';
	private pending = '';
	/** The checked end of the output. */
	private tail = '';
	private length = 0;
	private readonly brackets = new JsonBrackets();
	/** Length of the output before the last run of one character. */
	private runStart = 0;

	constructor(readonly isJson = false) {}

	push(delta: string) {
		this.pending += delta;
		if (this.pending.length < CHECK_INTERVAL) return;
		if (this.isJson) this.brackets.readAll(this.pending);
		this.length += this.pending.length;
		if (!/^A+$/.test(this.pending)) this.runStart = this.length;
		this.tail = (this.tail + this.pending).slice(-MAX_REPEATED);
		this.pending = '';
		this.state = this.check();
	}

	/** Whether an output that the token limit ended was about to run away. Complete JSON was not. */
	endsInRepetition() {
		if (this.isJson) this.brackets.readAll(this.pending);
		return !this.brackets.isComplete && this.endsIn(/^(?:\s+|\d+)$/, MAX_AT_LIMIT);
	}

	private check(): RunawayState {
		const { isInString, isComplete } = this.brackets;
		const isOutside = this.isJson && !isInString;
		if (this.endsIn(/^\s+$/, isOutside ? MAX_BLANKS_IN_JSON : MAX_BLANKS))
			return isComplete ? 'complete' : 'runaway';
		if (isOutside && this.endsIn(/^\d+$/, MAX_DIGITS)) return 'runaway';
		return this.isRepetition(isInString ? MAX_REPEATED_IN_STRING : MAX_REPEATED)
			? 'runaway'
			: 'normal';
	}

	/** Whether more than `length` characters at the end match. */
	private endsIn(pattern: RegExp, length: number) {
		const end = (this.tail + this.pending).slice(-length - 1);
		return end.length > length && pattern.test(end);
	}

	private isRepetition(minLength: number) {
		if (this.tail.length < minLength) return false;
		const end = this.tail.slice(-minLength);
		for (let period = 1; period <= MAX_PERIOD; period++)
			if (end.startsWith(end.slice(period)))
				return !/^A/.test(end) || period > 1 || this.length - this.runStart > MAX_BASE64_ZEROS;
		return false;
	}
}
