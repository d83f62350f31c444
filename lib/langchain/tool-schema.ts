import { invalidInput } from '../errors/failure';
import { isRecord, recordOf, recordsIn } from '../values';

type Schema = Record<string, unknown>;

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
	const { toJSONSchema, '~standard': standard } = recordOf(schema);
	const converter = recordOf(recordOf(standard).jsonSchema).input;
	const made: unknown =
		typeof converter === 'function'
			? converter({ target: 'draft-2020-12' })
			: typeof toJSONSchema === 'function'
				? toJSONSchema.call(schema, { unrepresentable: 'any', io: 'input' })
				: definitionOf(schema) === undefined
					? schema
					: ofZod(schema, tool, []);
	const isReadable =
		isRecord(made) &&
		(made !== schema || standard === undefined) &&
		Object.values(made).every((value) => typeof value !== 'function');
	if (!isReadable)
		throw unreadable(
			tool,
			'it is neither zod, nor JSON schema, nor a Standard Schema that gives one',
		);
	return made;
}

function definitionOf(schema: unknown): Record<string, unknown> | undefined {
	const { _zod, _def } = recordOf(schema);
	const found = recordOf(_zod).def ?? _def;
	return isRecord(found) && typeof (found.typeName ?? found.type) === 'string' ? found : undefined;
}

/** @param path the schemas around this one: a schema inside itself (`z.lazy`) becomes `{}`, anything */
function ofZod(schema: unknown, tool: string, path: readonly unknown[]): Schema {
	const def = definitionOf(schema);
	if (def === undefined) throw unreadable(tool, 'a part of it is not a schema');
	if (path.includes(def)) return {};
	const inside = (one: unknown) => ofZod(one, tool, [...path, def]);
	const kind = kindOf(def);
	const description = recordOf(schema).description ?? def.description;
	const about = typeof description === 'string' ? { description } : {};
	return { ...converted(def, kind, inside, tool), ...about };
}

function kindOf(def: Schema): string {
	return String(def.typeName ?? def.type)
		.replace(/^Zod/, '')
		.toLowerCase();
}

function converted(
	def: Schema,
	kind: string,
	inside: (schema: unknown) => Schema,
	tool: string,
): Schema {
	// `z.preprocess`: its input may be anything, so its output counts.
	const piped = kindOf(definitionOf(def.in) ?? {}) === 'transform' ? def.out : def.in;
	if (WRAPPERS.has(kind)) return inside(def.innerType ?? def.schema ?? piped ?? def.type);
	const listed = (schemas: unknown) =>
		[...(schemas as { values(): Iterable<unknown> }).values()].map(inside);
	switch (kind) {
		case 'number':
			return { type: isWhole(def) ? 'integer' : 'number' };
		case 'lazy':
			return inside((def.getter as () => unknown)());
		case 'nullable':
			return { anyOf: [inside(def.innerType), { type: 'null' }] };
		case 'literal':
			return { enum: Array.isArray(def.values) ? def.values : [def.value] };
		case 'enum':
		case 'nativeenum':
			return { enum: Object.values(recordOf(def.entries ?? { ...(def.values as object) })) };
		case 'array':
		case 'set':
			return { type: 'array', items: inside(def.element ?? def.valueType ?? def.type) };
		case 'tuple':
			return { type: 'array', prefixItems: listed(def.items) };
		case 'record':
		case 'map':
			return { type: 'object', additionalProperties: inside(def.valueType) };
		case 'union':
		case 'discriminatedunion':
			return { anyOf: listed(def.options) };
		case 'intersection':
			return { allOf: [inside(def.left), inside(def.right)] };
		case 'object':
			return objectOf(
				recordOf(typeof def.shape === 'function' ? (def.shape as () => unknown)() : def.shape),
				def,
				inside,
			);
	}
	const type = TYPES[kind];
	if (type === undefined) throw unreadable(tool, `it holds a "${kind}", which JSON has not`);
	return type;
}

function objectOf(
	shape: Schema,
	{ unknownKeys, catchall }: Schema,
	inside: (schema: unknown) => Schema,
): Schema {
	const required = Object.keys(shape).filter(
		(name) => !OPTIONAL_KINDS.includes(kindOf(definitionOf(shape[name]) ?? {})),
	);
	const isStrict = unknownKeys === 'strict' || kindOf(definitionOf(catchall) ?? {}) === 'never';
	return {
		type: 'object',
		properties: Object.fromEntries(Object.entries(shape).map(([name, one]) => [name, inside(one)])),
		...(required.length === 0 ? {} : { required }),
		...(isStrict && unknownKeys !== 'strip' ? { additionalProperties: false } : {}),
	};
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
