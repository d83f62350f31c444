/**
 * Forms of a JSON schema for values that may be null. Servers with other grammars reject a list of types (LM Studio:
 * `'type' must be a string`), or a choice with null.
 */
import { isAboutFormat } from '../../exchange/adaptations';
import type { Adaptation } from '../../exchange/find-changes';
import type { Rejection } from '../../exchange/rejection';
import type { JsonRecord } from '../../values/records';
import { asRecord, isRecord } from '../../values/records';
import { MAX_DEPTH } from '../../values/json';
import { getOwn } from '../../values/own-properties';

/** A keyword of schemas that servers name where they reject a list of types (LM Studio). */
const TYPE_KEYWORD = 'type';

/** The field that contains the schema. */
const FORMAT_FIELD = 'response_format';

/** Names within a schema that are looked for. */
const MAX_NAMES = 1_000;

/**
 * The next form of the schema in a rejected request: alternatives for null, then the field without null and not required. A
 * server that names the field, and nothing within its schema, rejects the format in every form.
 */
export const adjustNullInSchema: Adaptation = (rejection, body) => {
	const isAboutSchema =
		(isAboutFormat(rejection) && !isAboutFieldAlone(rejection, body)) ||
		([400, 422].includes(rejection.status) && rejection.names(TYPE_KEYWORD));
	return isAboutSchema
		? [WITH_ALTERNATIVES, WITHOUT_NULL].find(({ apply }) => apply(body) !== body)
		: undefined;
};

function isAboutFieldAlone(rejection: Rejection, body: JsonRecord): boolean {
	if (!rejection.names(FORMAT_FIELD)) return false;
	const names = new Set<string>();
	collectNames(asRecord(asRecord(body[FORMAT_FIELD]).json_schema).schema, names);
	return ![...names].some((name) => rejection.names(name));
}

function collectNames(schema: unknown, names: Set<string>, depth = 0): void {
	if (depth > MAX_DEPTH || typeof schema !== 'object' || schema === null) return;
	for (const [name, inner] of Object.entries(schema)) {
		if (names.size >= MAX_NAMES) return;
		if (!Array.isArray(schema)) names.add(name);
		collectNames(inner, names, depth + 1);
	}
}

const WITH_ALTERNATIVES = {
	name: 'null as an alternative in the schema',
	apply: (body: JsonRecord): JsonRecord => changeSchema(body, toAlternatives),
};

const WITHOUT_NULL = {
	name: 'optional fields instead of null in the schema',
	apply: (body: JsonRecord): JsonRecord => changeSchema(body, toOptional),
};

/** `{type: [T, 'null']}` and a choice with null become `anyOf`. */
function toAlternatives(schema: JsonRecord): JsonRecord {
	const { description, ...rest } = schema;
	const common = description === undefined ? {} : { description };
	if (Array.isArray(schema.type)) {
		const choices = Array.isArray(schema.enum)
			? { enum: (schema.enum as unknown[]).filter((value) => value !== null) }
			: {};
		const branches = schema.type.map((type: unknown) =>
			type === 'null' ? { type } : { ...rest, ...choices, type },
		);
		return { anyOf: branches, ...common };
	}
	if (!Array.isArray(schema.enum) || schema.type !== undefined) return schema;
	const values = schema.enum as unknown[];
	if (!values.every((value) => value === null || typeof value === 'string')) return schema;
	const choice = { ...rest, type: 'string', enum: values.filter((value) => value !== null) };
	return values.includes(null)
		? { anyOf: [choice, { type: 'null' }], ...common }
		: { ...choice, ...common };
}

/** Properties that may be null lose it, and need not be there. */
function toOptional(schema: JsonRecord): JsonRecord {
	const properties = asRecord(schema.properties);
	const optional = Object.entries(properties).flatMap(([name, property]) => {
		const plain = withoutNull(asRecord(property));
		return plain === undefined ? [] : [[name, plain] as const];
	});
	if (optional.length === 0) return schema;
	const names = optional.map(([name]) => name);
	const required = (Array.isArray(schema.required) ? (schema.required as unknown[]) : []).filter(
		(name) => !names.includes(String(name)),
	);
	return { ...schema, properties: { ...properties, ...Object.fromEntries(optional) }, required };
}

/** Undefined for a schema without null. Lists of types are alternatives by now. */
function withoutNull(schema: JsonRecord): JsonRecord | undefined {
	const { anyOf, enum: choices, ...rest } = schema;
	if (Array.isArray(choices) && choices.includes(null))
		return { ...rest, enum: (choices as unknown[]).filter((value) => value !== null) };
	const branches = Array.isArray(anyOf) ? (anyOf as unknown[]).map(asRecord) : [];
	const others = branches.filter((branch) => branch.type !== 'null');
	if (others.length === branches.length) return undefined;
	return others.length === 1 ? { ...rest, ...others[0] } : { ...rest, anyOf: others };
}

/** @returns the same body without a schema, or if nothing in it changes */
function changeSchema(body: JsonRecord, change: (schema: JsonRecord) => JsonRecord): JsonRecord {
	const { format, response_format: responseFormat } = body;
	if (isRecord(format)) {
		const changed = changeDeep(format, change);
		return changed === format ? body : { ...body, format: changed };
	}
	const { json_schema: wrapper } = asRecord(responseFormat);
	const schema = asRecord(wrapper).schema;
	if (!isRecord(schema)) return body;
	const changed = changeDeep(schema, change);
	if (changed === schema) return body;
	return {
		...body,
		response_format: {
			...asRecord(responseFormat),
			json_schema: { ...asRecord(wrapper), schema: changed },
		},
	};
}

/** Changes a schema and those within it, from the inside. */
function changeDeep<T>(value: T, change: (schema: JsonRecord) => JsonRecord, depth = 0): T {
	if (depth > MAX_DEPTH || typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) {
		const items = value.map((item: unknown) => changeDeep(item, change, depth + 1));
		return (items.some((item, index) => item !== value[index]) ? items : value) as T;
	}
	const entries = Object.entries(value).map(
		([name, inner]) => [name, changeDeep(inner as unknown, change, depth + 1)] as const,
	);
	const isChanged = entries.some(([name, inner]) => inner !== getOwn(value as JsonRecord, name));
	const inside = isChanged ? (Object.fromEntries(entries) as JsonRecord) : (value as JsonRecord);
	return change(inside) as T;
}
