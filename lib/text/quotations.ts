/**
 * Detects quotations: tool calls in the text of a response whose name and arguments already appear in the request. They
 * are not executed, because the model may only be repeating what a user, a file or a tool wrote.
 */
import { isRecord, normalizeLetters, parseJson } from '../values';
import { RawToolCall } from './text-tool-calls';
import { toTextVariants } from './text-variants';

/** Maximum letters between the name of a call and its first mark, and next to each of its values. */
const MAX_GAP = 64;
const MAX_BESIDE_VALUE = 32;
/** Maximum letters read between brackets. */
const MAX_IN_BRACKETS = 4_096;
/** A call with more or longer values is recognized by the first ones. */
const MAX_VALUES = 16;
const MAX_LETTERS = 64;
/** Trailing zeros that a number may have. */
const MAX_ZEROS = 4;
/** Letters compared for all calls of a response. Calls after that count as quotations. */
const MAX_STEPS = 2_000_000;
/** Reading the marks at one position costs as much as comparing this many letters. */
const MARK_STEPS = 8;

/** Words around the name and the values of a call, each with the letter that represents it in `Punctuation`. */
const MARK_BY_WORD = new Map([
	['name', 'n'],
	['arguments', 'a'],
	['args', 'a'],
	['parameters', 'p'],
	['params', 'p'],
]);

/**
 * Returns a function that checks whether a call appears in a request. Texts are joined, so that a call split over two of
 * them is found.
 *
 * `completeCallTexts`: texts in which only complete calls count.
 */
export function createQuotationCheck(
	inputTexts: readonly string[],
	completeCallTexts: readonly string[] = [],
): (toolCall: RawToolCall) => boolean {
	let promptTexts: PromptText[] | undefined;
	const steps = { left: MAX_STEPS };
	const toPromptTexts = (texts: readonly string[], requiresCompleteCall: boolean) =>
		toTextVariants(texts.join('\n')).map(
			(text) => new PromptText(text, requiresCompleteCall, steps),
		);
	return (toolCall) => {
		promptTexts ??= [
			...toPromptTexts(inputTexts, false),
			...toPromptTexts(completeCallTexts, true),
		];
		const pattern = toCallPattern(toolCall);
		return pattern.name !== '' && promptTexts.some((text) => text.quotes(pattern));
	};
}

/** A value of a call, as letters and digits. */
interface CallValue {
	letters: string;
	/** Whether further letters may follow. */
	isBeginning: boolean;
}

interface CallPattern {
	name: string;
	/** Positions of `_` and `-` in the name, which plain words do not have. */
	separatorOffsets: number[];
	values: CallValue[];
	/** Letters of all values and their names. */
	length: number;
	/** Number of letters within which a text must contain all values. */
	windowLength: number;
}

function toCallPattern(toolCall: RawToolCall): CallPattern {
	const args = parseJson(toolCall.arguments) ?? toolCall.arguments;
	const leaves = listLeaves(args).map(([key, value]) => {
		const letters = normalizeLetters(toTextVariants(String(value))[0]!);
		const keyLetters = normalizeLetters(key);
		// 1.5 may be written as 1.50, and a long number in another notation.
		const isInexact = typeof value === 'number' && !Number.isSafeInteger(value);
		return {
			letters: letters || keyLetters,
			isInexact,
			length: letters.length + keyLetters.length,
		};
	});
	const length = leaves.reduce((total, leaf) => total + leaf.length, 0);
	const values = leaves.slice(0, MAX_VALUES).map(({ letters, isInexact }) => ({
		letters: letters.slice(0, MAX_LETTERS),
		isBeginning: isInexact || letters.length > MAX_LETTERS,
	}));
	const { positions, marks } = parsePunctuation(toolCall.name);
	return {
		name: normalizeLetters(toolCall.name),
		separatorOffsets: positions.filter((_position, index) => marks[index]!.includes(SEPARATOR)),
		values,
		length,
		windowLength: MAX_GAP + length + MAX_BESIDE_VALUE * leaves.length,
	};
}

/** Values that are neither lists nor objects, with their names. */
function listLeaves(value: unknown, key = ''): Array<[key: string, value: unknown]> {
	if (Array.isArray(value)) return value.flatMap((item) => listLeaves(item, key));
	if (!isRecord(value)) return [[key, value]];
	return Object.entries(value).flatMap(([name, field]) => listLeaves(field, name));
}

