import { exactJson } from '../../json';
import { append, asList, isRecord, type JsonRecord, recordOf } from '../../values';
import type { ToolDefinition } from '../types';

/** A value written as plain text, whose type only the tool's schema tells. */
export class Untyped {
	constructor(readonly text: string) {}
}

/** A number that JavaScript would change. */
export class LargeNumber {
	constructor(readonly text: string) {}
}

/** One alternative of a schema: a type, or certain values. */
interface Allowed {
	type?: unknown;
	values?: readonly unknown[];
}

const MAX_DEPTH = 8;

/**
 * The arguments with the types of the tool's schema; undefined if they do not fit it. Nothing is guessed.
 *
 * @param large gets the numbers that are kept as text, because JavaScript would change them
 */
export function fittingArguments(
	{ parameters }: ToolDefinition,
	written: JsonRecord | undefined,
	large: string[],
): JsonRecord | undefined {
	const root = resolved(parameters, parameters);
	const properties = new Map(Object.entries(recordOf(root.properties)));
	if (written === undefined) return properties.size === 0 ? {} : undefined;
	if (lacksRequired(root, written)) return undefined;
	const fitting = new Map<string, unknown>();
	for (const [key, value] of Object.entries(written)) {
		const property = properties.get(key);
		if (property === undefined && root.additionalProperties === false) return undefined;
		const allowed = allowedBy(property, parameters);
		const typed = typedValue(value, allowed);
		if (typed === undefined) return undefined;
		append(large, largeNumbersIn(value, allowed));
		fitting.set(key, typed);
	}
	return Object.fromEntries(fitting);
}

function lacksRequired({ required }: JsonRecord, written: JsonRecord): boolean {
	return asList(required).some((key) => typeof key === 'string' && !Object.hasOwn(written, key));
}

/** The value in one of the allowed types; undefined if it has none of them. */
function typedValue(value: unknown, allowed: readonly Allowed[]): unknown {
	const typed =
		value instanceof Untyped ? valueOf(value.text, allowed) : numberAsText(value, allowed);
	return allowed.length === 0 || fitsAny(typed, allowed) ? typed : undefined;
}

/** The value of a text: the first type that fits, a string last. */
function valueOf(text: string, allowed: readonly Allowed[]): unknown {
	const value = literalOf(text.trim());
	if (allowed.length === 0) return typeof value === 'object' && value !== null ? value : text;
	const isLiteral = value !== undefined && typeof value !== 'string';
	if (isLiteral && fitsAny(value, allowed)) return value;
	return [text, text.trim()].find((one) => fitsAny(one, allowed));
}

/** Qwen3-Coder and others write these. */
const PYTHON_LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
	['true', true],
	['false', false],
	['none', null],
]);

/** Undefined for what is no literal, and for one with a number that JavaScript would change. */
function literalOf(text: string): unknown {
	const literal = PYTHON_LITERALS.get(text.toLowerCase());
	if (literal !== undefined) return literal;
	const { value, large } = exactJson(text);
	return large.length === 0 ? value : undefined;
}

function largeNumbersIn(value: unknown, allowed: readonly Allowed[]): string[] {
	if (value instanceof LargeNumber) return [value.text];
	const isNumber = allowed.some(({ type }) => type === 'number' || type === 'integer');
	return value instanceof Untyped && isNumber ? exactJson(value.text).large : [];
}

/** A number that JavaScript would change becomes a string, if the schema allows one. */
function numberAsText(value: unknown, allowed: readonly Allowed[]): unknown {
	if (!(value instanceof LargeNumber)) return holdsLargeNumber(value) ? undefined : value;
	return allowed.length === 0 || fitsAny('', allowed) ? value.text : undefined;
}

function holdsLargeNumber(value: unknown): boolean {
	if (value instanceof LargeNumber) return true;
	return typeof value === 'object' && value !== null && Object.values(value).some(holdsLargeNumber);
}

function fitsAny(value: unknown, allowed: readonly Allowed[]): boolean {
	return allowed.some((one) => fits(value, one));
}

function fits(value: unknown, { type, values }: Allowed): boolean {
	if (values !== undefined && !values.includes(value)) return false;
	switch (type) {
		case undefined:
			return true;
		case 'integer':
			return Number.isInteger(value);
		case 'array':
			return Array.isArray(value);
		case 'object':
			return isRecord(value);
		case 'null':
			return value === null;
		default:
			return typeof value === type;
	}
}

function allowedBy(schema: unknown, root: unknown, depth = 0): Allowed[] {
	if (!isRecord(schema) || depth > MAX_DEPTH) return [];
	const { type, enum: values, nullable, ...rest } = resolved(schema, root);
	const inner = [rest.anyOf, rest.oneOf, rest.allOf]
		.filter(Array.isArray)
		.flatMap((all: unknown[]) => all.flatMap((one) => allowedBy(one, root, depth + 1)));
	const own = alternatives(type, 'const' in rest ? [rest.const] : values);
	const all = [...own, ...inner];
	return nullable === true && all.length > 0 ? [...all, { type: 'null' }] : all;
}

/** @param values what `enum` or `const` allows */
function alternatives(type: unknown, values: unknown): Allowed[] {
	const listed = Array.isArray(values) ? { values: values as unknown[] } : undefined;
	if (type === undefined) return listed === undefined ? [] : [listed];
	return [type].flat().map((one: unknown) => ({ type: one, ...listed }));
}

/** A schema, or the one that its `$ref` names. */
function resolved(schema: unknown, root: unknown, depth = 0): JsonRecord {
	const record = recordOf(schema);
	if (typeof record.$ref !== 'string' || depth > MAX_DEPTH) return record;
	let target = root;
	for (const part of record.$ref.replace(/^#/, '').split('/')) {
		const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
		if (name !== '') target = recordOf(target)[name];
	}
	return resolved(target, root, depth + 1);
}
