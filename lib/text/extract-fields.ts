import type { JsonRecord } from '../values';

/** The types that a field of an extraction may have. */
export type FieldType = 'text' | 'number' | 'wholeNumber' | 'boolean' | 'date' | 'list' | 'choice';

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
export function schemaOfFields(fields: readonly ExtractField[]): Schema {
	return {
		type: 'object',
		properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)])),
		required: fields.map(({ name }) => name),
		additionalProperties: false,
	};
}

/** The schema for checking an answer: leaving out a field that is not required means the same as null. */
export function schemaOfRequiredFields(fields: readonly ExtractField[]): Schema {
	const required = fields.filter((field) => field.required).map(({ name }) => name);
	return { ...schemaOfFields(fields), required };
}

const TYPES: Readonly<
	Record<Exclude<FieldType, 'choice' | 'list'>, { type: string; format?: string }>
> = {
	text: { type: 'string' },
	number: { type: 'number' },
	wholeNumber: { type: 'integer' },
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
