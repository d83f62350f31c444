/**
 * Schemas of tools and responses as JSON schema. In: what an agent binds, from n8n's copy of zod, another one, or JSON. Out:
 * JSON schema, or the limit that it exceeds. Remembers: what was converted, by its content, because agents supply their tools
 * again in each round.
 */
import {
	createSchemaSizeError,
	getZodDefinition,
	isExcess,
	MAX_LENGTH,
	measureSchema,
} from '../chat/body/schema-size';
import type { SchemaExcess } from '../chat/body/schema-size';
import { createInputError } from '../errors/create-error';
import { keep } from '../kept';
import { memoize } from '../lru-cache';
import { getOwn } from '../values/own-properties';
import { asNonEmptyString, asRecord, isRecord, omitUndefined } from '../values/records';
import type { JsonRecord } from '../values/records';
import type { AiNodeSdk } from './host-classes';

/** The host's converter, which knows the host's zod. */
export type ToJsonSchema = AiNodeSdk['getParametersJsonSchema'];

/** A schema that was read. */
export interface PlainSchema {
	/** JSON schema without `$schema`, which only costs tokens. Several tools and rounds share it. */
	schema: JsonRecord;
	/** Values, by `MAX_VALUES`. */
	values: number;
	/** Bytes as JSON. */
	bytes: number;
}

/** What a schema describes, in errors. */
export interface SchemaSubject {
	/** For example `The schema of the tool "search"`. */
	label: string;
	/** Of the error for a schema that cannot be read. */
	title: string;
	suggestion: string;
}

/** How a schema is read. */
export interface SchemaReader extends SchemaSubject {
	/** n8n's converter. It returns any schema but those of its own copy of zod as it is. Default: there is no such schema. */
	toJsonSchema?: ToJsonSchema;
}

const convertedSchemas = keep<PlainSchema>('convertedSchemas');

/** Memory of a value and its name, beside their characters. */
const BYTES_PER_VALUE = 100;

/**
 * Reads a schema of which nothing is known, after it was counted. A zod schema is converted once per content.
 *
 * @throws {ServerError} of type `invalidInput` if it is no schema
 */
export function readSchema(schema: unknown, reader: SchemaReader): PlainSchema | SchemaExcess {
	// Only their own converters can read them.
	if (isOpaque(schema)) return toPlainSchema(convertSchema(schema, reader));
	const size = measureSchema(schema);
	if (isExcess(size)) return size;
	if (getZodDefinition(schema) === undefined) return toPlainSchema(convertSchema(schema, reader));
	const key = `${getCopyId(schema as object, reader)} ${size.hash()}`;
	const known = convertedSchemas.get(key);
	if (known !== undefined) return known;
	const converted = toPlainSchema(convertSchema(schema, reader));
	if (!isExcess(converted))
		convertedSchemas.set(key, converted, 2 * converted.bytes + BYTES_PER_VALUE * converted.values);
	return converted;
}

/** A converter may have made more of a schema than it was. */
function toPlainSchema(source: JsonRecord): PlainSchema | SchemaExcess {
	const schema = { ...source };
	delete schema.$schema;
	const size = measureSchema(schema);
	if (isExcess(size)) return size;
	const json = JSON.stringify(schema);
	if (json.length > MAX_LENGTH)
		return { limit: 'length', values: size.values, length: json.length };
	return { schema, values: size.values, bytes: Buffer.byteLength(json) };
}

/** What errors call the schema of a response. */
export const RESPONSE_SCHEMA = 'The schema of the response';

/**
 * Converts the schema of a response, as LangChain's `withStructuredOutput` gets it: of zod, of another library, or JSON
 * schema, also within the definition of a function.
 *
 * @throws {ServerError} of type `invalidInput` for anything else, and for one that is too large
 */
export function toResponseSchema(source: unknown, toJsonSchema: ToJsonSchema): JsonRecord {
	const { parameters, name } = asRecord(source);
	const isFunction = typeof name === 'string' && isRecord(parameters);
	const read = readSchema(isFunction ? parameters : source, {
		label: RESPONSE_SCHEMA,
		title: `${RESPONSE_SCHEMA} cannot be read`,
		suggestion: 'Describe the response with zod or JSON schema.',
		toJsonSchema,
	});
	if (isExcess(read)) throw createSchemaSizeError(read, RESPONSE_SCHEMA);
	return read.schema;
}

/** Each converter, and each copy of zod, makes something else of the same content. */
function getCopyId(schema: object, { toJsonSchema = convertZod }: SchemaReader): string {
	return `${getId(toJsonSchema).id} ${getId(schema.constructor).id}`;
}

let ids = 0;
const getId: (object: object) => { id: number } = memoize(() => ({ id: ++ids }));

