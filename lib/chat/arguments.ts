/** Fits the arguments of a call to the schema of its tool, where a model wrote the right value in the wrong type. */
import { parseJson } from '../json';
import { asList, isRecord, type JsonRecord, recordOf } from '../values';

/** Deeper parts of arguments stay as they are. */
const MAX_DEPTH = 20;

/**
 * Only values that the schema excludes are changed: texts of booleans, numbers, lists and objects, and `null` for a field
 * that may be left out. What the schema calls a string stays one.
 *
 * @param args JSON text of an object
 * @returns the same text where nothing has to be changed, so that numbers stay as they were written
 */
export function fittedArguments(args: string, schema: JsonRecord): string {
	const value = parseJson(args);
	if (!isRecord(value)) return args;
	const fitted = fitObject(value, schema, 0);
	return JSON.stringify(fitted) === JSON.stringify(value) ? args : JSON.stringify(fitted);
}

function fitObject(value: JsonRecord, schema: JsonRecord, depth: number): JsonRecord {
	const properties = recordOf(schema.properties);
	const required = asList(schema.required);
	const entries = Object.entries(value).flatMap(([name, inner]): Array<[string, unknown]> => {
		if (!Object.hasOwn(properties, name)) return [[name, inner]];
		const ofField = recordOf(properties[name]);
		const isLeftOut = inner === null && !required.includes(name) && excludes(ofField, 'null');
		return isLeftOut ? [] : [[name, fit(inner, ofField, depth + 1)]];
	});
	return Object.fromEntries(entries);
}

function fit(value: unknown, schema: JsonRecord, depth: number): unknown {
	if (depth > MAX_DEPTH) return value;
	if (typeof value === 'string' && excludes(schema, 'string')) {
		const read = readText(value, schema);
		return read === undefined ? value : fit(read, schema, depth + 1);
	}
	if (isRecord(value)) return fitObject(value, schema, depth);
	if (!Array.isArray(value) || !isRecord(schema.items)) return value;
	const { items } = schema;
	return value.map((one: unknown) => fit(one, items, depth + 1));
}

/** What a text means where none is wanted; undefined where it means nothing that the schema takes. */
function readText(text: string, schema: JsonRecord): unknown {
	const trimmed = text.trim();
	const word = trimmed.toLowerCase();
	if ((word === 'true' || word === 'false') && !excludes(schema, 'boolean')) return word === 'true';
	const value = parseJson(trimmed);
	if (typeof value === 'number') return isTaken(value, trimmed, schema) ? value : undefined;
	if (Array.isArray(value)) return excludes(schema, 'array') ? undefined : value;
	return isRecord(value) && !excludes(schema, 'object') ? value : undefined;
}

/** A number that keeps its digits, of a type that the schema takes. */
function isTaken(value: number, written: string, schema: JsonRecord): boolean {
	const isExact = Number.isFinite(value) && (String(value) === written || !/\d{16}/.test(written));
	const isWhole = Number.isInteger(value) && !excludes(schema, 'integer');
	return isExact && (isWhole || !excludes(schema, 'number'));
}

/** Whether a schema certainly takes no value of a type. One that says nothing excludes nothing. */
function excludes(schema: JsonRecord, type: string): boolean {
	const branches = [...asList(schema.anyOf), ...asList(schema.oneOf)].filter(isRecord);
	if (branches.length > 0) return branches.every((branch) => excludes(branch, type));
	if (schema.enum !== undefined)
		return asList(schema.enum).every((value) => typeOf(value) !== type);
	const types = [schema.type].flat().filter((one) => typeof one === 'string');
	if (types.length === 0) return false;
	return !types.includes(type) && !(type === 'integer' && types.includes('number'));
}

function typeOf(value: unknown): string {
	if (value === null) return 'null';
	return Array.isArray(value) ? 'array' : typeof value;
}
