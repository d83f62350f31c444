/** Finds what is written like a control token in texts, and breaks it up there. Knows no server. */
import { ZERO_WIDTH_SPACE } from '../plain-text';
import { literalPattern } from '../values';

/**
 * Everything written like a control token: `<|im_end|>`, `<｜User｜>`, `<end_of_turn>`, `[INST]`, `[UNUSED_TOKEN_146]`,
 * `[|user|]`, MiniMax's `]~b]`, `]~!b[` and `[e~[`. HTML tags are, too.
 */
export const TOKEN_LIKE =
	/<[^\s<>]{1,62}>|\[\/?[A-Za-z_]\w{2,39}\]|\[\|[^\s[\]]{1,60}\|\]|\]~!?b[\][]|\[e~\[/g;
/** No control token has letters, digits and the punctuation of sentences alone. */
const UNUSUAL_SIGN = /[^\p{L}\p{N}\p{M}\s.,;:!?'"()/_“”„‘’…–—。，、！？：；-]/u;
export const LONGEST_TOKEN = 64;
/** Texts are searched in steps, so that n8n can go on between: of so many characters, or one for each place. */
const STEP_LENGTH = 250_000;

/** Whether one of the texts may hold a control token. Long texts are not looked at: that takes as long as the search. */
export function mayHoldTokens(texts: readonly string[]): boolean {
	const length = texts.reduce((sum, text) => sum + text.length, 0);
	return length > STEP_LENGTH || texts.some((text) => UNUSUAL_SIGN.test(text));
}

export const isTokenLike = (text: string): boolean => text.match(TOKEN_LIKE)?.[0] === text;

/** The control tokens of a model. */
export interface ControlTokens {
	/** Those that look like none. */
	unusual: readonly string[];
	has(token: string): boolean;
}

/** What in texts is written like a control token: all, or one more than `most`. */
export function* suspectsIn(
	texts: readonly string[],
	unusual: readonly string[],
	most: number,
): Generator<void, Set<string>> {
	const beginning = beginnings(unusual);
	const suspects = new Set<string>();
	for (const text of texts)
		for (const { token } of places(text, beginning)) {
			yield;
			if (token !== undefined) suspects.add(token);
			if (suspects.size > most) return suspects;
		}
	return suspects;
}

/**
 * Breaks up every occurrence, overlapping ones too, in each of these texts. All other text keeps its bytes. Yields
 * between its steps.
 *
 * @param onFound called with each token
 */
export function* breakUp(
	texts: Iterable<string>,
	tokens: ControlTokens,
	onFound?: (token: string) => void,
): Generator<void, Map<string, string>> {
	const beginning = beginnings(tokens.unusual);
	const changed = new Map<string, string>();
	for (const text of texts) {
		changed.set(text, yield* brokenUp(text, tokens, beginning, onFound));
		yield;
	}
	return changed;
}

function* brokenUp(
	text: string,
	tokens: ControlTokens,
	beginning: RegExp,
	onFound?: (token: string) => void,
): Generator<void, string> {
	let broken = '';
	let end = 0;
	for (const { token, at } of places(text, beginning)) {
		yield;
		if (token === undefined || !tokens.has(token)) continue;
		onFound?.(token);
		const inside = at + String.fromCodePoint(token.codePointAt(0)!).length;
		broken += text.slice(end, inside) + ZERO_WIDTH_SPACE;
		end = inside;
	}
	return broken + text.slice(end);
}

/**
 * Each place where a control token may begin, also within another: `<a[INST]>` holds one.
 *
 * @param unusual control tokens that look like none
 */
function beginnings(unusual: readonly string[]): RegExp {
	return new RegExp(
		`(?=(${[...unusual.map(literalPattern), TOKEN_LIKE.source].join('|')}))[^]`,
		'g',
	);
}

/** Where a text holds what is written like a control token, and now and then where it holds none. */
function* places(text: string, beginning: RegExp): Generator<{ token?: string; at: number }> {
	for (let from = 0; from < text.length; from += STEP_LENGTH) {
		yield { at: from };
		const part = text.slice(from, from + STEP_LENGTH + LONGEST_TOKEN);
		for (const { 1: token, index } of part.matchAll(beginning)) {
			if (index >= STEP_LENGTH) break;
			yield { token, at: from + index };
		}
	}
}
