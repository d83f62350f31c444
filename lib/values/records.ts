/** Reading of unknown values, such as JSON of a server or the result of an expression. */
import { getOwn } from './own-properties';

/** A JSON object. */
export type JsonRecord = Record<string, unknown>;

/** Whether a value is an object, and not a list. */
export function isRecord(value: unknown): value is JsonRecord {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value, if it is a text; undefined for anything else. */
export function asString(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/**
 * A string that is not empty; undefined for anything else. Depending on the version, Dify sends null, an empty string or nothing for the same
 * (docs/protocols/dify.md 3.11).
 */
export function asNonEmptyString(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value, if it is a list; an empty list for anything else. */
export function asArray(value: unknown): unknown[] {
	return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The objects of a list; empty for anything but a list. */
export function asRecords(value: unknown): JsonRecord[] {
	return asArray(value).filter(isRecord);
}

/** The value, if it is an object; an empty object for anything else. */
export function asRecord(value: unknown): JsonRecord {
	return isRecord(value) ? value : {};
}

/** Whether a field is empty, or its expression returned nothing. */
export function isUnset(value: unknown): value is undefined | null | '' {
	return value === undefined || value === null || value === '';
}

/** Whether a value is not null, undefined, or an empty text, list or object. */
export function isNonEmpty(value: unknown): boolean {
	if (isUnset(value)) return false;
	if (Array.isArray(value)) return value.length > 0;
	return !isRecord(value) || Object.keys(value).length > 0;
}

/** The fields with non-empty values. */
export function omitEmpty<T extends object>(fields: T): Partial<T> {
	return Object.fromEntries(
		Object.entries(fields).filter(([, value]) => isNonEmpty(value)),
	) as Partial<T>;
}

/** The same fields, of which each has a value or is missing. */
export type DefinedFields<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that are not undefined, so that `...omitUndefined({ a, b })` adds no undefined field to an object. */
export function omitUndefined<T extends object>(fields: T): DefinedFields<T> {
	return Object.fromEntries(
		Object.entries(fields).filter(([, value]) => value !== undefined),
	) as DefinedFields<T>;
}

/** An object with the same names and changed values. */
export function mapValues(record: JsonRecord, change: (value: unknown) => unknown): JsonRecord {
	return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/**
 * The first list in a value: itself, or under one of the names, also within others of them.
 *
 * @param depth - How many objects may be around it. Default: 3.
 * @returns undefined if there is none
 */
export function findList(
	value: unknown,
	names: readonly string[],
	depth = 3,
): unknown[] | undefined {
	if (Array.isArray(value)) return value;
	if (!isRecord(value) || depth === 0) return undefined;
	return names
		.map((name) => findList(getOwn(value, name), names, depth - 1))
		.find((list) => list !== undefined);
}