/** Remaining letters that may be read for all calls of a response. */
interface Steps {
	left: number;
}

/** A range of the letters of a text. */
interface LetterRange {
	from: number;
	to: number;
	/** Whether the range is enclosed in brackets. */
	isClosed?: true;
}

/** A text as letters and digits, which layout and escapes do not change, with the punctuation between them. */
class PromptText {
	private readonly letters: string;
	private punctuation: Punctuation | undefined;

	/** `requiresCompleteCall`: whether only complete calls count. */
	constructor(
		private readonly text: string,
		private readonly requiresCompleteCall: boolean,
		private readonly steps: Steps,
	) {
		this.letters = normalizeLetters(text);
	}

	quotes(pattern: CallPattern) {
		const { name } = pattern;
		const { steps } = this;
		for (let at = this.letters.indexOf(name); at >= 0; at = this.letters.indexOf(name, at + 1)) {
			steps.left -= MAX_GAP;
			if (steps.left < 0 || this.hasCallAt({ from: at, to: at + name.length }, pattern))
				return true;
		}
		return false;
	}

	private hasCallAt(name: LetterRange, pattern: CallPattern) {
		const isName =
			this.isWordBoundary(name.from) &&
			this.isWordBoundary(name.to) &&
			pattern.separatorOffsets.every((offset) =>
				this.getMarksAt(name.from + offset).includes(SEPARATOR),
			);
		if (!isName) return false;
		if (pattern.values.length === 0) return this.isCallWithoutValues(name);
		return this.hasValuesAfter(name, pattern) || this.hasValuesNearKey(name, pattern);
	}

	private hasValuesAfter(name: LetterRange, pattern: CallPattern) {
		for (const range of this.findArgumentRanges(name.to, pattern.windowLength)) {
			const isCandidate = !this.requiresCompleteCall || this.isComplete(name, range, pattern);
			if (isCandidate && this.hasValues(range, pattern)) return true;
		}
		return false;
	}

	/** Ranges in brackets after a position, or after another mark of a call. */
	private *findArgumentRanges(position: number, windowLength: number): Generator<LetterRange> {
		const openBrackets: number[] = [];
		const end = position + windowLength + MAX_IN_BRACKETS;
		for (const { position: at, mark } of this.iterateMarks(position, end)) {
			if (openBrackets.length === 0 && at > position + MAX_GAP) return;
			if ('{[('.includes(mark)) openBrackets.push(at);
			else if (openBrackets.length === 0) {
				if (this.startsArguments(mark)) yield { from: at, to: at + windowLength };
			} else if ('}])'.includes(mark)) {
				const from = openBrackets.pop()!;
				if (openBrackets.length === 0) yield { from, to: at, isClosed: true };
			}
		}
		const [from] = openBrackets;
		if (from !== undefined) yield { from, to: end, isClosed: true };
	}

	/** Complete calls have brackets, so words do not start their arguments. */
	private startsArguments(mark: string) {
		return (this.requiresCompleteCall ? '=<' : '=<ap').includes(mark);
	}

	/** Whether there is nothing else between a name and a range, nor in its brackets. */
	private isComplete(name: LetterRange, { from, to, isClosed }: LetterRange, pattern: CallPattern) {
		const between = this.letters.slice(name.to, from);
		const isAdjacent = between === '' || (isClosed === true && MARK_BY_WORD.has(between));
		return isAdjacent && (isClosed === undefined || to - from <= pattern.length + MAX_ZEROS);
	}

	/** Checks the nearest `arguments` on either side of `"name":"delete_customer"`. */
	private hasValuesNearKey(name: LetterRange, pattern: CallPattern) {
		if (!this.followsNameKey(name)) return false;
		const { argumentKeys } = this.getPunctuation();
		const next = findFirstIndex(argumentKeys, name.to);
		return argumentKeys
			.slice(Math.max(0, next - 1), next + 1)
			.some((from) => this.hasValues({ from, to: from + pattern.windowLength }, pattern));
	}

