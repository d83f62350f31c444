import { type AST, RegExpParser } from '../../vendor';
import { messageOf, quietly } from '../../values';

/** Maximum repetitions of a rule in a grammar (llama.cpp, `MAX_REPETITION_THRESHOLD`). */
export const MAX_REPETITIONS = 2000;

/** Longer ones take seconds to read. */
const MAX_LENGTH = 5000;

type GrammarPattern = { pattern: string } | { reason: string };

/** Code points from `lo` to `hi`. */
type Range = readonly [lo: number, hi: number];

const SHORTHANDS: Readonly<Record<'digit' | 'word' | 'space', readonly Range[]>> = {
	digit: [[0x30, 0x39]],
	word: [
		[0x30, 0x39],
		[0x41, 0x5a],
		[0x5f, 0x5f],
		[0x61, 0x7a],
	],
	// The only white space that needs no escape in a JSON string.
	space: [[0x20, 0x20]],
};
/** Characters that must be escaped in a JSON string. */
const UNQUOTABLE: readonly Range[] = [
	[0x00, 0x1f],
	[0x22, 0x22],
	[0x5c, 0x5c],
	[0x7f, 0x7f],
];
/** The same for a character class, as in llama.cpp's own rule for characters. */
const UNQUOTABLE_TEXT = '"\\\\\\x7F\\x00-\\x1F';
const ANY = `[^${UNQUOTABLE_TEXT}]`;
/** Characters with a meaning outside of a class. */
const SIGNS = new Set('^$.[]()|{}*+?');
const JSON_ESCAPES: Readonly<Record<string, string>> = {
	'\n': 'n',
	'\r': 'r',
	'\t': 't',
	'"': '"',
	'\\': '\\',
};

/** Internal: a pattern that a grammar cannot express, with the reason. */
class NotExpressible extends Error {}

/**
 * Rewrites a regular expression of a JSON schema in the subset that llama.cpp converts to a grammar, or gives the
 * reason why it cannot. Every text that matches the result also matches the original.
 *
 * llama.cpp v0.5.0 (`_pattern_to_rule`) has no shorthands (`\d`), repeats too much after an escape or a character
 * beyond ASCII, reads a lazy `+?` as optional, and lets `.` and `[^…]` match the closing quote of the JSON string: the
 * answer then fails with "The model produced output that does not match". Older releases refuse the whole request for
 * what v0.5.0 only does not enforce.
 */
export function grammarPattern(pattern: string): GrammarPattern {
	try {
		return { pattern: `^${alternatives(withoutAnchors(parsed(pattern)))}$` };
	} catch (error) {
		return { reason: messageOf(error) };
	}
}

/** Parses in Unicode mode, as JSON schema specifies, or else in JavaScript's legacy mode. */
function parsed(pattern: string): AST.Pattern {
	if (pattern.length > MAX_LENGTH)
		throw new NotExpressible(`pattern of more than ${MAX_LENGTH} characters`);
	// JavaScript reads these braces as text, other languages as a quantifier.
	if (/\{,\d+\}/.test(pattern.replace(/\\./gs, ''))) throw new NotExpressible('pattern with {,n}');
	const ast = parsedAs(pattern, { unicode: true }) ?? parsedAs(pattern, { unicode: false });
	if (ast === undefined) throw new NotExpressible('not a regular expression');
	return ast;
}

function parsedAs(pattern: string, mode: { unicode: boolean }): AST.Pattern | undefined {
	return quietly(() =>
		new RegExpParser({ ecmaVersion: 2025 }).parsePattern(pattern, 0, pattern.length, mode),
	);
}

/** A grammar always matches the whole text, so the anchors are required, and removed. */
function withoutAnchors(pattern: AST.Pattern): AST.Element[][] {
	const parts = pattern.alternatives.map(({ elements }) => [...elements]);
	const first = parts[0]?.shift();
	const last = parts.at(-1)?.pop();
	if (!isAnchor(first, 'start') || !isAnchor(last, 'end'))
		throw new NotExpressible('pattern without ^ and $');
	return parts;
}

