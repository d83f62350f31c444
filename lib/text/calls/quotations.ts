/**
 * Detects quotations: calls in the text of a response that the request contains already. They do not run, because the model
 * may only be repeating what a user, a file or a tool wrote. Three comparisons: the source of the call with the texts of the
 * request, what the same readers find in those texts, and which tools foreign texts call (`foreign-calls.ts`).
 */
import { isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { pushAll } from '../../values/lists';
import { ZERO_WIDTH_SPACE } from '../../values/safe-text';
import { collectTexts, normalizeLetters } from '../../values/text';
import { findBeginningsBefore, MAX_BEFORE_NAME } from './beginnings';
import { ForeignCalls } from './foreign-calls';
import { readMentionedCalls } from './literal-calls';
import { readMarkedJson } from './marked-json';
import { readBlock } from './read-text-calls';
import { TextCursor } from './cursor';
import type { CallCandidate, RawToolCall, RejectionReason } from './types';
import { decodeEntitiesInSteps } from '../../values/html-entities';
import { replaceInSteps } from '../../values/replace-in-steps';
import { getOwn } from '../../values/own-properties';

/** Characters of the request that may be read for the calls of a response. Calls after that are not compared. */
const MAX_READS = 2_000_000;
/** Longer requests, which no context holds, are not compared. */
const MAX_LENGTH = 2_000_000;
/** Shorter ones are read in some milliseconds. */
const MIN_STEPS_LENGTH = 100_000;
/** What follows a name in the same call in another syntax: escapes are up to so many times as long as what they stand for. */
const MIN_AFTER_NAME = 1_000;
const AFTER_NAME_PER_CHARACTER = 8;
/** A beginning of a call that is tried costs as much as reading so many characters. */
const READS_PER_BEGINNING = 128;
/** What it costs to compare the surroundings of a name with those of the one before it. */
const READS_PER_WINDOW = 64;

/** What a call is compared with. */
export interface QuotableRequest {
	/** All texts that the model may quote. */
	texts: readonly string[];
	/**
	 * Those of them that came into the conversation with or since the last message of a user, and that this user did not write:
	 * files, and results of tools.
	 */
	foreignTexts: readonly string[];
	/** Calls that have run since then: a result may name its own. */
	pastCalls: readonly RawToolCall[];
}

/** Why a call does not run: the request contains it, or is too large to say so. */
export type QuotationReason = Extract<RejectionReason, 'quotation' | 'notCompared'>;

/** Compares calls with the request. */
export interface QuotationCheck {
	/**
	 * @param source the text of the call, with its marks
	 * @returns undefined if the request does not contain it
	 */
	(source: string, call: RawToolCall): QuotationReason | undefined;
	/** Reads a long request, between whose parts other work may run. Without it, the first check reads all of it at once. */
	prepare?(): Generator<undefined, void>;
}

/**
 * Returns a function that finds out whether a request contains a call. Its texts are joined, so that a call that is split over
 * two of them is found.
 *
 * @param fullNameByCallableName a tool can be called by its full name, and by the one without the prefix of its MCP client
 */
export function createQuotationCheck(
	{ texts, foreignTexts, pastCalls }: QuotableRequest,
	fullNameByCallableName: ReadonlyMap<string, string> = new Map(),
): QuotationCheck {
	const length = texts.reduce((sum, text) => sum + text.length, 0);
	let variants: RequestText[] | undefined;
	let foreignCalls: ForeignCalls | undefined;
	const reads = { left: MAX_READS };
	const toForeignCalls = (foreignVariants: readonly string[]) =>
		new ForeignCalls(foreignVariants, { toValues: toComparableValues, pastCalls });
	const toRequestTexts = (allVariants: readonly string[]) =>
		allVariants.map((text) => new RequestText(text, reads));
	function* prepare() {
		if (length < MIN_STEPS_LENGTH || length > MAX_LENGTH) return;
		const foreignVariants: string[] = [];
		for (const text of foreignTexts) pushAll(foreignVariants, yield* decodeInSteps(text));
		foreignCalls ??= toForeignCalls(foreignVariants);
		variants ??= toRequestTexts(yield* decodeInSteps(texts.join('\n')));
		for (const variant of variants) {
			variant.readLetters();
			yield;
		}
	}
	const check = (source: string, call: RawToolCall): QuotationReason | undefined => {
		if (length > MAX_LENGTH) return 'notCompared';
		const names = getAllNames(call.name, fullNameByCallableName);
		foreignCalls ??= toForeignCalls(foreignTexts.flatMap(toVariants));
		if (foreignCalls.callsOneOf(names)) return 'quotation';
		if (foreignCalls.isExhausted) return 'notCompared';
		variants ??= toRequestTexts(toVariants(texts.join('\n')));
		if (variants.some((variant) => variant.containsSource(source, call))) return 'quotation';
		const maxAfter = MIN_AFTER_NAME + AFTER_NAME_PER_CHARACTER * source.length;
		const wanted = { names, values: toComparableValues(call.arguments), maxAfter };
		const word = findLongestWord(call.arguments);
		if (variants.some((variant) => variant.containsCall(wanted, word))) return 'quotation';
		return reads.left < 0 ? 'notCompared' : undefined;
	};
	return Object.assign(check, { prepare });
}

/** All names of the tool that a call names. */
function getAllNames(
	name: string,
	fullNameByCallableName: ReadonlyMap<string, string>,
): readonly string[] {
	const tool = fullNameByCallableName.get(name);
	if (tool === undefined) return [name];
	return [...fullNameByCallableName.keys()].filter(
		(other) => fullNameByCallableName.get(other) === tool,
	);
}

/** A text as it is, with the escapes of JSON undone once and twice, and each with its entities decoded. */
function toVariants(text: string): string[] {
	const steps = decodeInSteps(text);
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}

/** The same, between whose variants other work may run. */
function* decodeInSteps(text: string): Generator<undefined, string[]> {
	const plain = text.replaceAll(ZERO_WIDTH_SPACE, '');
	const once = yield* decodeJsonEscapes(plain);
	yield;
	const variants = [plain, once, yield* decodeJsonEscapes(once)];
	for (const source of variants.slice()) {
		yield;
		variants.push(yield* decodeEntitiesInSteps(source));
	}
	return [...new Set(variants)];
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
};

const JSON_ESCAPE = /\\(?:u([\da-f]{4})|(["\\/bfnrt]))/gi;

function* decodeJsonEscapes(text: string): Generator<undefined, string> {
	return yield* replaceInSteps(text, JSON_ESCAPE, ([, hex, letter = '']) =>
		hex === undefined
			? (getOwn(JSON_ESCAPES, letter) ?? letter)
			: String.fromCharCode(parseInt(hex, 16)),
	);
}

/** A call to look for in the request. */
interface WantedCall {
	/** All names of its tool. */
	names: readonly string[];
	/** Its arguments, as `toComparableValues` returns them. */
	values: string;
	/** Characters after a name that may belong to it. */
	maxAfter: number;
}

/** Characters that may still be read, for all calls of a response. */
interface Reads {
	left: number;
}

/** One variant of the texts of a request. */
class RequestText {
	private letters: string | undefined;

	constructor(
		private readonly text: string,
		private readonly reads: Reads,
	) {}

	/** Whether the text contains the source of a call, as letters and digits. */
	containsSource(source: string, call: RawToolCall): boolean {
		const letters = normalizeLetters(source);
		// A name and its values without marks are words, which prose may contain.
		const words = normalizeLetters(call.name).length + countLetters(parseJson(call.arguments));
		if (letters.length <= words) return false;
		return this.readLetters().includes(letters);
	}

	/** The letters and digits of the text, which are read once. */
	readLetters(): string {
		this.letters ??= normalizeLetters(this.text);
		return this.letters;
	}

	/**
	 * Whether the readers find a call with the same name and the same values in the text. Where the longest word of the values
	 * is not, nothing is read: after many beginnings of calls, only those that matter are.
	 */
	containsCall(wanted: WantedCall, word: string | undefined): boolean {
		return wanted.names.some((name) => {
			if (name === '') return false;
			const isNear = this.createProximityCheck(word);
			let previous = 0;
			let lastWindow = '';
			for (let at = this.text.indexOf(name); at >= 0; at = this.text.indexOf(name, at + 1)) {
				if (this.reads.left < 0) return false;
				const from = Math.max(previous, at - MAX_BEFORE_NAME);
				const to = at + name.length + wanted.maxAfter;
				previous = at;
				if (!isNear(Math.max(0, at - MAX_BEFORE_NAME), to)) continue;
				const window = this.text.slice(from, to);
				this.reads.left -= READS_PER_WINDOW;
				// A model that repeats itself repeats its beginnings, too.
				if (window === lastWindow) continue;
				lastWindow = window;
				if (this.readCallsAround(window, at - from).some((call) => isSame(call, wanted)))
					return true;
			}
			return false;
		});
	}

	/**
	 * Whether a range of the text may contain a word, asked from left to right. Escapes and entities may stand for any letter.
	 */
	private createProximityCheck(word: string | undefined): (from: number, to: number) => boolean {
		if (word === undefined) return () => true;
		const isNext = [word, '\\', '&'].map((part) => this.createNextCheck(part));
		return (from, to) => isNext.some((isBetween) => isBetween(from, to));
	}

	private createNextCheck(part: string): (from: number, to: number) => boolean {
		let next = -1;
		return (from, to) => {
			if (next < from && next < this.text.length) {
				const found = this.text.indexOf(part, from);
				next = found < 0 ? this.text.length : found;
			}
			return next < to && next < this.text.length;
		};
	}

	/**
	 * The calls in which a name may be, from the nearest beginning on.
	 *
	 * @param window begins at the name before it at the latest: the calls that begin before that were read there
	 * @param at the place of the name in the window
	 */
	private readCallsAround(window: string, at: number): CallCandidate[] {
		const calls = findBeginningsBefore(window, at).flatMap((from) =>
			this.readCallsAt(window, from),
		);
		// Descriptions of tools mention `N()`.
		const unmarked = this.readCallsAt(window, at).filter(({ arguments: args }) => args !== '{}');
		return [...calls, ...unmarked];
	}

	private readCallsAt(window: string, position: number): readonly CallCandidate[] {
		if (this.reads.left < 0) return [];
		const cursor = new TextCursor(window, position, this.reads.left);
		const calls =
			readBlock(cursor)?.candidates ?? readMarkedJson(cursor) ?? readMentionedCalls(cursor) ?? [];
		this.reads.left -= READS_PER_BEGINNING + cursor.charged;
		return calls;
	}
}

/** Letters and digits of all names and values. */
function countLetters(value: unknown): number {
	if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countLetters(item), 0);
	if (!isRecord(value)) return normalizeLetters(String(value)).length;
	return Object.entries(value).reduce(
		(sum, [key, field]) => sum + normalizeLetters(key).length + countLetters(field),
		0,
	);
}

function isSame(call: CallCandidate, { names, values }: WantedCall): boolean {
	return (
		names.includes(call.name) &&
		call.arguments !== undefined &&
		toComparableValues(call.arguments) === values
	);
}

/** Letters that have only one notation: another character becomes a `K` when it is normalized. */
const WORD = /[A-JL-Za-jl-z]{3,}/g;
/** Values with several notations: `True` and `true`. */
const CONSTANT = /^(?:true|false|null)$/i;

/** The longest word in the texts of arguments, which each notation of them contains; undefined if there is none. */
function findLongestWord(args: string): string | undefined {
	const texts = collectTexts([parseJson(args)]).filter(
		(text) => !CONSTANT.test(text.trim()) && !Number.isFinite(Number(text)),
	);
	const words = texts.flatMap((text) => text.normalize().match(WORD) ?? []);
	return words.reduce<string | undefined>(
		(longest, word) => (word.length > (longest?.length ?? 0) ? word : longest),
		undefined,
	);
}

/** Arguments as text that is equal for equal values, whatever their order and notation. */
function toComparableValues(args: string): string {
	return JSON.stringify(toComparable(parseJson(args)));
}

function toComparable(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(toComparable);
	if (isRecord(value))
		return Object.entries(value)
			.map(([key, field]) => [key, toComparable(field)])
			.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
	const text = typeof value === 'string' ? value.trim().normalize() : String(value);
	const number = Number(text);
	return text !== '' && Number.isFinite(number) ? String(number) : text;
}
