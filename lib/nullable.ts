import { asList, isRecord, type JsonRecord, optional } from './values';

/** Keywords whose values are no schemas. */
const VALUES: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'example', 'examples']);

/** Replaces OpenAPI's `nullable: true`, which servers ignore, by JSON schema's own keywords. */
export function withNull(schema: JsonRecord): JsonRecord {
	const { nullable, ...rest } = Object.fromEntries(
		Object.entries(schema).map(([key, value]) => [key, VALUES.has(key) ? value : inner(value)]),
	);
	if (nullable !== true) return nullable === undefined ? rest : { ...rest, nullable };
	const { type, enum: choices, anyOf, oneOf } = rest;
	if (Array.isArray(anyOf)) return { ...rest, anyOf: [...asList(anyOf), { type: 'null' }] };
	if (Array.isArray(oneOf)) return { ...rest, oneOf: [...asList(oneOf), { type: 'null' }] };
	if (type === undefined && !Array.isArray(choices)) return { anyOf: [rest, { type: 'null' }] };
	return {
		...rest,
		...optional({
			type: type === undefined ? undefined : [...new Set([type, 'null'].flat())],
			enum: Array.isArray(choices) ? [...new Set([...asList(choices), null])] : undefined,
		}),
	};
}

function inner(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inner);
	return isRecord(value) ? withNull(value) : value;
}
