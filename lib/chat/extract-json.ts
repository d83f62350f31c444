import {
	stringifyCanonical,
	parseExactJson,
	type ExactJson,
	JsonBrackets,
	parseJson,
} from '../json';

/** JSON in an answer. */
export interface ExtractedJson extends ExactJson {
	/** The JSON as the model wrote it. */
	json: string;
}

/** How many pieces of a text are tried as JSON, and how many values are checked. */
const MAX_TRIED = 200;
const MAX_CHECKED = 10;
/** How many characters are read for it: the brackets of a broken answer may all stay open to its end. */
const MAX_READ = 2_000_000;

/**
 * Finds the fitting JSON in a model's text. Unconstrained models put it into a code block or between sentences, next to
 * examples and drafts. Tried in this order: the whole text, code blocks, JSON between sentences. Several different fits
 * at one stage are ambiguous, and count as a fault.
 *
 * @param faultsOf the faults of a value; empty where it fits
 * @returns the JSON that fits, or the faults: an empty list where there is no JSON at all
 */
export function extractJson(
	text: string,
	faultsOf: (value: unknown) => string[],
): ExtractedJson | { faults: string[] } {
	let tried = 0;
	const faults: string[][] = [];
	const blocks = text.split('```').filter((_part, index) => index % 2 === 1);
	const contents = blocks.map((block) => block.replace(/^[^\n]*\n/, '').trim());
	for (const candidates of [[text.trim()], contents, findJsonCandidates(text)]) {
		const fitting = new Map<string, ExtractedJson>();
		for (const json of candidates) {
			if (++tried > MAX_TRIED || faults.length >= MAX_CHECKED) break;
			const parsed = parseJson(json);
			if (parsed === undefined) continue;
			faults.push(faultsOf(parsed));
			if (faults.at(-1)?.length === 0)
				fitting.set(stringifyCanonical(parsed), { json, ...parseExactJson(json, parsed) });
		}
		const found = onlyOne(fitting);
		if (found !== undefined) return found;
	}
	return { faults: faults[0] ?? [] };
}

function onlyOne(fitting: Map<string, ExtractedJson>): ReturnType<typeof extractJson> | undefined {
	const [first] = fitting.values();
	if (fitting.size <= 1) return first;
	return { faults: [`The response contains ${fitting.size} different JSON values instead of one`] };
}

/** What may be objects and lists in a text, without those inside other ones. */
function* findJsonCandidates(text: string): Generator<string> {
	let read = 0;
	let behind = 0;
	for (const { index } of text.matchAll(/[{[]/g)) {
		if (read >= MAX_READ) return;
		if (index < behind) continue;
		const json = text.slice(index, new JsonBrackets().read(text, index));
		read += json.length;
		yield json;
		if (parseJson(json) !== undefined) behind = index + json.length;
	}
}
