import type { ResponseFormat, FinishedAnswer } from './types';
import { failure, type FailureContext } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { keptAsText } from '../json';
import { fittingJson, type FoundJson } from './json-in-text';
import { checkSchema } from './json-schema';

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
 * The JSON of a text, if the format asks for JSON; otherwise undefined. Checked here, since a server may ignore the
 * format or not enforce the schema.
 *
 * @returns the JSON, or the faults of what was found
 */
export function checkedJson(
	text: string,
	format: ResponseFormat | undefined,
): CheckedJson | { faults: string[] } | undefined {
	if (format?.type !== 'jsonObject' && format?.type !== 'jsonSchema') return undefined;
	const schema =
		format.type === 'jsonSchema' ? (format.least ?? format.schema) : { type: 'object' };
	const unchecked = new Set<string>();
	const outcome = fittingJson(text, (value) => {
		const check = checkSchema(schema, value);
		for (const what of check.unchecked)
			unchecked.add(`Not checked against the JSON schema: ${what}`);
		return check.faults;
	});
	if (!('faults' in outcome)) return { ...outcome, unchecked: [...unchecked] };
	return outcome.faults.length === 0 ? { faults: ['it is not JSON'] } : outcome;
}

/**
 * The JSON of an answer, if the format asks for JSON; otherwise undefined.
 *
 * @throws {ServerError} of kind `invalidAnswer` with the text in `partialText`
 */
export function requestedJson(
	answer: FinishedAnswer,
	format: ResponseFormat | undefined,
): CheckedJson | undefined {
	const outcome = checkedJson(answer.text, format);
	if (outcome === undefined || !('faults' in outcome)) return outcome;
	throw jsonError(answer, { url: answer.url }, outcome.faults);
}

/** The error for an answer whose JSON was cut off or is wrong. */
export function jsonError(
	{ text, reasoning, finishReason }: Pick<FinishedAnswer, 'text' | 'reasoning' | 'finishReason'>,
	context: Partial<FailureContext>,
	faults: readonly string[],
): ServerError {
	const wrong = {
		message: 'The answer is not the JSON that was asked for',
		meaning: `The answer is not the JSON that was asked for: ${faults.join('; ')}`,
		remedy:
			'Say in the prompt which fields you want, lower the temperature, or choose a larger model or a server that enforces the schema. The answer is in the details.',
	};
	const cut = {
		message: 'The token limit cut off the JSON',
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
