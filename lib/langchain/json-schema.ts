/**
 * Schemas of tools and responses as JSON schema. In: what an agent binds, from n8n's copy of zod, another one, or JSON. Out:
 * JSON schema, or the limit that it exceeds. Remembers: what was converted, by its content, because agents supply their tools
 * again in each round.
 */
import {
	createSchemaError,
	getZodDefinition,
	isExcess,
	MAX_LENGTH,
	measureSchema,
} from '../chat/body/schema-size';
import type { SchemaExcess, SchemaProblem } from '../chat/body/schema-size';
import { keep } from '../kept';
import { memoize } from '../lru-cache';
import { getOwn } from '../values/own-properties';
import { asNonEmptyString, asRecord, isRecord, omitUndefined } from '../values/records';
import type { JsonRecord } from '../values/records';
import { tryOrUndefined } from '../values/try-or-undefined';
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

/** A schema that is not used. */
export interface UnusableSchema extends Omit<SchemaExcess, 'limit'> {
	problem: SchemaProblem;
}

const convertedSchemas = keep<PlainSchema>('convertedSchemas');

/** Memory of a value and its name, beside their characters. */
const BYTES_PER_VALUE = 100;

/**
 * Reads a schema of which nothing is known, after it was counted. A zod schema is converted once per content.
 *
 * @param toJsonSchema - n8n's converter. It returns any schema but those of its own copy of zod as it is. Default: there is no
 *   such schema.
 */
export function readSchema(
	schema: unknown,
	toJsonSchema?: ToJsonSchema,
): PlainSchema | UnusableSchema {
	// Only their own converters can read them.
	if (isOpaque(schema)) return toPlainSchema(convertSchema(schema, toJsonSchema));
	const size = measureSchema(schema);
	if (isExcess(size)) return toUnusable(size);
	if (getZodDefinition(schema) === undefined)
		return toPlainSchema(convertSchema(schema, toJsonSchema));
	const key = `${getCopyId(schema as object, toJsonSchema)} ${size.hash()}`;
	const known = convertedSchemas.get(key);
	if (known !== undefined) return known;
	const converted = toPlainSchema(convertSchema(schema, toJsonSchema));
	if (!isUnusable(converted))
		convertedSchemas.set(key, converted, 2 * converted.bytes + BYTES_PER_VALUE * converted.values);
	return converted;
}

/** @returns whether a schema that was read is not used */
export function isUnusable(read: PlainSchema | UnusableSchema): read is UnusableSchema {
	return 'problem' in read;
}

function toUnusable({ limit, ...counted }: SchemaExcess): UnusableSchema {
	return { problem: limit, ...counted };
}

/**
 * A converter may have made more of a schema than it was.
 *
 * @param source - Undefined: there is no schema.
 */
function toPlainSchema(source: JsonRecord | undefined): PlainSchema | UnusableSchema {
	if (source === undefined) return { problem: 'form', values: 1, length: 0 };
	const schema = { ...source };
	delete schema.$schema;
	const size = measureSchema(schema);
	if (isExcess(size)) return toUnusable(size);
	const json = JSON.stringify(schema);
	if (json.length > MAX_LENGTH)
		return { problem: 'length', values: size.values, length: json.length };
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
	const read = readSchema(isFunction ? parameters : source, toJsonSchema);
	if (isUnusable(read)) throw createSchemaError(read.problem, RESPONSE_SCHEMA);
	return read.schema;
}

/** Each converter, and each copy of zod, makes something else of the same content. */
function getCopyId(schema: object, toJsonSchema: object = convertZod): string {
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

/** What n8n's converter is told of a schema. */
const HOST_TOOL = { type: 'function', name: 'schema' };

/** @returns undefined if it is no schema, or its library cannot convert it */
function convertSchema(schema: unknown, toJsonSchema?: ToJsonSchema): JsonRecord | undefined {
	const hostTool = { ...HOST_TOOL, inputSchema: schema };
	return tryOrUndefined(() => {
		const json: unknown = toJsonSchema?.(hostTool as Parameters<ToJsonSchema>[0]) ?? schema;
		return convertToJsonSchema(json);
	});
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
 * @returns undefined for anything else
 */
function convertToJsonSchema(schema: unknown): JsonRecord | undefined {
	if (schema === undefined || schema === null) return {};
	const json = convertLibrarySchema(schema);
	// A Standard Schema that gives no JSON schema would be sent with its methods.
	const isUnconverted = json === schema && asRecord(schema)['~standard'] !== undefined;
	const hasMethods = Object.values(asRecord(json)).some((value) => typeof value === 'function');
	return isRecord(json) && !isUnconverted && !hasMethods ? json : undefined;
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
