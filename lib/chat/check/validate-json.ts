/** Compares the text of a response with the JSON that was requested. */
import { createServerError } from '../../errors/create-error';
import type { ServerError } from '../../errors/server-error';
import type { ErrorContext } from '../../errors/create-error';
import { extractJson } from '../../text/extract-json';
import type { ExtractedJson } from '../../text/extract-json';
import type { ExactJson } from '../../values/exact-json';
import { parseJson } from '../../values/json';
import type { ChatResult, JsonMismatch } from '../chat-result';
import type { Completion } from '../completion';
import type { JsonSchemaFormat, ResponseFormat } from '../settings';
import { validateAgainstSchema } from './validate-against-schema';

/** JSON that matches its schema, as far as the schema could be checked. */
export interface ValidatedJson extends ExtractedJson {
	/** Warnings about parts that could not be checked. */
	unchecked: string[];
}

/**
 * Parses and validates JSON if the format requires it; otherwise undefined. Validated here, because a server may ignore
 * the format or not enforce the schema.
 */
export function validateJson(
	{ text, isCutOff }: Pick<Completion, 'text' | 'isCutOff'>,
	format: ResponseFormat | undefined,
): ValidatedJson | JsonMismatch | undefined {
	if (format?.type !== 'jsonObject' && format?.type !== 'jsonSchema') return undefined;
	const schema = format.type === 'jsonSchema' ? getSchema(format) : { type: 'object' };
	const unchecked = new Set<string>();
	const result = extractJson(text, (value) => {
		const validation = validateAgainstSchema(schema, value);
		for (const part of validation.unchecked)
			unchecked.add(`Not validated against the JSON schema: ${part}`);
		return validation.issues;
	});
	if (result.type === 'valid') return { ...result, unchecked: [...unchecked] };
	const issues = result.issues.length === 0 ? ['not valid JSON'] : result.issues;
	return { type: 'invalid', issues, isCutOff };
}

/** Whether a text is nothing but JSON that fits the schema of the format. A number or a word may be the beginning of another. */
export function fitsSchema(text: string, format: ResponseFormat | undefined): boolean {
	if (format?.type !== 'jsonSchema' || !/^\s*[{[]/.test(text)) return false;
	const value = parseJson(text);
	if (value === undefined) return false;
	return validateAgainstSchema(getSchema(format), value).issues.length === 0;
}

/** The schema that a response is compared with. */
function getSchema({ schema, validationSchema }: JsonSchemaFormat) {
	return validationSchema ?? schema;
}

/**
 * The JSON of a result, as the turn has checked it; undefined if the format requires none.
 *
 * @throws {ServerError} of type `invalidResponse` with the text in `partialText`
 */
export function getJsonOrThrow(result: ChatResult): ExactJson | undefined {
	const { json, url } = result;
	if (json?.type !== 'invalid') return json;
	throw createJsonError(result, { url }, json);
}

/** The error for a response whose JSON is cut off or invalid. */
export function createJsonError(
	{
		text,
		reasoning,
		finishReason,
		usage,
	}: Pick<ChatResult, 'text' | 'reasoning' | 'finishReason' | 'usage'>,
	context: Partial<ErrorContext>,
	{ issues, isCutOff, end }: JsonMismatch,
): ServerError {
	return createServerError('invalidResponse', context, {
		about: {
			...(isCutOff ? { cutJson: true } : { wrongJson: issues }),
			responseEnd: end,
		},
		partialText: text || undefined,
		partialReasoning: reasoning || undefined,
		facts: { issues, finishReason, usage },
	});
}
