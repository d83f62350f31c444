import type { ResponseFormat, FinishedAnswer } from '../chat/types';
import { failure } from '../errors/failure';
import { isRecord } from '../values';
import { jsonIn } from './json-answer';
import { schemaFaults } from './schema-check';

const EXTRACT_MENDS =
	'Say in the prompt which fields you want, choose a larger model, or use the operation Extract, which has a wrong answer corrected. The answer is in the details.';

/**
 * The JSON of an answer for which JSON was asked; undefined where it was not. A server may ignore the format, or let a
 * schema pass that it cannot enforce.
 *
 * @param remedy what to do about an answer that is complete and wrong
 * @throws {ServerError} of kind `invalidAnswer` with the text
 */
export function formattedJson(
	{ text, reasoning, finishReason, url }: Pick<FinishedAnswer, 'text' | 'reasoning' | 'finishReason' | 'url'>,
	format: ResponseFormat,
	remedy = EXTRACT_MENDS,
): { value: unknown } | undefined {
	if (format.type !== 'jsonObject' && format.type !== 'jsonSchema') return undefined;
	const found = jsonIn(text);
	const faults =
		found === undefined
			? ['it is no JSON']
			: format.type === 'jsonSchema'
				? schemaFaults(format.schema, found.value)
				: isRecord(found.value)
					? []
					: ['it is no JSON object'];
	if (found !== undefined && faults.length === 0) return found;
	const isCut = finishReason === 'length';
	throw failure(
		'invalidAnswer',
		{ url },
		{
			message: isCut ? 'The token limit cut off the JSON' : 'The answer is not the JSON that was asked for',
			meaning: isCut
				? 'The token limit ended the answer before its JSON was complete'
				: `The answer is not the JSON that was asked for: ${faults.join('; ')}`,
			remedy: isCut ? 'Raise Maximum Tokens or the context of the server, or turn thinking off.' : remedy,
			partialText: text || undefined,
			partialReasoning: reasoning || undefined,
			facts: { faults, finishReason },
		},
	);
}
