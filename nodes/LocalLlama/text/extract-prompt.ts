/** Prompt and schemas of Extract, which is a chat: typed data from a text. */
import { buildSchemaInstruction } from '../../../lib/chat/prepare/schema-instruction';
import type { InputMessage } from '../../../lib/chat/input-message';
import { toSystemMessage } from '../../../lib/chat/input-message';
import type { Origin, OriginText } from '../../../lib/origin';
import type { JsonRecord } from '../../../lib/values/records';

/** `date`: as `2026-11-28`; `list`: of texts; `choice`: one of `choices`. */
export type FieldType = 'text' | 'number' | 'integer' | 'boolean' | 'date' | 'list' | 'choice';

export interface ExtractField {
	name: string;
	type: FieldType;
	description?: string;
	/** For a choice. */
	choices?: readonly string[];
	/** Whether the field always has a value. Other fields are null if the text does not contain them. */
	required: boolean;
}

/** JSON schema of an object with the fields to extract. */
export interface ObjectSchema extends JsonRecord {
	type: 'object';
	/** Schema of each field, by its name. */
	properties: Record<string, JsonRecord>;
	/** Names of the fields that a response must contain. */
	required: string[];
	additionalProperties: false;
}

/**
 * The schema that is sent. Every response contains every field, so that all items have the same fields; unknown
 * values are null. Models that must write each name also omit fewer fields.
 */
export function buildObjectSchema(fields: readonly ExtractField[]): ObjectSchema {
	return {
		type: 'object',
		properties: Object.fromEntries(fields.map((field) => [field.name, buildFieldSchema(field)])),
		required: fields.map(({ name }) => name),
		additionalProperties: false,
	};
}

/** Schema for validating a response: an omitted optional field counts as null. */
export function buildValidationSchema(fields: readonly ExtractField[]): ObjectSchema {
	const required = fields.filter((field) => field.required).map(({ name }) => name);
	return { ...buildObjectSchema(fields), required };
}

/** The type of a field as JSON schema names it. */
interface SchemaType {
	type: string;
	format?: string;
}

const SCHEMA_BY_TYPE: Readonly<Record<Exclude<FieldType, 'choice' | 'list'>, SchemaType>> = {
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
	const toFieldType = (name: string) => (required ? name : [name, 'null']);
	if (type === 'list')
		return { type: toFieldType('array'), items: { type: 'string' }, ...descriptionField };
	const { type: name, ...format } = SCHEMA_BY_TYPE[type];
	return { type: toFieldType(name), ...format, ...descriptionField };
}

/** What the prompt says besides the text. */
export interface ExtractPrompt {
	schema: JsonRecord;
	/** Who wrote the fields, or the schema. */
	schemaOrigin: Origin;
	/** Context for the model; may be empty. */
	instructions: OriginText;
}

/**
 * The shared part comes first, for the server's prompt cache.
 *
 * @param input - Text and files of the item.
 */
export function buildExtractMessages(
	{ schema, schemaOrigin, instructions }: ExtractPrompt,
	input: InputMessage,
): InputMessage[] {
	const fromNode = (text: string): OriginText => ({ text, origin: 'node' });
	const system = [
		fromNode('Extract data from the text of the user.'),
		...buildSchemaInstruction(schema, schemaOrigin),
		fromNode(
			'Take values from the text only. Where it does not tell a value that may be null, write null.',
		),
		{ ...instructions, text: instructions.text.trim() },
	];
	return [toSystemMessage(system), input];
}
