/** Whether a call that was read from a text is a quotation of what the model was sent. */
import { parseJson } from '../json';
import { isRecord, normalizeLetters } from '../values';
import type { RawToolCall } from './tool-calls';
import { getText } from './content';
import { readingsOf } from './readings';
import type { ChatMessage, ToolDefinition } from './types';

/** Letters between the name of a call and its first sign, and beside each of its values. */
const MAX_GAP = 64;
const MAX_BESIDE_VALUE = 32;
/** Letters in brackets that are read. */
const MAX_IN_BRACKETS = 4_096;
/** A call with more values, or a longer one, is recognized by these. */
const MAX_VALUES = 16;
const MAX_LETTERS = 64;
/** A number may be written with as many zeros behind it. */
const MAX_ZEROS = 4;
/** Letters that are compared for all calls of a response. After that, a call counts as a quotation. */
const MAX_STEPS = 2_000_000;
/** Reading the signs at a place costs as much as comparing so many letters. */
const SIGN_STEPS = 8;

/** Words of a call around its name and its values, each as a sign. */
const WORDS: ReadonlyMap<string, string> = new Map([
	['name', 'n'],
	['arguments', 'a'],
	['args', 'a'],
	['parameters', 'p'],
	['params', 'p'],
]);

/**
 * Whether a call stands in a message of a conversation. In texts of which a call is no instruction, descriptions of tools
 * and what the model wrote earlier, only a complete one counts; calls that the model made count nowhere.
 */
export function quotationIn(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[] = [],
): (call: RawToolCall) => boolean {
	let sent: SentText[] | undefined;
	const steps = { left: MAX_STEPS };
	return (call) => {
		sent ??= sentTexts(messages, tools, steps);
		const sought = soughtCall(call);
		return sought.name !== '' && sent.some((text) => text.quotes(sought));
	};
}

/** Joined, so that a call that is split over two of them is found. */
function sentTexts(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[],
	steps: Steps,
): SentText[] {
	const others = messages.filter(({ role }) => role !== 'assistant');
	const own = messages.filter(
		(message) => message.role === 'assistant' && !message.toolCalls?.length,
	);
	const told = tools.flatMap(({ description, parameters }) => [
		description ?? '',
		...textsIn(parameters),
	]);
	const textsOf = (from: readonly ChatMessage[]) =>
		from.map(({ content }) => getText(content, '\n'));
	return [
		...readingsOf(textsOf(others).join('\n')).map((text) => new SentText(text, false, steps)),
		...readingsOf([...textsOf(own), ...told].join('\n')).map(
			(text) => new SentText(text, true, steps),
		),
	];
}