/** Whether a schema of a library other than zod, whose objects may have any content. */
function isOpaque(schema: unknown): boolean {
	const { toJSONSchema, '~standard': standard } = asRecord(schema);
	const { validate, jsonSchema } = asRecord(standard);
	const methods = [toJSONSchema, validate, asRecord(jsonSchema).input];
	// JSON contains none.
	const isLibrary = methods.some((method) => typeof method === 'function');
	return isLibrary && getZodDefinition(schema) === undefined;
}

/** @throws {ServerError} of type `invalidInput` if it is no schema */
function convertSchema(schema: unknown, { toJsonSchema, ...subject }: SchemaReader): JsonRecord {
	const hostTool = { type: 'function', name: subject.label, inputSchema: schema };
	const json: unknown = toJsonSchema?.(hostTool as Parameters<ToJsonSchema>[0]) ?? schema;
	return convertToJsonSchema(json, subject);
}

/** Zod's types of single values. Types in no list here accept any value. */
const PRIMITIVES = ['string', 'number', 'boolean', 'null'];

/** Types around another schema that change nothing relevant to a model. */
const OPTIONAL_TYPES = ['optional', 'exactoptional', 'default', 'prefault', 'catch'];
const WRAPPERS = [...OPTIONAL_TYPES, 'nullable', 'readonly', 'branded', 'effects'];

/**
 * JSON schema from zod 3, zod 4, a Standard Schema that gives JSON schema, or JSON schema.
 * Recognized by its shape, since n8n may hold several copies of zod, and `instanceof` knows only one.
 *
 * @throws {ServerError} of type `invalidInput` for anything else
 */
function convertToJsonSchema(schema: unknown, { label, title, suggestion }: SchemaSubject) {
	if (schema === undefined || schema === null) return {};
	const json = convertLibrarySchema(schema);
	// A Standard Schema that gives no JSON schema would be sent with its methods.
	const isUnconverted = json === schema && asRecord(schema)['~standard'] !== undefined;
	const hasMethods = Object.values(asRecord(json)).some((value) => typeof value === 'function');
	if (!isRecord(json) || isUnconverted || hasMethods)
		throw createInputError(title, suggestion, {
			detail: `${label} cannot be read: it is not a zod schema, a JSON schema or a Standard Schema that provides one`,
		});
	return json;
}

/** The JSON schema of a library's schema; anything else unchanged. */
function convertLibrarySchema(schema: unknown): unknown {
	const { toJSONSchema, '~standard': standard } = asRecord(schema);
	const standardConverter = asRecord(asRecord(standard).jsonSchema).input;
	if (typeof standardConverter === 'function')
		return standardConverter({ target: 'draft-2020-12' }) as unknown;
	if (typeof toJSONSchema === 'function')
		return toJSONSchema.call(schema, { unrepresentable: 'any', io: 'input' }) as unknown;
	return getZodDefinition(schema) ? convertZod(schema) : schema;
}

function getZodType({ typeName, type }: JsonRecord = {}) {
	return String(typeName ?? type)
		.replace(/^Zod/, '')
		.toLowerCase();
}

/** @param ancestors - The definitions around it: a type that contains itself may be anything there. */
function convertZod(schema: unknown, ancestors: readonly JsonRecord[] = []): JsonRecord {
	const def = getZodDefinition(schema);
	if (!def || ancestors.includes(def)) return {};
	const description = asNonEmptyString(asRecord(schema).description ?? def.description);
	return {
		...convertZodDefinition(def, [...ancestors, def]),
		...omitUndefined({ description }),
	};
}

function convertZodDefinition(def: JsonRecord, ancestors: readonly JsonRecord[]): JsonRecord {
	const type = getZodType(def);
	if (PRIMITIVES.includes(type)) return { type };
	if (WRAPPERS.includes(type))
		return convertZod(def.innerType ?? def.schema ?? def.type, ancestors);
	if (type === 'object') return convertZodObject(def, ancestors);
	if (type === 'array')
		return { type: 'array', items: convertZod(def.element ?? def.type, ancestors) };
	if (type === 'enum')
		return { enum: Object.values(asRecord(def.entries ?? { ...(def.values as object) })) };
	return {};
}

function convertZodObject({ shape }: JsonRecord, ancestors: readonly JsonRecord[]): JsonRecord {
	const fields = asRecord(typeof shape === 'function' ? (shape as () => unknown)() : shape);
	const properties = Object.entries(fields).map(([name, field]) => [
		name,
		convertZod(field, ancestors),
	]);
	const required = Object.keys(fields).filter(
		(name) => !OPTIONAL_TYPES.includes(getZodType(getZodDefinition(getOwn(fields, name)))),
	);
	return { type: 'object', properties: Object.fromEntries(properties), required };
}
