import { exactJson, type ExactJson, canonicalJson, parseJson } from '../values';

/** JSON in an answer. */
export interface FoundJson extends ExactJson {
	/** The JSON as the model wrote it. */
	json: string;
}

/** How many brackets in a text are tried as the start of JSON, and how many values are checked. */
const MAX_STARTS = 100;
const MAX_CHECKED = 10;

/**
 * Finds the fitting JSON in a model's text. Unconstrained models put it into a code block or between sentences, next to
 * examples and drafts. Tried in this order: the whole text, code blocks, JSON between sentences. Several different fits
 * at one stage are ambiguous, and count as a fault.
 *
 * @param faultsOf the faults of a value; empty where it fits
 * @returns the JSON that fits, or the faults: an empty list where there is no JSON at all
 */
export function fittingJson(
	text: string,
	faultsOf: (value: unknown) => string[],
): FoundJson | { faults: string[] } {
	let faults: string[] | undefined;
	let left = MAX_CHECKED;
	for (const candidates of [
		[text.trim().replace(/^\uFEFF/, '')],
		blocksIn(text),
		structuresIn(text),
	]) {
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
		if (fitting.size > 1)
			return { faults: [`There are ${fitting.size} different answers, and one is wanted`] };
	}
	return { faults: faults ?? [] };
}

function blocksIn(text: string): string[] {
	return text
		.split('```')
		.filter((_part, index) => index % 2 === 1)
		.map((block) => block.replace(/^[^\n]*\n/, '').trim());
}

/** Complete objects and lists in a text, without those inside other ones. */
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

/** The index after the bracket that closes the one at `from`; `from` itself if it stays open. */
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