function textsIn(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** A value of a call, as letters and digits. */
interface SoughtValue {
	letters: string;
	/** Further letters may follow. */
	isBeginning: boolean;
}

interface SoughtCall {
	name: string;
	/** Where the name has `_` or `-`, which plain words do not have. */
	joints: number[];
	values: SoughtValue[];
	/** Letters of all values and their names. */
	length: number;
	/** Letters within which a text has all of them. */
	reach: number;
}

function soughtCall(call: RawToolCall): SoughtCall {
	const args = parseJson(call.arguments) ?? call.arguments;
	const leaves = leavesIn(args).map(([key, value]) => {
		const letters = reducedLetters(typeof value === 'string' ? value : String(value));
		const keyLetters = normalizeLetters(key);
		// Number 1.5 may be written as 1.50, and one of many digits in another way.
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
	const { at, text } = signsIn(call.name);
	return {
		name: normalizeLetters(call.name),
		joints: at.filter((_place, index) => text[index]!.includes(JOINT)),
		values,
		length,
		reach: MAX_GAP + length + MAX_BESIDE_VALUE * leaves.length,
	};
}

function reducedLetters(text: string): string {
	return normalizeLetters(readingsOf(text)[0]!);
}

/** Values that are no list and no object, with their names. */
function leavesIn(value: unknown, key = ''): Array<[key: string, value: unknown]> {
	if (Array.isArray(value)) return value.flatMap((one) => leavesIn(one, key));
	if (!isRecord(value)) return [[key, value]];
	return Object.entries(value).flatMap(([name, one]) => leavesIn(one, name));
}

/** What may still be read for all calls of a response. */
interface Steps {
	left: number;
}

/** A stretch of the letters of a text. */
interface Stretch {
	from: number;
	to: number;
	/** Between brackets of its own. */
	isClosed?: true;
}

/** A text as its letters and digits, which no layout and no escape changes, and the signs between them. */
class SentText {
	private readonly letters: string;
	private signs: Signs | undefined;

	/** @param isWholeOnly whether only a complete call is one */
	constructor(
		private readonly text: string,
		private readonly isWholeOnly: boolean,
		private readonly steps: Steps,
	) {
		this.letters = normalizeLetters(text);
	}

	quotes(call: SoughtCall): boolean {
		const { name } = call;
		const { steps } = this;
		for (let at = this.letters.indexOf(name); at >= 0; at = this.letters.indexOf(name, at + 1)) {
			steps.left -= MAX_GAP;
			if (steps.left < 0 || this.hasCallAt({ from: at, to: at + name.length }, call)) return true;
		}
		return false;
	}

	private hasCallAt(name: Stretch, call: SoughtCall): boolean {
		const isName =
			this.isLimit(name.from) &&
			this.isLimit(name.to) &&
			call.joints.every((joint) => this.signsAt(name.from + joint).includes(JOINT));
		if (!isName) return false;
		if (call.values.length === 0) return this.isBareCall(name);
		return this.hasValuesBehind(name, call) || this.hasValuesByKey(name, call);
	}

	private hasValuesBehind(name: Stretch, call: SoughtCall): boolean {
		for (const stretch of this.stretchesBehind(name.to, call.reach)) {
			const counts = !this.isWholeOnly || this.isWhole(name, stretch, call);
			if (counts && this.hasValues(stretch, call)) return true;
		}
		return false;
	}

	/** What stands in brackets behind a place, or behind another sign of a call. */
	private *stretchesBehind(place: number, reach: number): Generator<Stretch> {
		let depth = 0;
		let from = place;
		const end = place + reach + MAX_IN_BRACKETS;
		for (const { at, sign } of this.signsFrom(place, end)) {
			if (depth === 0 && at > place + MAX_GAP) return;
			if ('{[('.includes(sign)) {
				if (depth === 0) from = at;
				depth += 1;
			} else if ('}])'.includes(sign) && depth > 0) {
				depth -= 1;
				if (depth === 0) yield { from, to: at, isClosed: true };
			} else if (depth === 0 && this.isSignOfCall(sign)) yield { from: at, to: at + reach };
		}
		if (depth > 0) yield { from, to: end, isClosed: true };
	}

	/** A complete call has brackets, so that words are none there. */
	private isSignOfCall(sign: string): boolean {
		return (this.isWholeOnly ? '=<' : '=<ap').includes(sign);
	}

	/** Whether nothing else stands between a name and a stretch, and in brackets. */
	private isWhole(name: Stretch, { from, to, isClosed }: Stretch, call: SoughtCall): boolean {
		const between = this.letters.slice(name.to, from);
		const isBeside = between === '' || (isClosed === true && WORDS.has(between));
		return isBeside && (isClosed === undefined || to - from <= call.length + MAX_ZEROS);
	}

	/** Values of the next `arguments` on either side of `"name":"delete_customer"`, whatever stands between. */
	private hasValuesByKey(name: Stretch, call: SoughtCall): boolean {
		if (!this.isNamed(name)) return false;
		const { keys } = this.readSigns();
		const next = firstFrom(keys, name.to);
		return keys
			.slice(Math.max(0, next - 1), next + 1)
			.some((from) => this.hasValues({ from, to: from + call.reach }, call));
	}

	private hasValues({ from, to }: Stretch, { values }: SoughtCall): boolean {
		this.steps.left -= to - from;
		const part = this.letters.slice(from, to);
		return values.every(({ letters, isBeginning }) => {
			for (let at = part.indexOf(letters); at >= 0; at = part.indexOf(letters, at + 1)) {
				const begin = from + at;
				if (this.isLimit(begin) && (isBeginning || this.isLimit(begin + letters.length)))
					return true;
			}
			return false;
		});
	}

	/** Whether a call without values stands here: its name alone is none. */
	private isBareCall(name: Stretch): boolean {
		const behind = this.signsAt(name.to).replaceAll(JOINT, '');
		if (!this.isWholeOnly && /^(?:\(\)|\{\}|\[\]|\(\{\}\))/.test(behind)) return true;
		const isCalled = this.isNamed(name) || /[=<][nap]?$/.test(this.signsAt(name.from));
		return isCalled && (/^[}><)\]]/.test(behind) || this.hasNoArguments(name));
	}

	/** Whether `"arguments":{}` follows in the same object. */
	private hasNoArguments({ to }: Stretch): boolean {
		const signs = [...this.signsFrom(to, to + MAX_IN_BRACKETS)].map(({ sign }) => sign).join('');
		return /^[^}]*[ap](?:\{\}|\})/.test(signs.replaceAll(JOINT, ''));
	}

	/** Whether the word `name` or the tag of a call stands directly before. */
	private isNamed({ from }: Stretch): boolean {
		if (/[([{]/.test(this.signsAt(from))) return false;
		const isKey = this.signsAt(from - 'name'.length).endsWith('n');
		return isKey || this.letters.endsWith('toolcall', from);
	}

	/** Whether a word begins or ends at a place. */
	private isLimit(place: number): boolean {
		const { at } = this.readSigns();
		return place === this.letters.length || at[firstFrom(at, place)] === place;
	}

	private signsAt(place: number): string {
		const { at, text } = this.readSigns();
		const index = firstFrom(at, place);
		return at[index] === place ? text[index]! : '';
	}

	private *signsFrom(from: number, to: number): Generator<{ at: number; sign: string }> {
		const { at, text } = this.readSigns();
		for (let index = firstFrom(at, from); index < at.length && at[index]! <= to; index++) {
			this.steps.left -= SIGN_STEPS;
			for (const sign of text[index]!) yield { at: at[index]!, sign };
		}
	}

	/** Only of a text that has the name of a call. */
	private readSigns(): Signs {
		return (this.signs ??= signsIn(this.text));
	}
}

/** Signs that are kept of those in a row. */
const MAX_SIGNS = 16;
/** The sign for `_` and `-` in a name. */
const JOINT = '_';

/** Where words begin and end, counted in letters. */
interface Signs {
	at: number[];
	/** The signs and the words of calls there. */
	text: string[];
	/** Where values are announced by a word. */
	keys: number[];
}

function signsIn(text: string): Signs {
	const signs: Signs = { at: [], text: [], keys: [] };
	let place = 0;
	// The blank is a limit of the first word.
	const pieces = ` ${text.toLowerCase()}`.matchAll(/([\p{L}\p{N}]+)|[^\p{L}\p{N}]+/gu);
	for (const [piece, word] of pieces) {
		if (word === undefined) {
			const kept = piece.replace(/-/g, JOINT).replace(/[^{}[\]()<>=_]+/g, '');
			signs.at.push(place);
			signs.text.push(kept.slice(0, MAX_SIGNS));
			continue;
		}
		const sign = WORDS.get(word);
		if (sign !== undefined) signs.text[signs.text.length - 1] += sign;
		if (sign === 'a' || sign === 'p') signs.keys.push(place);
		place += word.length;
	}
	return signs;
}

/** The index of the first number that is not below a limit, in an ascending list. */
function firstFrom(numbers: readonly number[], limit: number): number {
	let low = 0;
	let high = numbers.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (numbers[middle]! < limit) low = middle + 1;
		else high = middle;
	}
	return low;
}
