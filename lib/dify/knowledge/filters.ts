import {
	asArray,
	asFiniteNumber,
	isRecord,
	asNonEmptyString,
	parseNumber,
	asString,
	toText,
	type JsonRecord,
} from '../../values';
import { createParamError } from '../errors';
import { parseExactNumber } from '../forms';

type Value = string | number | string[] | undefined;

interface OperatorDefinition {
	label: string;
	valueType: 'text' | 'number' | 'time' | 'list' | 'none';
	/** Whether the value of a record matches. A record without a value matches `empty` only. */
	matches(actual: string, expected: string, list: readonly string[]): boolean;
}

const defineComparison =
	(isMet: (actual: number, expected: number) => boolean): OperatorDefinition['matches'] =>
	(actual, expected) =>
		isMet(Number(actual), Number(expected));

/** Dify's comparison operators (docs/protocols/dify.md 2.13). */
export const OPERATORS = {
	after: {
		label: 'After',
		valueType: 'time',
		matches: defineComparison((actual, expected) => actual > expected),
	},
	before: {
		label: 'Before',
		valueType: 'time',
		matches: defineComparison((actual, expected) => actual < expected),
	},
	contains: {
		label: 'Contains',
		valueType: 'text',
		matches: (actual, expected) => actual.includes(expected),
	},
	'not contains': {
		label: 'Does Not Contain',
		valueType: 'text',
		matches: (actual, expected) => !actual.includes(expected),
	},
	empty: { label: 'Empty', valueType: 'none', matches: () => false },
	'end with': {
		label: 'Ends With',
		valueType: 'text',
		matches: (actual, expected) => actual.endsWith(expected),
	},
	'=': {
		label: 'Equals (Number)',
		valueType: 'number',
		matches: defineComparison((actual, expected) => actual === expected),
	},
	'>': {
		label: 'Greater Than',
		valueType: 'number',
		matches: defineComparison((actual, expected) => actual > expected),
	},
	'≥': {
		label: 'Greater Than or Equal',
		valueType: 'number',
		matches: defineComparison((actual, expected) => actual >= expected),
	},
	in: {
		label: 'In',
		valueType: 'list',
		matches: (actual, _expected, list) => list.includes(actual),
	},
	is: { label: 'Is', valueType: 'text', matches: (actual, expected) => actual === expected },
	'is not': {
		label: 'Is Not',
		valueType: 'text',
		matches: (actual, expected) => actual !== expected,
	},
	'<': {
		label: 'Less Than',
		valueType: 'number',
		matches: defineComparison((actual, expected) => actual < expected),
	},
	'≤': {
		label: 'Less Than or Equal',
		valueType: 'number',
		matches: defineComparison((actual, expected) => actual <= expected),
	},
	'not empty': { label: 'Not Empty', valueType: 'none', matches: () => true },
	'≠': {
		label: 'Not Equal (Number)',
		valueType: 'number',
		matches: defineComparison((actual, expected) => actual !== expected),
	},
	'not in': {
		label: 'Not In',
		valueType: 'list',
		matches: (actual, _expected, list) => !list.includes(actual),
	},
	'start with': {
		label: 'Starts With',
		valueType: 'text',
		matches: (actual, expected) => actual.startsWith(expected),
	},
} as const satisfies Record<string, OperatorDefinition>;
export type Operator = keyof typeof OPERATORS;

export interface Condition {
	/** Name of the metadata field. */
	field: string;
	operator: Operator;
	value?: unknown;
}

export interface Filter {
	logic: 'and' | 'or';
	conditions: readonly Condition[];
}

/** A filter with validated values. */
interface CompiledFilter {
	/** The value of `metadata_filtering_conditions`. */
	body: JsonRecord;
	/** Whether a record matches. Dify 1.13.3 ignores filters, and would expose records of others. */
	matches(metadata: JsonRecord): boolean;
}

/** @throws {ServerError} for a condition without a value: Dify would drop it and search too many documents */
export function compileFilter({ logic, conditions }: Filter): CompiledFilter {
	const comparisons = conditions.map(({ field, operator, value }) => {
		if (field === '')
			throw createParamError(
				'A metadata filter has no field name',
				'Enter the name of a metadata field.',
			);
		return { field, operator, value: toComparable(value, operator, `"${field}" ${operator}`) };
	});
	const body = {
		logical_operator: logic,
		conditions: comparisons.map(({ field, operator, value }) => ({
			name: field,
			comparison_operator: operator,
			value,
		})),
	};
	const matches = (metadata: JsonRecord) => {
		const isMet = (condition: (typeof comparisons)[number]) =>
			matchesCondition(metadata, condition);
		return logic === 'and' ? comparisons.every(isMet) : comparisons.some(isMet);
	};
	return { body, matches };
}

function matchesCondition(
	metadata: JsonRecord,
	{ field, operator, value }: { field: string; operator: Operator; value: Value },
): boolean {
	const actual = Object.hasOwn(metadata, field) ? metadata[field] : undefined;
	if (isEmpty(actual)) return operator === 'empty';
	const definition: OperatorDefinition = OPERATORS[operator];
	return definition.matches(toText(actual), toText(value), asArray(value).map(String));
}

function toComparable(value: unknown, operator: Operator, label: string): Value {
	const { valueType } = OPERATORS[operator];
	if (valueType === 'none') return undefined;
	if (isEmpty(value))
		throw createParamError(
			`The metadata filter ${label} has no value`,
			'Dify would ignore the filter and search all documents. Enter a value, or use the operator "empty".',
		);
	if (valueType === 'list') return toList(value, label);
	if (valueType === 'time') return toUnixSeconds(value, label);
	// Number operators also compare times.
	if (valueType === 'number') return parseExactNumber(value) ?? toUnixSeconds(value, label);
	return toText(value);
}

function isEmpty(value: unknown): boolean {
	if (Array.isArray(value)) return value.length === 0;
	return value === undefined || value === null || value === '';
}

/** Converts a list, or text with commas. Empty entries are removed, since they match nothing. */
function toList(value: unknown, label: string): string[] {
	const list: unknown[] = Array.isArray(value) ? value : toText(value).split(',');
	const entries = list.map((entry) => toText(entry).trim()).filter((entry) => entry !== '');
	if (entries.length > 0) return entries;
	throw createParamError(`The metadata filter ${label} has no value`, 'Enter at least one value.');
}

/** Converts to a number: Dify returns a database error for text. @throws {ServerError} */
export function toFilterNumber(value: unknown, label: string): number | string {
	const number = parseExactNumber(value);
	if (number !== undefined) return number;
	throw createParamError(
		`${label} requires a number, but the value is ${toText(value).slice(0, 100)}`,
		'Enter a number.',
	);
}

/** Numbers from this value are milliseconds: in seconds it would be the year 5138. */
const MIN_MILLISECONDS = 1e11;

/** Converts a date in any common format, or milliseconds, to Unix seconds, as Dify stores times. */
export function toUnixSeconds(value: unknown, label: string): number {
	const number = parseNumber(value);
	if (number !== undefined)
		return Math.abs(number) >= MIN_MILLISECONDS ? Math.round(number / 1000) : number;
	// Text, or one of n8n's dates (Luxon).
	const isDate = value instanceof Date || (isRecord(value) && typeof value.toISO === 'function');
	const date = Date.parse(asNonEmptyString(isDate ? String(value) : asString(value)) ?? '');
	if (asFiniteNumber(date) !== undefined) return Math.round(date / 1000);
	throw createParamError(
		`${label} requires a date, but the value is ${toText(value).slice(0, 100)}`,
		'Enter a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or a Unix timestamp in seconds.',
	);
}
