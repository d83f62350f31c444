import {
	asArray,
	asFiniteNumber,
	isRecord,
	asNonEmptyString,
	omitUndefined,
	parseNumber,
	asString,
	toText,
	type JsonRecord,
} from '../../values';
import { createParamError } from '../errors';

type Value = string | number | string[] | undefined;

interface OperatorDefinition {
	label: string;
	valueType: 'text' | 'number' | 'time' | 'list' | 'none';
	/** Whether the value of a record fits. A record without a value fits `empty` only. */
	matches(own: string, wanted: string, list: readonly string[]): boolean;
}

const defineComparison =
	(isMet: (own: number, wanted: number) => boolean): OperatorDefinition['matches'] =>
	(own, wanted) =>
		isMet(Number(own), Number(wanted));

/** Dify's comparison operators (docs/protocols/dify.md 2.13). */
export const OPERATORS = {
	after: {
		label: 'After',
		valueType: 'time',
		matches: defineComparison((own, wanted) => own > wanted),
	},
	before: {
		label: 'Before',
		valueType: 'time',
		matches: defineComparison((own, wanted) => own < wanted),
	},
	contains: {
		label: 'Contains',
		valueType: 'text',
		matches: (own, wanted) => own.includes(wanted),
	},
	'not contains': {
		label: 'Does Not Contain',
		valueType: 'text',
		matches: (own, wanted) => !own.includes(wanted),
	},
	empty: { label: 'Empty', valueType: 'none', matches: () => false },
	'end with': {
		label: 'Ends With',
		valueType: 'text',
		matches: (own, wanted) => own.endsWith(wanted),
	},
	'=': {
		label: 'Equals (Number)',
		valueType: 'number',
		matches: defineComparison((own, wanted) => own === wanted),
	},
	'>': {
		label: 'Greater Than',
		valueType: 'number',
		matches: defineComparison((own, wanted) => own > wanted),
	},
	'≥': {
		label: 'Greater Than or Equal',
		valueType: 'number',
		matches: defineComparison((own, wanted) => own >= wanted),
	},
	in: { label: 'In', valueType: 'list', matches: (own, _wanted, list) => list.includes(own) },
	is: { label: 'Is', valueType: 'text', matches: (own, wanted) => own === wanted },
	'is not': { label: 'Is Not', valueType: 'text', matches: (own, wanted) => own !== wanted },
	'<': {
		label: 'Less Than',
		valueType: 'number',
		matches: defineComparison((own, wanted) => own < wanted),
	},
	'≤': {
		label: 'Less Than or Equal',
		valueType: 'number',
		matches: defineComparison((own, wanted) => own <= wanted),
	},
	'not empty': { label: 'Not Empty', valueType: 'none', matches: () => true },
	'≠': {
		label: 'Not Equal (Number)',
		valueType: 'number',
		matches: defineComparison((own, wanted) => own !== wanted),
	},
	'not in': {
		label: 'Not In',
		valueType: 'list',
		matches: (own, _wanted, list) => !list.includes(own),
	},
	'start with': {
		label: 'Starts With',
		valueType: 'text',
		matches: (own, wanted) => own.startsWith(wanted),
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

/** A filter whose values were checked. */
interface CompiledFilter {
	/** The value of `metadata_filtering_conditions`. */
	body: JsonRecord;
	/** Whether a record fits. Dify 1.13.3 ignores filters, and hands out what belongs to others. */
	matches(metadata: JsonRecord): boolean;
}

/** @throws {ServerError} for a condition without a value, which Dify would drop: the search would be wider than meant */
export function compileFilter({ logic, conditions }: Filter): CompiledFilter {
	const checked = conditions.map(({ field, operator, value }) => {
		if (field === '')
			throw createParamError(
				'A metadata filter has no field name',
				'Enter the name of a metadata field.',
			);
		return { field, operator, value: toComparable(value, operator, `"${field}" ${operator}`) };
	});
	const body = {
		logical_operator: logic,
		conditions: checked.map(({ field, operator, value }) => ({
			name: field,
			comparison_operator: operator,
			...omitUndefined({ value }),
		})),
	};
	const matches = (metadata: JsonRecord) => {
		const isMet = (condition: (typeof checked)[number]) => matchesCondition(metadata, condition);
		return logic === 'and' ? checked.every(isMet) : checked.some(isMet);
	};
	return { body, matches };
}

function matchesCondition(
	metadata: JsonRecord,
	{ field, operator, value }: { field: string; operator: Operator; value: Value },
): boolean {
	const own = Object.hasOwn(metadata, field) ? metadata[field] : undefined;
	if (isEmpty(own)) return operator === 'empty';
	const row: OperatorDefinition = OPERATORS[operator];
	return row.matches(toText(own), toText(value), asArray(value).map(String));
}

function toComparable(value: unknown, operator: Operator, what: string): Value {
	const { valueType } = OPERATORS[operator];
	if (valueType === 'none') return undefined;
	if (isEmpty(value))
		throw createParamError(
			`The metadata filter ${what} has no value`,
			'Dify would ignore the filter and search all documents. Enter a value, or use the operator "empty".',
		);
	if (valueType === 'list') return listOf(value, what);
	if (valueType === 'time') return toUnixSeconds(value, what);
	// Numbers are compared with times, too.
	if (valueType === 'number') return parseNumber(value) ?? toUnixSeconds(value, what);
	return toText(value);
}

function isEmpty(value: unknown): boolean {
	if (Array.isArray(value)) return value.length === 0;
	return value === undefined || value === null || value === '';
}

/** Dify takes a list, or text with commas. An empty entry would match nothing. */
function listOf(value: unknown, what: string): string[] {
	const list: unknown[] = Array.isArray(value) ? value : toText(value).split(',');
	const entries = list.map((entry) => toText(entry).trim()).filter((entry) => entry !== '');
	if (entries.length > 0) return entries;
	throw createParamError(`The metadata filter ${what} has no value`, 'Enter at least one value.');
}

/** Converts to a number: Dify answers text with a database error. @throws {ServerError} */
export function toFilterNumber(value: unknown, what: string): number {
	const number = parseNumber(value);
	if (number !== undefined) return number;
	throw createParamError(
		`${what} requires a number, but the value is ${toText(value).slice(0, 100)}`,
		'Enter a number.',
	);
}

/** Numbers from here on are milliseconds: as seconds it would be the year 5138. */
const MILLISECONDS_FROM = 1e11;

/** Converts a date in any usual form, or milliseconds, to Unix seconds, as Dify stores times. */
export function toUnixSeconds(value: unknown, what: string): number {
	const number = parseNumber(value);
	if (number !== undefined)
		return Math.abs(number) >= MILLISECONDS_FROM ? Math.round(number / 1000) : number;
	// Text, or one of n8n's dates (Luxon).
	const isDate = value instanceof Date || (isRecord(value) && typeof value.toISO === 'function');
	const date = Date.parse(asNonEmptyString(isDate ? String(value) : asString(value)) ?? '');
	if (asFiniteNumber(date) !== undefined) return Math.round(date / 1000);
	throw createParamError(
		`${what} requires a date, but the value is ${toText(value).slice(0, 100)}`,
		'Enter a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or a Unix timestamp in seconds.',
	);
}
