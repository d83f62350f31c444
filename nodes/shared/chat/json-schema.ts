import type { JsonRecord } from '../../../lib/values/records';
import { asNonEmptyString, asRecord, isRecord } from '../../../lib/values/records';
import { assertDepth } from '../../../lib/chat/body/grammar-schema';
import { assertSchema } from '../../../lib/chat/check/validate-against-schema';
import { findLengthProblem, LONG_TEXT_SUGGESTION } from '../../../lib/errors/text-limits';
import type { NodeParameters } from '../parameters';
import { createEmptyError } from './optional-fields';

/**
 * Reads the schema of a field.
 *
 * @throws {ServerError} of type `invalidInput` naming the field, if it is empty or cannot be used
 */
export function readSchema(parameters: NodeParameters, path: string): NamedSchema {
	const source = parameters.value(path);
	const problem = typeof source === 'string' ? findLengthProblem(source) : undefined;
	// No file is in a schema.
	if (problem !== undefined) throw parameters.createError(path, problem, LONG_TEXT_SUGGESTION);
	const unwrapped = unwrapSchema(parameters.object(path, {}));
	if (Object.keys(unwrapped.schema).length > 0) return unwrapped;
	throw createEmptyError(parameters, path);
}

/** A schema as it is sent. */
interface NamedSchema {
	schema: JsonRecord;
	/** Only if it came in OpenAI's format with a name. */
	name?: string;
}

/**
 * Unwraps a JSON schema, which users often paste in OpenAI's format (`response_format`, or its `json_schema`).
 *
 * @throws {ServerError} of type `invalidInput` if it cannot be used, before anything is generated
 */
export function unwrapSchema(source: JsonRecord): NamedSchema {
	assertDepth(source, 'The JSON schema');
	const wrapped = isRecord(source.json_schema) ? source.json_schema : source;
	const isWrapped = isRecord(wrapped.schema) && !('type' in wrapped) && !('properties' in wrapped);
	const schema = isWrapped ? asRecord(wrapped.schema) : source;
	assertSchema(schema);
	const name = isWrapped ? asNonEmptyString(wrapped.name) : undefined;
	return { schema, name };
}