	private hasValues({ from, to }: LetterRange, { values }: CallPattern) {
		this.steps.left -= to - from;
		const text = this.letters.slice(from, to);
		return values.every(({ letters, isBeginning }) => {
			for (let at = text.indexOf(letters); at >= 0; at = text.indexOf(letters, at + 1)) {
				const start = from + at;
				if (
					this.isWordBoundary(start) &&
					(isBeginning || this.isWordBoundary(start + letters.length))
				)
					return true;
			}
			return false;
		});
	}

	/** Whether the name belongs to a call without values; a name alone is not a call. */
	private isCallWithoutValues(name: LetterRange) {
		const following = this.getMarksAt(name.to).replaceAll(SEPARATOR, '');
		if (!this.requiresCompleteCall && /^(?:\(\)|\{\}|\[\]|\(\{\}\))/.test(following)) return true;
		const isCalled = this.followsNameKey(name) || /[=<][nap]?$/.test(this.getMarksAt(name.from));
		return isCalled && (/^[}><)\]]/.test(following) || this.hasEmptyArguments(name));
	}

	/** Whether `"arguments":{}` follows in the same object. */
	private hasEmptyArguments({ to }: LetterRange) {
		const marks = [...this.iterateMarks(to, to + MAX_IN_BRACKETS)].map(({ mark }) => mark).join('');
		return /^[^}]*[ap](?:\{\}|\})/.test(marks.replaceAll(SEPARATOR, ''));
	}

	/** Whether the word `name` or the tag of a call directly precedes. */
	private followsNameKey({ from }: LetterRange) {
		if (/[([{]/.test(this.getMarksAt(from))) return false;
		const isKey = this.getMarksAt(from - 'name'.length).endsWith('n');
		return isKey || this.letters.endsWith('toolcall', from);
	}

	/** Whether a word begins or ends at a position. */
	private isWordBoundary(position: number) {
		const { positions } = this.getPunctuation();
		const isEnd = position === this.letters.length;
		return isEnd || positions[findFirstIndex(positions, position)] === position;
	}

	private getMarksAt(position: number) {
		const { positions, marks } = this.getPunctuation();
		const index = findFirstIndex(positions, position);
		return positions[index] === position ? marks[index]! : '';
	}

	private *iterateMarks(from: number, to: number): Generator<{ position: number; mark: string }> {
		const { positions, marks } = this.getPunctuation();
		for (let index = findFirstIndex(positions, from); index < positions.length; index++) {
			const position = positions[index]!;
			if (position > to) return;
			this.steps.left -= MARK_STEPS;
			for (const mark of marks[index]!) yield { position, mark };
		}
	}

	/** Parsed only for texts that contain the name of a call. */
	private getPunctuation() {
		return (this.punctuation ??= parsePunctuation(this.text));
	}
}

/** Maximum consecutive marks that are kept. */
const MAX_MARKS = 16;
/** Mark for `_` and `-` in a name. */
const SEPARATOR = '_';

interface Punctuation {
	/** Where words begin and end, counted in letters. */
	positions: number[];
	/** Brackets, signs and words of calls at each position, one character each. */
	marks: string[];
	/** Positions of words that introduce values. */
	argumentKeys: number[];
}

function parsePunctuation(text: string) {
	const punctuation: Punctuation = { positions: [], marks: [], argumentKeys: [] };
	let position = 0;
	// The space is the boundary of the first word.
	const tokens = ` ${text.toLowerCase()}`.matchAll(/([\p{L}\p{N}]+)|[^\p{L}\p{N}]+/gu);
	for (const [token, word] of tokens) {
		if (word === undefined) {
			const newMarks = token.replace(/-/g, SEPARATOR).replace(/[^{}[\]()<>=_]+/g, '');
			punctuation.positions.push(position);
			punctuation.marks.push(newMarks.slice(0, MAX_MARKS));
			continue;
		}
		const mark = MARK_BY_WORD.get(word);
		if (mark !== undefined) punctuation.marks[punctuation.marks.length - 1] += mark;
		if (mark === 'a' || mark === 'p') punctuation.argumentKeys.push(position);
		position += word.length;
	}
	return punctuation;
}

/** Index of the first number that is at least `min`, in an ascending list. */
function findFirstIndex(numbers: readonly number[], min: number) {
	let low = 0;
	let high = numbers.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (numbers[middle]! < min) low = middle + 1;
		else high = middle;
	}
	return low;
}
