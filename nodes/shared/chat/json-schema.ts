import type { JsonRecord } from '../../../lib/values/records';
import { asNonEmptyString, asRecord, isRecord, isUnset } from '../../../lib/values/records';
import { assertDepth } from '../../../lib/chat/body/grammar-schema';
import { assertSchema } from '../../../lib/chat/check/validate-against-schema';
import { assertTextLength, checkObject } from '../../../lib/fields/check-value';
import type { JsonField, ValueSource } from '../../../lib/fields/field';

/** The schema of a response. */
export const jsonSchemaField = {
	kind: 'json',
	label: 'JSON Schema',
	rows: 8,
	default: '{}',
	parse: parseSchema,
} as const satisfies JsonField;

/** A schema as it is sent. */
export interface NamedSchema {
	schema: JsonRecord;
	/** Only if it came in OpenAI's format with a name. */
	name?: string;
}

/**
 * Reads the schema of a field.
 *
 * @returns undefined if it is empty
 * @throws {ServerError} of type `invalidInput` naming the field, if it cannot be used
 */
function parseSchema(value: unknown, source: ValueSource): NamedSchema | undefined {
	if (isUnset(value)) return undefined;
	// No file is in a schema.
	if (typeof value === 'string') assertTextLength(source, value);
	const unwrapped = unwrapSchema(checkObject(source, value));
	return Object.keys(unwrapped.schema).length > 0 ? unwrapped : undefined;
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