function isAnchor(element: AST.Element | undefined, kind: 'start' | 'end'): boolean {
	return element?.type === 'Assertion' && element.kind === kind;
}

function alternatives(parts: readonly AST.Element[][]): string {
	return parts.map((elements) => elements.map(grammarOf).join('')).join('|');
}

function grammarOf(element: AST.Element): string {
	switch (element.type) {
		case 'Character':
			return literal(element);
		case 'CharacterSet':
			return element.kind === 'any' ? ANY : classOf(shorthand(element), element.negate);
		case 'CharacterClass':
			return characterClass(element);
		case 'Group':
			if (element.modifiers) throw new NotExpressible('pattern with modifiers');
			return `(?:${groupOf(element)})`;
		case 'CapturingGroup':
			return `(${groupOf(element)})`;
		case 'Quantifier':
			return quantified(element);
		default:
			throw new NotExpressible(reasonAgainst(element));
	}
}

function reasonAgainst(
	element: AST.Assertion | AST.Backreference | AST.ExpressionCharacterClass,
): string {
	switch (element.type) {
		case 'Assertion':
			return assertionReason(element);
		case 'Backreference':
			return `pattern with ${element.raw}`;
		case 'ExpressionCharacterClass':
			return 'pattern with a mixed character class';
	}
}

function groupOf(group: AST.Group | AST.CapturingGroup): string {
	return alternatives(group.alternatives.map(({ elements }) => elements));
}

function assertionReason(assertion: AST.Assertion): string {
	if (assertion.kind === 'word') return `pattern with ${assertion.raw}`;
	const isInner = assertion.kind === 'start' || assertion.kind === 'end';
	return isInner ? 'pattern with an inner anchor' : 'pattern with look-around';
}

/** `+?` finds another match than `+`, but allows the same texts. */
function quantified({ element, min, max, greedy, raw }: AST.Quantifier): string {
	if (min > MAX_REPETITIONS || (max !== Infinity && max > MAX_REPETITIONS))
		throw new NotExpressible(`pattern that repeats more than ${MAX_REPETITIONS} times`);
	const count = raw.slice(element.raw.length, greedy ? undefined : -1);
	const text = grammarOf(element);
	if (element.type !== 'Character') return text + count;
	if (isHalf(element.value)) throw new NotExpressible('pattern that repeats half of a character');
	// Characters of several bytes in the grammar are repeated as a group.
	return (text.length > 1 || element.value > 0x7f ? `(${text})` : text) + count;
}

/** A literal character. */
function literal({ value, raw }: AST.Character): string {
	// Unknown escapes are the letter itself in JavaScript, and something else in other languages.
	if (/^\\[A-Za-z0-9]/.test(raw) && value === raw.charCodeAt(1))
		throw new NotExpressible(`pattern with ${raw}`);
	const char = String.fromCodePoint(value);
	const json = JSON_ESCAPES[char];
	if (json !== undefined) return `\\\\${json === '\\' ? '\\\\' : json}`;
	if (contains(UNQUOTABLE, value)) throw new NotExpressible('pattern with a control character');
	return SIGNS.has(char) ? `\\${char}` : char;
}

function shorthand(set: AST.CharacterSet | AST.EscapeCharacterSet): readonly Range[] {
	if (set.kind === 'digit' || set.kind === 'word' || set.kind === 'space')
		return SHORTHANDS[set.kind];
	throw new NotExpressible(`pattern with ${set.raw.slice(0, 2)}`);
}

function characterClass({ elements, negate, raw }: AST.CharacterClass): string {
	const ranges = elements.flatMap(rangesOf);
	const complements = new Set(
		elements.flatMap((element) => (isComplement(element) ? [shorthand(element)] : [])),
	);
	const isPlain = !negate && !raw.includes('\\') && ranges.length > 0;
	if (isPlain && !ranges.some((range) => UNQUOTABLE.some((bad) => overlap(range, bad)))) return raw;
	return withComplements(ranges, [...complements], negate);
}

