/** Finds the JSON in the text of a response. */
import type { ExactJson } from '../values/exact-json';
import { stringifyCanonical } from '../values/json';
import { parseExactJson } from '../values/exact-json';
import { JsonBrackets } from '../values/json-brackets';
import { repairJson, ValueBudget } from './literals';
import type { RepairedJson } from './literals';

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
 * @param validate returns the issues of a value; none if it is valid
 * @returns the valid JSON, or the issues: none if the text contains no JSON
 */
export function extractJson(text: string, validate: (value: unknown) => string[]): JsonExtraction {
	let parsedCount = 0;
	const issues: string[][] = [];
	const budget = new ValueBudget();
	const repair = createRepair(budget);
	const blocks = text.split('```').filter((_part, index) => index % 2 === 1);
	const contents = blocks
		.slice(0, MAX_PARSED)
		.map((block) => block.replace(/^[^\n]*\n/, '').trim());
	const stages = [[text.trim()], contents, findJsonCandidates(text, repair)];
	for (const candidates of stages) {
		const validValues: ExtractedJson[] = [];
		for (const candidate of candidates) {
			if (++parsedCount > MAX_PARSED || issues.length >= MAX_VALIDATED) break;
			const repaired = repair(candidate);
			if (repaired === undefined) continue;
			const { json, value } = repaired;
			issues.push(validate(value));
			if (issues.at(-1)?.length === 0)
				validValues.push({
					type: 'valid',
					...parseExactJson(json, value),
					// With the digits that the model wrote.
					json,
				});
		}
		const result = getOnlyValue(validValues);
		if (result) return result;
	}
	const [first = budget.isExhausted ? [TOO_MANY_VALUES] : []] = issues;
	return { type: 'invalid', issues: first };
}

/** Of a text that is no JSON as it is. */
const TOO_MANY_VALUES =
	'not valid JSON, and too long to be repaired: it has more than 100,000 values';

type Repair = (text: string) => RepairedJson | undefined;

/** Repairs each text once: the whole one is also the only code block, or the only object, and may be long. */
function createRepair(budget: ValueBudget): Repair {
	const repairedByText = new Map<string, RepairedJson | undefined>();
	return (text) => {
		if (!repairedByText.has(text)) repairedByText.set(text, repairJson(text, budget));
		return repairedByText.get(text);
	};
}

function getOnlyValue(validValues: readonly ExtractedJson[]): JsonExtraction | undefined {
	const last = validValues.at(-1);
	if (validValues.length <= 1) return last;
	const { size } = new Set(validValues.map(({ value }) => stringifyCanonical(value)));
	if (size === 1) return last;
	return {
		type: 'invalid',
		issues: [`The response contains ${size} different JSON values instead of one`],
	};
}

/** Possible objects and arrays in a text, without nested ones. */
function* findJsonCandidates(text: string, repair: Repair): Generator<string> {
	let readCount = 0;
	let end = 0;
	for (const { index } of text.matchAll(/[{[]/g)) {
		if (readCount >= MAX_CHARACTERS) return;
		if (index < end) continue;
		const part = text.slice(index, new JsonBrackets().read(text, index));
		readCount += part.length;
		yield part;
		if (repair(part) !== undefined) end = index + part.length;
	}
}
