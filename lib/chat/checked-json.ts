import type { ResponseFormat, FinishedAnswer } from './types';
import { failure, type FailureContext } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { keptAsText } from '../json';
import { isRecord, type JsonRecord } from '../values';
import { fittingJson, type FoundJson } from './json-in-text';
import { checkSchema } from './json-schema';

const EXTRACT_MENDS =
	'Say in the prompt which fields you want, choose a larger model, or use the operation Extract, which has a wrong answer corrected. The answer is in the details.';

/** JSON that follows its schema, as far as that could be checked. */
interface CheckedJson extends FoundJson {
	/** What could not be checked, in sentences. */
	unchecked: string[];
}

/** Notes for the user about the value of an answer. */
export function jsonNotes({ unchecked, large }: CheckedJson): string[] {
	return [...unchecked, ...keptAsText(large)];
}

/**
 * The JSON of an answer, if the format requests JSON; otherwise undefined. Checked here, since a server may ignore the
 * format or not enforce the schema.
 *
 * @param remedy advice for an answer that is complete but wrong
 * @throws {ServerError} of kind `invalidAnswer` with the text in `partialText`
 */
export async function requestedJson(
	answer: Pick<FinishedAnswer, 'text' | 'reasoning' | 'finishReason' | 'url'>,
	format: ResponseFormat,
	remedy = EXTRACT_MENDS,
): Promise<CheckedJson | undefined> {
	if (format.type !== 'jsonObject' && format.type !== 'jsonSchema') return undefined;
	const schema = format.type === 'jsonSchema' ? format.schema : undefined;
	const outcome = await checkedJson(answer.text, schema);
	if (!('faults' in outcome)) return outcome;
	const faults = outcome.faults.length === 0 ? ['it is not JSON'] : outcome.faults;
	throw jsonError(answer, { url: answer.url }, faults, {
		cut: 'The token limit cut off the JSON',
		wrong: 'The answer is not the JSON that was asked for',
		remedy,
	});
}

/**
 * The error for an answer whose JSON was cut off or is wrong.
 *
 * @param words titles for both, and advice for wrong JSON
 */
export function jsonError(
	{ text, reasoning, finishReason }: Pick<FinishedAnswer, 'text' | 'reasoning' | 'finishReason'>,
	context: Partial<FailureContext>,
	faults: readonly string[],
	words: { cut: string; wrong: string; wrongMeaning?: string; remedy: string },
): ServerError {
	const wrong = {
		message: words.wrong,
		meaning: `${words.wrongMeaning ?? words.wrong}: ${faults.join('; ')}`,
		remedy: words.remedy,
	};
	const cut = {
		message: words.cut,
		meaning: 'The token limit ended the answer before its JSON was complete',
		remedy: 'Raise Maximum Tokens or the context of the server, or turn thinking off.',
	};
	return failure('invalidAnswer', context, {
		...(finishReason === 'length' ? cut : wrong),
		partialText: text || undefined,
		partialReasoning: reasoning || undefined,
		facts: { faults, finishReason },
	});
}

/**
 * Finds the JSON in a text that follows the schema; without a schema, any JSON object.
 *
 * @returns the JSON, or the faults of what was found
 */
export async function checkedJson(
	text: string,
	schema: JsonRecord | undefined,
): Promise<CheckedJson | { faults: string[] }> {
	const unchecked = new Set<string>();
	const faultsOf = (value: unknown) => {
		if (schema === undefined) return isRecord(value) ? [] : ['it is not a JSON object'];
		const check = checkSchema(schema, value);
		check.unchecked.forEach((what) =>
			unchecked.add(`Not checked against the JSON schema: ${what}`),
		);
		return check.faults;
	};
	const outcome = fittingJson(text, faultsOf);
	return 'faults' in outcome ? outcome : { ...outcome, unchecked: [...unchecked] };
}
