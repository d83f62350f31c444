import { invalidInput } from '../errors/failure';
import { isRecord, type JsonRecord, recordOf, recordsIn } from '../values';

type Schema = JsonRecord;

/** Zod's kinds that map directly to a JSON type. */
const TYPES: Readonly<Record<string, Schema>> = {
	any: {},
	unknown: {},
	custom: {},
	transform: {},
	string: { type: 'string' },
	boolean: { type: 'boolean' },
	bigint: { type: 'integer' },
	null: { type: 'null' },
	date: { type: 'string', format: 'date-time' },
};
const OPTIONAL_KINDS = ['optional', 'exactoptional', 'default', 'prefault', 'catch'];
/** Kinds that wrap another schema, and change nothing that a model must know. */
const WRAPPERS = new Set([
	...OPTIONAL_KINDS,
	'readonly',
	'nonoptional',
	'branded',
	'effects',
	'pipe',
	'pipeline',
	'promise',
]);

/**
 * A tool's schema as JSON schema, from zod 3, zod 4, a Standard Schema that gives JSON schema, or JSON schema.
 * Recognized by its shape, since n8n may hold several copies of zod, and `instanceof` knows only one.
 *
 * @throws {ServerError} of kind `invalidInput` for anything else
 */
export function jsonSchemaOf(schema: unknown, tool: string): Schema {
	if (schema === undefined || schema === null) return {};
	const json = converted(schema, tool);
	// A Standard Schema that gives no JSON schema would be sent with its methods.
	const isUnconverted = json === schema && recordOf(schema)['~standard'] !== undefined;
	const hasMethods = Object.values(recordOf(json)).some((value) => typeof value === 'function');
	if (!isRecord(json) || isUnconverted || hasMethods)
		throw unreadable(
			tool,
			'it is neither zod, nor JSON schema, nor a Standard Schema that gives one',
		);
	return json;
}

/** The JSON schema of a library's schema; anything else unchanged. */
function converted(schema: unknown, tool: string): unknown {
	const { toJSONSchema, '~standard': standard } = recordOf(schema);
	const standardConverter = recordOf(recordOf(standard).jsonSchema).input;
	if (typeof standardConverter === 'function')
		return standardConverter({ target: 'draft-2020-12' }) as unknown;
	if (typeof toJSONSchema === 'function')
		return toJSONSchema.call(schema, { unrepresentable: 'any', io: 'input' }) as unknown;
	return definitionOf(schema) === undefined ? schema : ofZod(schema, tool, []);
}

function definitionOf(schema: unknown): Schema | undefined {
	const { _zod, _def } = recordOf(schema);
	const definition = recordOf(_zod).def ?? _def;
	if (!isRecord(definition)) return undefined;
	const kind = definition.typeName ?? definition.type;
	return typeof kind === 'string' ? definition : undefined;
}

/** @param path the schemas around this one: a schema inside itself (`z.lazy`) becomes `{}`, anything */
function ofZod(schema: unknown, tool: string, path: readonly unknown[]): Schema {
	const def = definitionOf(schema);
	if (def === undefined) throw unreadable(tool, 'a part of it is not a schema');
	if (path.includes(def)) return {};
	const inside = (one: unknown) => ofZod(one, tool, [...path, def]);
	const description = recordOf(schema).description ?? def.description;
	const about = typeof description === 'string' ? { description } : {};
	return { ...ofDefinition(def, inside, tool), ...about };
}

function kindOf(def: Schema): string {
	return String(def.typeName ?? def.type)
		.replace(/^Zod/, '')
		.toLowerCase();
}

type Inside = (schema: unknown) => Schema;
type Conversion = (def: Schema, inside: Inside) => Schema;

/** The conversions of zod's kinds that hold other schemas or values. */
const CONVERSIONS: ReadonlyMap<string, Conversion> = new Map<string, Conversion>([
	['number', (def) => ({ type: isWhole(def) ? 'integer' : 'number' })],
	['lazy', (def, inside) => inside((def.getter as () => unknown)())],
	['nullable', (def, inside) => ({ anyOf: [inside(def.innerType), { type: 'null' }] })],
	['literal', (def) => ({ enum: Array.isArray(def.values) ? def.values : [def.value] })],
	['enum', enumeration],
	['nativeenum', enumeration],
	['array', list],
	['set', list],
	['tuple', (def, inside) => ({ type: 'array', prefixItems: each(def.items, inside) })],
	['record', dictionary],
	['map', dictionary],
	['union', alternatives],
	['discriminatedunion', alternatives],
	['intersection', (def, inside) => ({ allOf: [inside(def.left), inside(def.right)] })],
	['object', objectOf],
]);

function ofDefinition(def: Schema, inside: Inside, tool: string): Schema {
	const kind = kindOf(def);
	if (WRAPPERS.has(kind)) return inside(wrapped(def));
	const convert = CONVERSIONS.get(kind);
	if (convert !== undefined) return convert(def, inside);
	const type = Object.hasOwn(TYPES, kind) ? TYPES[kind] : undefined;
	if (type === undefined) throw unreadable(tool, `it holds a "${kind}", which JSON has not`);
	return type;
}

function wrapped(def: Schema): unknown {
	// `z.preprocess`: its input may be anything, so its output counts.
	const piped = kindOf(definitionOf(def.in) ?? {}) === 'transform' ? def.out : def.in;
	return def.innerType ?? def.schema ?? piped ?? def.type;
}

function each(schemas: unknown, inside: Inside): Schema[] {
	return [...(schemas as { values(): Iterable<unknown> }).values()].map(inside);
}

function enumeration(def: Schema): Schema {
	return { enum: Object.values(recordOf(def.entries ?? { ...(def.values as object) })) };
}

function list(def: Schema, inside: Inside): Schema {
	return { type: 'array', items: inside(def.element ?? def.valueType ?? def.type) };
}

function dictionary(def: Schema, inside: Inside): Schema {
	return { type: 'object', additionalProperties: inside(def.valueType) };
}

function alternatives(def: Schema, inside: Inside): Schema {
	return { anyOf: each(def.options, inside) };
}

function objectOf(def: Schema, inside: Inside): Schema {
	const shape = recordOf(
		typeof def.shape === 'function' ? (def.shape as () => unknown)() : def.shape,
	);
	const properties = Object.entries(shape).map(([name, one]) => [name, inside(one)]);
	const schema: Schema = { type: 'object', properties: Object.fromEntries(properties) };
	const required = Object.keys(shape).filter((name) => !isOptional(shape[name]));
	if (required.length > 0) schema.required = required;
	if (isStrict(def)) schema.additionalProperties = false;
	return schema;
}

function isStrict({ unknownKeys, catchall }: Schema): boolean {
	if (unknownKeys === 'strip') return false;
	return unknownKeys === 'strict' || kindOf(definitionOf(catchall) ?? {}) === 'never';
}

function isOptional(schema: unknown): boolean {
	return OPTIONAL_KINDS.includes(kindOf(definitionOf(schema) ?? {}));
}

function isWhole({ checks, format }: Schema): boolean {
	const all = [
		{ format },
		...recordsIn(checks).flatMap((check) => [check, recordOf(recordOf(check._zod).def)]),
	];
	return all.some((check: Schema) => check.kind === 'int' || /int/.test(String(check.format)));
}

function unreadable(tool: string, why: string) {
	return invalidInput(
		`The arguments of the tool "${tool}" cannot be read`,
		'Describe its arguments with zod or JSON schema.',
		{ meaning: `The schema of the tool "${tool}" cannot be read: ${why}` },
	);
}
