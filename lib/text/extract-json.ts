/** Finds the JSON in the text of a response. */
import type { ExactJson } from '../values/exact-json';
import { stringifyCanonical, parseJson } from '../values/json';
import { parseExactJson } from '../values/exact-json';
import { JsonBrackets } from '../values/json-brackets';
import { repairJson } from './literals';

/** JSON in a response. */
export interface ExtractedJson extends ExactJson {
	type: 'valid';
	/** The JSON as the model wrote it, or repaired. */
	json: string;
}

/** A text without one valid JSON value. */
export interface InvalidJson {
	type: 'invalid';
	/** Empty if the text contains no JSON. */
	issues: string[];
}

export type JsonExtraction = ExtractedJson | InvalidJson;

/** Maximum parts of a text that are parsed as JSON. */
const MAX_PARSED = 200;

/** Maximum values that are validated. */
const MAX_VALIDATED = 10;

/** Maximum characters read in total: in an invalid response, all brackets may stay open until its end. */
const MAX_CHARACTERS = 2_000_000;

/**
 * Finds the valid JSON in a model's text. Unconstrained models put it into a code block or between sentences, next to
 * examples and drafts. Order of search: the whole text, code blocks, JSON between sentences. Several different valid
 * values in one stage are ambiguous, which is an issue.
 *
 * `validate`: returns the issues of a value; empty if it is valid.
 * Returns the valid JSON, or the issues: an empty list if the text contains no JSON.
 */
export function extractJson(text: string, validate: (value: unknown) => string[]): JsonExtraction {
	let parsedCount = 0;
	const issues: string[][] = [];
	const blocks = text.split('```').filter((_part, index) => index % 2 === 1);
	const contents = blocks
		.slice(0, MAX_PARSED)
		.map((block) => repairJson(block.replace(/^[^\n]*\n/, '').trim()));
	for (const candidates of [[repairJson(text.trim())], contents, findJsonCandidates(text)]) {
		const validValues = new Map<string, ExtractedJson>();
		for (const json of candidates) {
			if (++parsedCount > MAX_PARSED || issues.length >= MAX_VALIDATED) break;
			if (json === undefined) continue;
			const parsed = parseJson(json);
			issues.push(validate(parsed));
			if (issues.at(-1)?.length === 0)
				validValues.set(stringifyCanonical(parsed), {
					type: 'valid',
					...parseExactJson(json, parsed),
					// With the digits that the model wrote.
					json,
				});
		}
		const result = getOnlyValue(validValues);
		if (result) return result;
	}
	return { type: 'invalid', issues: issues[0] ?? [] };
}

function getOnlyValue(validValues: Map<string, ExtractedJson>): JsonExtraction | undefined {
	const [first] = validValues.values();
	if (validValues.size <= 1) return first;
	return {
		type: 'invalid',
		issues: [`The response contains ${validValues.size} different JSON values instead of one`],
	};
}

/** Possible objects and arrays in a text, without nested ones. */
function* findJsonCandidates(text: string): Generator<string | undefined> {
	let readCount = 0;
	let end = 0;
	for (const { index } of text.matchAll(/[{[]/g)) {
		if (readCount >= MAX_CHARACTERS) return;
		if (index < end) continue;
		const part = text.slice(index, new JsonBrackets().read(text, index));
		readCount += part.length;
		const json = repairJson(part);
		yield json;
		if (json !== undefined) end = index + part.length;
	}
}
