/** Prompt and schema for extracting typed data from a text. */
import type { InputMessage } from '../chat/types';
import type { JsonRecord } from '../values/records';

export type FieldType = 'text' | 'number' | 'integer' | 'boolean' | 'date' | 'list' | 'choice';

export interface ExtractField {
	name: string;
	type: FieldType;
	description?: string;
	/** For a choice. */
	choices?: readonly string[];
	/** Other fields are null if the text does not contain them. */
	required: boolean;
}

/**
 * JSON schema of a table of fields. Every response contains every field, so that all items have the same fields; unknown
 * values are null. Models that must write each name also omit fewer fields.
 */
export function buildSchema(fields: readonly ExtractField[]): {
	type: string;
	properties: {
		[k: string]: JsonRecord;
	};
	required: string[];
	additionalProperties: boolean;
} {
	return {
		type: 'object',
		properties: Object.fromEntries(fields.map((field) => [field.name, buildFieldSchema(field)])),
		required: fields.map(({ name }) => name),
		additionalProperties: false,
	};
}

/** Schema for validating a response: an omitted optional field counts as null. */
export function buildValidationSchema(fields: readonly ExtractField[]): {
	required: string[];
	type: string;
	properties: {
		[k: string]: JsonRecord;
	};
	additionalProperties: boolean;
} {
	const required = fields.filter((field) => field.required).map(({ name }) => name);
	return { ...buildSchema(fields), required };
}

const TYPES: Readonly<
	Record<Exclude<FieldType, 'choice' | 'list'>, { type: string; format?: string }>
> = {
	text: { type: 'string' },
	number: { type: 'number' },
	integer: { type: 'integer' },
	boolean: { type: 'boolean' },
	date: { type: 'string', format: 'date' },
};

function buildFieldSchema({
	type,
	description = '',
	choices = [],
	required,
}: ExtractField): JsonRecord {
	const descriptionField = description.trim() ? { description: description.trim() } : {};
	if (type === 'choice')
		return { enum: [...choices, ...(required ? [] : [null])], ...descriptionField };
	if (type === 'list')
		return { ...toNullableType('array', required), items: { type: 'string' }, ...descriptionField };
	const { type: name, ...format } = TYPES[type];
	return { ...toNullableType(name, required), ...format, ...descriptionField };
}

function toNullableType(name: string, required: boolean) {
	return { type: required ? name : [name, 'null'] };
}

/**
 * The prompt contains the schema for servers that do not enforce it, and for the field descriptions, which a grammar
 * cannot express. The shared part comes first, for the server's prompt cache.
 * `input`: text and files of the item.
 */
export function buildExtractMessages(
	schema: JsonRecord,
	instructions: string,
	input: InputMessage,
): InputMessage[] {
	const system = [
		'Extract data from the text of the user.',
		'Answer with JSON that follows this JSON schema, and with nothing else:',
		JSON.stringify(schema),
		'Take values from the text only. Where it does not tell a value that may be null, write null.',
		instructions.trim(),
	];
	return [{ type: 'system', content: system.filter((line) => line !== '').join('\n') }, input];
}
