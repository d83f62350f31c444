import { exactJson, type ExactJson, canonicalJson, parseJson } from '../values';

/** JSON in an answer. */
export interface FoundJson extends ExactJson {
	/** As it was written. */
	json: string;
}

/** So many places in a text are tried as the beginning of an object, and so many values are checked. */
const MAX_STARTS = 100;
const MAX_CHECKED = 10;

/**
 * The JSON that fits, in the text of a model. Models that are only asked for it, not forced, put it into a code block or
 * between sentences, beside examples and drafts. The whole text counts first, then code blocks, then what stands between
 * sentences. Of several there that fit and differ, nobody knows which is meant.
 *
 * @param faultsOf what is wrong with a value; nothing where it fits
 * @returns the one that fits, or what is wrong: nothing is said where there is no JSON
 */
export function fittingJson(text: string, faultsOf: (value: unknown) => string[]): FoundJson | { faults: string[] } {
	let faults: string[] | undefined;
	let left = MAX_CHECKED;
	for (const candidates of [[text.trim().replace(/^\uFEFF/, '')], blocksIn(text), structuresIn(text)]) {
		const fitting = new Map<string, FoundJson>();
		for (const json of candidates) {
			const parsed = parseJson(json);
			if (parsed === undefined || left-- <= 0) continue;
			const wrong = faultsOf(parsed);
			if (wrong.length > 0) faults ??= wrong;
			else fitting.set(canonicalJson(parsed), { json, ...exactJson(json, parsed) });
		}
		const [found] = fitting.values();
		if (found !== undefined && fitting.size === 1) return found;
		if (fitting.size > 1) return { faults: [`There are ${fitting.size} different answers, and one is wanted`] };
	}
	return { faults: faults ?? [] };
}

function blocksIn(text: string): string[] {
	return text
		.split('```')
		.filter((_part, index) => index % 2 === 1)
		.map((block) => block.replace(/^[^\n]*\n/, '').trim());
}

/** Objects and lists that are complete, each but once: not those inside of others. */
function* structuresIn(text: string): Generator<string> {
	let starts = 0;
	for (let at = 0; at < text.length && starts < MAX_STARTS; at++) {
		if (text[at] !== '{' && text[at] !== '[') continue;
		starts++;
		const json = text.slice(at, endOfStructure(text, at));
		if (parseJson(json) === undefined) continue;
		yield json;
		at += json.length - 1;
	}
}

/** Behind the bracket that closes the one at a place; where it stays open, the place itself. */
function endOfStructure(text: string, from: number): number {
	let depth = 0;
	let inText = false;
	for (let at = from; at < text.length; at++) {
		const sign = text[at];
		if (inText) {
			if (sign === '\\') at++;
			else if (sign === '"') inText = false;
		} else if (sign === '"') inText = true;
		else if (sign === '{' || sign === '[') depth++;
		else if ((sign === '}' || sign === ']') && --depth === 0) return at + 1;
	}
	return from;
}
