/** What is asked to get typed data out of a text. */
import type { InputMessage } from '../chat/types';
import type { ServerError } from '../errors/server-error';
import type { JsonRecord } from '../values';

/** The types that a field of an extraction may have. */
export type FieldType = 'text' | 'number' | 'integer' | 'boolean' | 'date' | 'list' | 'choice';

export interface ExtractField {
	name: string;
	type: FieldType;
	description?: string;
	/** For a choice. */
	choices?: readonly string[];
	/** A field that is not required is null where the text does not contain it. */
	required: boolean;
}

type Schema = JsonRecord;

/**
 * The JSON schema of a table of fields. Every answer contains every field, so that items look alike; unknown values are
 * null. A model that must write each name also forgets fewer fields.
 */
export function buildSchema(fields: readonly ExtractField[]): Schema {
	return {
		type: 'object',
		properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)])),
		required: fields.map(({ name }) => name),
		additionalProperties: false,
	};
}

/** The schema for checking an answer: leaving out a field that is not required means the same as null. */
export function buildValidationSchema(fields: readonly ExtractField[]): Schema {
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

function schemaOf({ type, description = '', choices = [], required }: ExtractField): Schema {
	const about = description.trim() === '' ? {} : { description: description.trim() };
	if (type === 'choice') return { enum: [...choices, ...(required ? [] : [null])], ...about };
	if (type === 'list') return { ...typeOf('array', required), items: { type: 'string' }, ...about };
	const { type: name, ...format } = TYPES[type];
	return { ...typeOf(name, required), ...format, ...about };
}

function typeOf(name: string, required: boolean): Schema {
	return { type: required ? name : [name, 'null'] };
}

/**
 * The prompt. It contains the schema, too, for servers that do not enforce it and for the descriptions of fields, which
 * a grammar cannot express. The part that all items share comes first, so that the server's prompt cache works.
 *
 * @param blocks the text and the files of the item
 */
export function buildExtractMessages(
	schema: JsonRecord,
	instructions: string,
	blocks: readonly object[],
): InputMessage[] {
	const system = [
		'Extract data from the text of the user.',
		'Answer with JSON that follows this JSON schema, and with nothing else:',
		JSON.stringify(schema),
		'Take values from the text only. Where it does not tell a value that may be null, write null.',
		instructions.trim(),
	];
	return [
		{ type: 'system', content: system.filter((line) => line !== '').join('\n') },
		{ type: 'human', content: blocks },
	];
}

/** Whether a server refused, before it generated anything, because of the format or the grammar made from it. */
export function isFormatRejected({ status = 0, serverText = '' }: ServerError): boolean {
	const isRefusal = [400, 422, 500, 501].includes(status);
	return isRefusal && /schema|grammar|structured|format/i.test(serverText);
}
