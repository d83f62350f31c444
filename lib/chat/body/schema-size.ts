/**
 * Counts what a schema has before anything converts, copies or sends it. In: a schema of zod 3, zod 4 or JSON, of which
 * nothing is known, since an MCP server may have written it. Out: its size and what it contains, or the limit that it exceeds.
 */
import { createHash } from 'node:crypto';
import { createInputError } from '../../errors/create-error';
import type { ServerError } from '../../errors/server-error';
import { MAX_DEPTH } from '../../values/json';
import { getOwn } from '../../values/own-properties';
import type { JsonRecord } from '../../values/records';
import { asRecord, isRecord } from '../../values/records';
import { tryOrUndefined } from '../../values/try-or-undefined';

/**
 * Fields of one schema, also within other fields. n8n's converter (zod-to-json-schema 3.23) copies all fields of an object
 * for each further one: 500 fields take 10 to 30 ms, 1,000 70 to 100 ms, 2,000 0.35 s, 3,000 1 s, and 10,000 33 s, during which
 * n8n does nothing else.
 */
export const MAX_FIELDS = 500;

/**
 * Values of one schema: everything that has a name or is in a list. A field has about ten. n8n's converter copies the choices
 * of a union for each further one: as many choices as this allows take 55 ms.
 */
export const MAX_VALUES = 10_000;

/**
 * Choices of one schema: the values of all enumerations of zod. n8n's converter compares each with all others of a union: 3,000
 * take 35 ms, 4,000 60 ms, 11,000 half a second.
 */
export const MAX_CHOICES = 3_000;

/** Characters of one schema: about 50,000 tokens. Real ones have some thousand. */
export const MAX_LENGTH = 200_000;

/** The limits of one schema. */
export type SchemaLimit = 'fields' | 'values' | 'choices' | 'length' | 'depth';

/** Why a schema is not used: it exceeds a limit, or is none. */
export type SchemaProblem = SchemaLimit | 'form';

/** Each problem as the end of a sentence: "its schema …". */
const PROBLEMS: Readonly<Record<SchemaProblem, string>> = {
	fields: `has more than ${MAX_FIELDS.toLocaleString('en')} fields`,
	values: `has more than ${MAX_VALUES.toLocaleString('en')} values`,
	choices: `has more than ${MAX_CHOICES.toLocaleString('en')} choices`,
	length: `has more than ${MAX_LENGTH.toLocaleString('en')} characters`,
	depth: `is nested too deeply (maximum ${MAX_DEPTH} levels)`,
	form: 'is not a zod schema, a JSON schema or a Standard Schema that provides one',
};

/** What a problem says of a schema, as the end of a sentence. */
export function describeSchemaProblem(problem: SchemaProblem): string {
	return PROBLEMS[problem];
}

/** A schema within its limits. */
export interface SchemaSize {
	/** Values, by `MAX_VALUES`. */
	values: number;
	/** Characters of all names and texts. */
	length: number;
	/** The same for two schemas if they have the same content. */
	hash(): string;
}

/** A schema that was counted until it exceeded a limit. */
export interface SchemaExcess {
	limit: SchemaLimit;
	/** Values that were counted until then. */
	values: number;
	/** Characters that were counted until then. */
	length: number;
}

/** Counts a schema, at most up to its limits. Objects that occur several times count each time, as in the JSON that they become. */
export function measureSchema(schema: unknown): SchemaSize | SchemaExcess {
	const counter = new SchemaCounter();
	try {
		counter.count(schema);
	} catch (error) {
		if (error instanceof LimitError)
			return { limit: error.limit, values: counter.values, length: counter.length };
		throw error as Error;
	}
	return counter;
}

/** @returns whether it exceeds a limit */
export function isExcess(size: object): size is SchemaExcess {
	return 'limit' in size;
}

/**
 * Rejects a schema that is too large to be converted.
 *
 * @param schemaLabel for example "The schema of the response"
 * @throws {ServerError} of type `invalidInput`
 */
export function assertSchemaSize(schema: unknown, schemaLabel: string): void {
	const size = measureSchema(schema);
	if (isExcess(size)) throw createSchemaError(size.limit, schemaLabel);
}

/** The error for such a schema. */
export function createSchemaError(problem: SchemaProblem, schemaLabel: string): ServerError {
	return createInputError(
		`${schemaLabel} ${describeSchemaProblem(problem)}`,
		suggestOtherSchema(problem),
	);
}

/** What to do about a schema. */
export function suggestOtherSchema(problem: SchemaProblem): string {
	return SUGGESTIONS[problem];
}

const FEWER_FIELDS =
	'Describe fewer fields per schema: split the task into several, each with its own schema.';

const SUGGESTIONS: Readonly<Record<SchemaProblem, string>> = {
	fields: FEWER_FIELDS,
	values: FEWER_FIELDS,
	choices: 'Describe the choices in words, or divide them into several fields or schemas.',
	length: FEWER_FIELDS,
	depth: 'Move recurring parts to $defs and reference them with $ref.',
	form: 'Describe the fields with zod or JSON schema.',
};

