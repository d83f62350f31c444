/**
 * Detects quotations: calls in the text of a response that the request contains already. They do not run, because the model
 * may only be repeating what a user, a file or a tool wrote. Two comparisons: the source of the call with the texts of the
 * request, and what the same readers find in those texts.
 */
import { isRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { ZERO_WIDTH_SPACE } from '../../values/safe-text';
import { normalizeLetters } from '../../values/text';
import { readLiteralCalls } from './literal-calls';
import { readBlock } from './read-text-calls';
import { readMarkedJson } from './marked-json';
import { TextCursor } from './cursor';
import type { CallCandidate, RawToolCall } from './types';
import { decodeEntities } from '../../values/html-entities';

/** Characters of the request that may be read for the calls of a response. Calls after that count as quotations. */
const MAX_READS = 1_000_000;
/** Longer requests, which no context holds, contain every call. */
const MAX_LENGTH = 2_000_000;
/** What precedes a name in a call: marks, brackets and keys. */
const MAX_BEFORE_NAME = 400;
/** Beginnings of a call before its name that are tried, each of which costs as much as reading so many characters. */
const MAX_BEGINNINGS = 12;
const READS_PER_BEGINNING = 128;

/**
 * Whether the request contains a call.
 *
 * @param source the text of the call, with its marks
 */
export type QuotationCheck = (source: string, call: RawToolCall) => boolean;

/**
 * Returns a function that checks whether the texts of a request contain a call. The texts are joined, so that a call that is
 * split over two of them is found.
 *
 * @param toolByName the names by which each tool can be called: its full name, and the one without the prefix of its MCP client
 */
export function createQuotationCheck(
	texts: readonly string[],
	toolByName: ReadonlyMap<string, string> = new Map(),
): QuotationCheck {
	const length = texts.reduce((sum, text) => sum + text.length, 0);
	let variants: RequestText[] | undefined;
	const reads = { left: MAX_READS };
	return (source, call) => {
		if (length > MAX_LENGTH) return true;
		variants ??= toVariants(texts.join('\n')).map((text) => new RequestText(text, reads));
		const tool = toolByName.get(call.name);
		const aliases = [...toolByName.keys()].filter((name) => toolByName.get(name) === tool);
		const names = tool === undefined ? [call.name] : aliases;
		return variants.some(
			(variant) => variant.containsSource(source, call) || variant.containsCall(names, call),
		);
	};
}

/** A text as it is, with the escapes of JSON undone once and twice, and each with its entities decoded. */
function toVariants(text: string): string[] {
	const plain = text.replaceAll(ZERO_WIDTH_SPACE, '');
	const once = decodeJsonEscapes(plain);
	const sources = [plain, once, decodeJsonEscapes(once)];
	return [...new Set([...sources, ...sources.map(decodeEntities)])];
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
};

function decodeJsonEscapes(text: string): string {
	if (!text.includes('\\')) return text;
	return text.replace(
		/\\(?:u([\da-f]{4})|(["\\/bfnrt]))/gi,
		(_all, hex: string | undefined, letter = '') =>
			hex === undefined
				? (JSON_ESCAPES[letter as string] ?? (letter as string))
				: String.fromCharCode(parseInt(hex, 16)),
	);
}

/** Characters that may still be read, for all calls of a response. */
interface Reads {
	left: number;
}

/** Where a name is in a text. */
interface NamePlace {
	at: number;
	/** Where it is before that; 0 if it is not. */
	previous: number;
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
		this.letters ??= normalizeLetters(this.text);
		return this.letters.includes(letters);
	}

	/** Whether the readers find a call with the same name and the same values in the text. */
	containsCall(names: readonly string[], call: RawToolCall): boolean {
		const values = toComparableValues(call.arguments);
		const isSame = (found: CallCandidate) =>
			names.includes(found.name) &&
			found.arguments !== undefined &&
			toComparableValues(found.arguments) === values;
		return names.some((name) => {
			let previous = 0;
			for (let at = this.text.indexOf(name); at >= 0; at = this.text.indexOf(name, at + 1)) {
				if (this.readCallsAround({ at, previous }).some(isSame) || this.reads.left < 0) return true;
				previous = at;
			}
			return false;
		});
	}

	/**
	 * The calls in which a name may be, from the nearest beginning on. Those that begin before the previous place were read
	 * there.
	 */
	private readCallsAround({ at, previous }: NamePlace): CallCandidate[] {
		const from = Math.max(previous, at - MAX_BEFORE_NAME);
		const before = this.text.slice(from, at);
		const beginnings = [...before.matchAll(/[<[{]|\bfunctools/g)].slice(-MAX_BEGINNINGS);
		const calls = beginnings.flatMap(({ index }) => this.readCallsAt(from + index));
		// Descriptions of tools mention `N()`.
		const unmarked = this.readCallsAt(at).filter(({ arguments: args }) => args !== '{}');
		return [...calls, ...unmarked];
	}

	private readCallsAt(position: number): readonly CallCandidate[] {
		if (this.reads.left < 0) return [];
		const cursor = new TextCursor(this.text, position, this.reads.left);
		const calls =
			readBlock(cursor)?.candidates ?? readMarkedJson(cursor) ?? readLiteralCalls(cursor) ?? [];
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