/** The characters that an element of a class adds. A complement is added by `withComplements`. */
function rangesOf(element: AST.CharacterClassElement): readonly Range[] {
	switch (element.type) {
		case 'Character':
			return [[member(element), member(element)]];
		case 'CharacterClassRange':
			return [[member(element.min), member(element.max)]];
		case 'CharacterSet':
			return isComplement(element) ? [] : shorthand(element);
		default:
			throw new NotExpressible('pattern with a mixed character class');
	}
}

function isComplement(element: AST.CharacterClassElement): element is AST.EscapeCharacterSet {
	return element.type === 'CharacterSet' && element.negate;
}

function member(character: AST.Character): number {
	if (isHalf(character.value)) throw new NotExpressible('pattern with half of a character');
	// Throws for the same characters as outside of a class.
	if (!contains(UNQUOTABLE, character.value)) literal(character);
	return character.value;
}

/**
 * `[\s\S]` and the like match any character, `[^\S]` and `[\D]` are simple; other combinations would need set
 * operations on all of Unicode.
 */
function withComplements(
	ranges: readonly Range[],
	complements: ReadonlyArray<readonly Range[]>,
	negated: boolean,
): string {
	const [complement] = complements;
	if (complement === undefined) return classOf(ranges, negated);
	if (!negated && complement.every(([lo]) => contains(ranges, lo))) return ANY;
	if (ranges.length > 0 || complements.length > 1)
		throw new NotExpressible('pattern with a mixed character class');
	return classOf(complement, !negated);
}

const HYPHEN = 0x2d;
const CARET = 0x5e;

/** A class of these characters, or of all others, without those that JSON strings must escape. */
function classOf(ranges: readonly Range[], negated: boolean): string {
	const allowed = without(ranges, UNQUOTABLE);
	if (allowed.length === 0 && !negated)
		throw new NotExpressible('pattern with characters that JSON cannot hold');
	// `-` goes to the end and `^` not to the beginning, since older releases have no escapes for them.
	const hasCaret = allowed.some(([lo, hi]) => lo === CARET && hi === CARET);
	const hasHyphen = allowed.some(([lo, hi]) => lo === HYPHEN && hi === HYPHEN);
	const end = (hasCaret ? '^' : '') + (hasHyphen ? '-' : '');
	const text = allowed.map(rangeInClass).join('');
	if (negated) return `[^${text}${UNQUOTABLE_TEXT}${end}]`;
	if (text !== '' || !hasCaret) return `[${text}${end}]`;
	return hasHyphen ? '(\\^|-)' : '(\\^)';
}

/** Nothing for the two characters that `classOf` puts at the end. */
function rangeInClass([lo, hi]: Range): string {
	if (lo !== hi) return `${inClass(lo)}-${inClass(hi)}`;
	return lo === CARET || lo === HYPHEN ? '' : inClass(lo);
}

function inClass(code: number): string {
	if (code === HYPHEN) return '\\x2D';
	if (code === CARET) return '\\x5E';
	if (code === 0x5d) return '\\]';
	return String.fromCodePoint(code);
}

function overlap(a: Range, b: Range): boolean {
	return a[0] <= b[1] && b[0] <= a[1];
}

function contains(ranges: readonly Range[], code: number): boolean {
	return ranges.some(([lo, hi]) => lo <= code && code <= hi);
}

function without(ranges: readonly Range[], cut: readonly Range[]): Range[] {
	let rest = [...ranges];
	for (const gap of cut) rest = rest.flatMap((range) => withoutGap(range, gap));
	return rest;
}

function withoutGap(range: Range, gap: Range): Range[] {
	if (!overlap(range, gap)) return [range];
	const below: Range = [range[0], gap[0] - 1];
	const above: Range = [gap[1] + 1, range[1]];
	return [below, above].filter(([lo, hi]) => lo <= hi);
}

/** Whether this is a surrogate: outside of Unicode mode, a character beyond 16 bits counts as two. */
function isHalf(code: number): boolean {
	return code >= 0xd800 && code <= 0xdfff;
}