/** Ends the count. */
class LimitError extends Error {
	constructor(readonly limit: SchemaLimit) {
		super(limit);
	}
}

/** Functions of zod's definitions that give parts of the schema. Others check values, and are never called. */
const PART_FUNCTIONS = new Set(['shape', 'getter', 'defaultValue', 'catchValue']);

/** Names under which JSON schema and zod have fields. */
const FIELD_NAMES = new Set(['properties', 'shape']);

/** The name under which zod has the values of an enumeration. */
const CHOICES_NAME = 'values';

class SchemaCounter implements SchemaSize {
	values = 0;
	length = 0;
	private fields = 0;
	private choices = 0;
	/** The content, in the order of the walk. Texts have their length before them, so that no two contents are the same text. */
	private readonly parts: string[] = [];
	/** The objects around the current one, with their place: what refers to itself ends there. */
	private readonly ancestors = new Map<object, number>();

	hash(): string {
		return createHash('sha256').update(this.parts.join('\n')).digest('base64');
	}

	/** @throws LimitError */
	count(value: unknown): void {
		this.values++;
		if (this.values > MAX_VALUES) throw new LimitError('values');
		if (typeof value === 'object' && value !== null) this.countObject(value);
		else this.addText(toContent(value));
	}

	private countObject(object: object): void {
		const definition = getDefinition(object);
		const source = definition ?? object;
		const place = this.ancestors.get(source);
		// zod's recursive types become references. In JSON, nothing can contain itself.
		if (place !== undefined && definition !== undefined) {
			this.parts.push(`^${place}`);
			return;
		}
		if (place !== undefined || this.ancestors.size >= MAX_DEPTH) throw new LimitError('depth');
		this.ancestors.set(source, this.ancestors.size);
		if (definition !== undefined) this.count(getMetadata(object));
		if (Array.isArray(source)) this.countList(source);
		else this.countEntries(source as JsonRecord);
		this.ancestors.delete(source);
	}

	private countList(list: readonly unknown[]): void {
		this.parts.push('[');
		for (const entry of list) this.count(entry);
		this.parts.push(']');
	}

	private countEntries(record: JsonRecord): void {
		// A pattern or a date has no entries.
		if (record instanceof RegExp || record instanceof Date) this.addText(String(record));
		this.parts.push('{');
		for (const name of Object.keys(record)) {
			const value = getPart(record, name);
			if (value === undefined) continue;
			this.addText(name);
			if (FIELD_NAMES.has(name)) this.countFields(value);
			if (name === CHOICES_NAME && Array.isArray(value)) this.countChoices(value);
			this.count(value);
		}
		this.parts.push('}');
	}

	private countFields(fields: unknown): void {
		this.fields += Object.keys(asRecord(fields)).length;
		if (this.fields > MAX_FIELDS) throw new LimitError('fields');
	}

	private countChoices(choices: readonly unknown[]): void {
		this.choices += choices.length;
		if (this.choices > MAX_CHOICES) throw new LimitError('choices');
	}

	private addText(text: string): void {
		this.length += text.length;
		if (this.length > MAX_LENGTH) throw new LimitError('length');
		this.parts.push(`${text.length}:${text}`);
	}
}

/** A single value as text: numbers and texts differ. */
function toContent(value: unknown): string {
	if (typeof value === 'string') return `"${value}`;
	return typeof value === 'function' ? 'function' : String(value);
}

/**
 * The definition of a type of zod 3 or zod 4, by its shape: n8n may hold several copies of zod, and `instanceof` knows only
 * one. JSON is never one, because it contains no function.
 */
export function getZodDefinition(schema: unknown): JsonRecord | undefined {
	const definition = getDefinition(schema);
	return typeof (definition?.typeName ?? definition?.type) === 'string' ? definition : undefined;
}

/** The definition of a type of zod, or of one of its checks, such as a maximum. */
function getDefinition(object: unknown): JsonRecord | undefined {
	const { _zod, _def, safeParse } = asRecord(object);
	const { def = _def, run = safeParse, check = run } = asRecord(_zod);
	return typeof check === 'function' && isRecord(def) ? def : undefined;
}

/** What zod keeps of a type outside of its definition. */
function getMetadata(type: object): unknown {
	const { description, meta } = type as JsonRecord;
	const metadata: unknown =
		typeof meta === 'function' ? tryOrUndefined(() => meta.call(type) as unknown) : undefined;
	return metadata ?? description;
}

/** A part of a schema or definition, also if a function gives it; undefined if that fails. */
function getPart(record: JsonRecord, name: string): unknown {
	return tryOrUndefined(() => {
		const part = getOwn(record, name);
		if (typeof part !== 'function' || !PART_FUNCTIONS.has(name)) return part;
		return (part as () => unknown).call(record);
	});
}
