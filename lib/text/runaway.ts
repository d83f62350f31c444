/** Detects output that repeats itself without end, while it arrives. */
import { JsonBrackets } from '../values/json-brackets';

/** New characters after which the end of the output is checked, so that each is read a few times at most. */
const CHECK_INTERVAL = 1_000;
/** Longest piece whose repetition counts. */
const MAX_PERIOD = 2_000;
/** Characters at the end in which a repetition is searched: two of the longest pieces. */
const WINDOW = 2 * MAX_PERIOD;

/** Characters of the end that are blank, or one piece again and again. */
const MAX_BLANKS = 2_000;
const MAX_REPEATED = 16_000;
/** In JSON: repetition inside of strings, and blanks and digits outside of them. */
const MAX_REPEATED_IN_STRING = 8_000;
const MAX_BLANKS_IN_JSON = 500;
const MAX_DIGITS = 400;
/** Blanks or digits at the end of an output that the token limit ended. */
const MAX_AT_LIMIT = 100;
/** Equal rows of tables, lines of code and elements of lists, without blanks, and zeros in base64: data has many. */
const MAX_EQUAL_ROWS = 128 * 1024;

/** `complete`: a JSON value, and only blanks after it. */
export type RunawayState = 'normal' | 'runaway' | 'complete';

export class RunawayDetector {
	state: RunawayState = 'normal';
	private pending = '';
	/** The checked end of the output. */
	private tail = '';
	private readonly brackets = new JsonBrackets();
	/** Length of the piece that the end repeats; 0 if it repeats none. */
	private period = 0;
	/** Characters at the end that repeat the piece. */
	private repeated = 0;

	constructor(readonly isJson = false) {}

	push(delta: string): void {
		this.pending += delta;
		if (this.pending.length < CHECK_INTERVAL) return;
		if (this.isJson) this.brackets.readAll(this.pending);
		this.readRepetition();
		this.pending = '';
		this.state = this.check();
	}

	/** Starts to look for a repetition anew: equal arguments of several calls are none. */
	forgetRepetition(): void {
		if (this.isJson) this.brackets.readAll(this.pending);
		this.pending = this.tail = '';
		this.period = this.repeated = 0;
	}

	/** Whether an output that the token limit ended was about to run away. Complete JSON was not. */
	endsInRepetition(): boolean {
		if (this.isJson) this.brackets.readAll(this.pending);
		return !this.brackets.isComplete && this.endsIn(/^(?:\s+|\d+)$/, MAX_AT_LIMIT);
	}

	private check(): RunawayState {
		const { isInString, isComplete } = this.brackets;
		const isOutside = this.isJson && !isInString;
		if (this.endsIn(/^\s+$/, isOutside ? MAX_BLANKS_IN_JSON : MAX_BLANKS))
			return isComplete ? 'complete' : 'runaway';
		if (isOutside && this.endsIn(/^\d+$/, MAX_DIGITS)) return 'runaway';
		return this.isRepetition() ? 'runaway' : 'normal';
	}

	/** Whether more than `length` characters at the end match. */
	private endsIn(pattern: RegExp, length: number) {
		const end = (this.tail + this.pending).slice(-length - 1);
		return end.length > length && pattern.test(end);
	}

	/** Continues the repetition of the checked output, or finds a new one at the end. */
	private readRepetition() {
		const text = this.tail + this.pending;
		const isContinued =
			this.period > 0 && repeats(text, { period: this.period, from: this.tail.length });
		if (isContinued) this.repeated += this.pending.length;
		else {
			this.period = findPeriod(text.slice(-WINDOW));
			this.repeated = this.period === 0 ? 0 : countRepeated(text, this.period);
		}
		this.tail = text.slice(-WINDOW - CHECK_INTERVAL);
	}

	private isRepetition() {
		const { isInString } = this.brackets;
		const minLength = this.isJson && isInString ? MAX_REPEATED_IN_STRING : MAX_REPEATED;
		if (this.period === 0 || this.repeated <= minLength) return false;
		const unit = this.tail.slice(-this.period);
		if (unit === 'A') return this.repeated > MAX_EQUAL_ROWS;
		// In JSON, a quotation mark without a backslash is not in a string.
		const isStructure = this.isJson && (!isInString || /(?<!\\)(?:\\\\)*"/.test(unit + unit));
		if (this.period === 1 || !(isStructure || areRows(unit))) return true;
		const share = unit.replace(/\s+/g, '').length / unit.length;
		return this.repeated * share > MAX_EQUAL_ROWS;
	}
}

/** Whether a text repeats itself from a position on. */
function repeats(text: string, { period, from }: { period: number; from: number }) {
	for (let at = from; at < text.length; at++)
		if (text.charCodeAt(at) !== text.charCodeAt(at - period)) return false;
	return true;
}

/** Characters at the end of a text that are a repetition. */
function countRepeated(text: string, period: number) {
	let at = text.length - 1;
	while (at >= period && text.charCodeAt(at) === text.charCodeAt(at - period)) at--;
	return text.length - 1 - at + period;
}

/**
 * Length of the shortest piece that a text consists of, at least twice; 0 if there is none. Reads each character at most
 * twice (the failure function of Knuth, Morris and Pratt).
 */
function findPeriod(text: string) {
	const borders = new Int32Array(text.length + 1);
	borders[0] = -1;
	let border = -1;
	for (let at = 0; at < text.length; at++) {
		while (border >= 0 && text.charCodeAt(at) !== text.charCodeAt(border))
			border = borders[border]!;
		border += 1;
		borders[at + 1] = border;
	}
	const period = text.length - border;
	return 2 * period <= text.length ? period : 0;
}

/** Whether a repeated piece consists of rows of a table, lines of code or elements of a list. */
function areRows(unit: string) {
	// The piece may begin within a line, or an escape: in JSON, ends of lines are escaped.
	const text = unit.repeat(3);
	const lines = text.split(/(?:\\r|\r)?(?:\\n|\n)/).slice(1, -1);
	if (lines.length === 0) return isList(text);
	const rows = lines.map((line) => line.trim()).filter((line) => line !== '');
	return rows.length > 0 && rows.every(isRow);
}

const HAS_LETTER = /\p{L}/u;

/** Markup of tables, code and data, an entry of YAML, a line of a log with its date, or a long line of base64. */
const ROW =
	/[|\t{}<>]|,\S|;\S|;$|^"|^(?:- )?[\w.-]{1,60}: \S{1,60}$|^\[?\d{4}-\d\d-\d\d|^[\w+/=-]{40,}$/;

function isRow(line: string) {
	return ROW.test(line) || !HAS_LETTER.test(line) || (line.includes(',') && /\d/.test(line));
}

/** Whether a line is a list of numbers, or of anything in brackets. */
function isList(line: string) {
	if (/[}\]]\s?,/.test(line)) return true;
	return !HAS_LETTER.test(line) && /\d/.test(line) && /[,;\s]/.test(line);
}
