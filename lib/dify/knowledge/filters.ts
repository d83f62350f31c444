/** Metadata filters of a search, and the values that they compare. */
import type { JsonRecord } from '../../values/records';
import {
	asArray,
	asRecords,
	isNonEmpty,
	isRecord,
	asNonEmptyString,
	asString,
} from '../../values/records';
import type { ExactNumber } from '../../values/exact-json';
import { toExactNumber } from '../../values/exact-json';
import { asFiniteNumber, parseNumber } from '../../values/numbers';
import { toText } from '../../values/text';
import { createParamError } from '../create-error';
import { getOwn } from '../../values/own-properties';

type Value = string | number | ExactNumber | string[] | undefined;

/** Whether the value of a record matches. A record without a value matches `empty` only. */
type Matches = (actual: string, expected: string, list: readonly string[]) => boolean;

interface OperatorRule {
	/** As in the editor. */
	label: string;
	/** Type of the value that it compares with. */
	valueType: 'text' | 'number' | 'time' | 'list' | 'none';
	matches: Matches;
}

function defineOperator(
	label: string,
	valueType: OperatorRule['valueType'],
	matches: Matches,
): OperatorRule {
	return { label, valueType, matches };
}

const comparesNumbers =
	(isMet: (actual: number, expected: number) => boolean): Matches =>
	(actual, expected) =>
		isMet(Number(actual), Number(expected));
const isGreater = comparesNumbers((actual, expected) => actual > expected);
const isLess = comparesNumbers((actual, expected) => actual < expected);
const includes: Matches = (actual, expected) => actual.includes(expected);
const isListed: Matches = (actual, _expected, list) => list.includes(actual);
const not =
	(matches: Matches): Matches =>
	(...values) =>
		!matches(...values);
const isEqual: Matches = (actual, expected) => actual === expected;
const isEqualNumber = comparesNumbers((actual, expected) => actual === expected);

/** Dify's comparison operators (docs/protocols/dify.md 2.13). */
export const OPERATORS = {
	after: defineOperator('After', 'time', isGreater),
	before: defineOperator('Before', 'time', isLess),
	contains: defineOperator('Contains', 'text', includes),
	'not contains': defineOperator('Does Not Contain', 'text', not(includes)),
	empty: defineOperator('Empty', 'none', () => false),
	'end with': defineOperator('Ends With', 'text', (actual, expected) => actual.endsWith(expected)),
	'=': defineOperator('Equals (Number)', 'number', isEqualNumber),
	'>': defineOperator('Greater Than', 'number', isGreater),
	'≥': defineOperator(
		'Greater Than or Equal',
		'number',
		comparesNumbers((actual, expected) => actual >= expected),
	),
	in: defineOperator('In', 'list', isListed),
	is: defineOperator('Is', 'text', isEqual),
	'is not': defineOperator('Is Not', 'text', not(isEqual)),
	'<': defineOperator('Less Than', 'number', isLess),
	'≤': defineOperator(
		'Less Than or Equal',
		'number',
		comparesNumbers((actual, expected) => actual <= expected),
	),
	'not empty': defineOperator('Not Empty', 'none', () => true),
	'≠': defineOperator('Not Equal (Number)', 'number', not(isEqualNumber)),
	'not in': defineOperator('Not In', 'list', not(isListed)),
	'start with': defineOperator('Starts With', 'text', (actual, expected) =>
		actual.startsWith(expected),
	),
};
export type Operator = keyof typeof OPERATORS;

export interface Condition {
	/** Name of the metadata field. */
	field: string;
	operator: Operator;
	value?: unknown;
}

/** A condition with a validated value. */
interface Comparison extends Condition {
	value: Value;
}

export interface Filter {
	logic: 'and' | 'or';
	conditions: readonly Condition[];
}

interface FilterCondition {
	/** Name of the metadata field. */
	name: string;
	comparison_operator: Operator;
	value: Value;
}

/** The value of `metadata_filtering_conditions`. */
interface FilterBody {
	logical_operator: Filter['logic'];
	conditions: FilterCondition[];
}

interface CompiledFilter {
	body: FilterBody;
	/** Whether a record matches. Dify 1.13.3 ignores filters, and would expose records of others. */
	matches(metadata: JsonRecord): boolean;
	/**
	 * Checks the operators against the types of the fields. Unknown fields are not checked.
	 *
	 * @param fields `doc_metadata` of the knowledge base
	 * @throws {ServerError} if an operator does not fit its field
	 */
	assertFits(fields: unknown): void;
}

/**
 * A filter with validated values.
 *
 * @throws {ServerError} for a condition without a value: Dify would drop it and search too many documents
 */
export function compileFilter({ logic, conditions }: Filter): CompiledFilter {
	const comparisons = conditions.map(({ field, operator, value }): Comparison => {
		if (field === '') {
			throw createParamError({
				title: 'A metadata filter has no field name',
				suggestion: 'Enter the name of a metadata field.',
			});
		}
		return { field, operator, value: toComparable(value, operator, field) };
	});
	const body: FilterBody = {
		logical_operator: logic,
		conditions: comparisons.map(({ field, operator, value }) => ({
			name: field,
			comparison_operator: operator,
			value,
		})),
	};
	const matches = (metadata: JsonRecord) => {
		const isMet = (comparison: Comparison) => matchesCondition(metadata, comparison);
		return logic === 'and' ? comparisons.every(isMet) : comparisons.some(isMet);
	};
	const assertFits = (fields: unknown) => {
		const types = new Map(asRecords(fields).map(({ name, type }) => [name, type]));
		for (const comparison of comparisons) {
			const type = types.get(comparison.field);
			if (FIELD_TYPE_LABELS.has(type) && !fitsType(type, comparison)) {
				throw createTypeError(type, comparison);
			}
		}
	};
	return { body, matches, assertFits };
}

const FIELD_TYPE_LABELS: ReadonlyMap<unknown, string> = new Map([
	['string', 'text'],
	['number', 'a number'],
	['time', 'a time'],
]);

/** Whether an operator takes numbers; those for times do too. */
const isNumeric = (operator: Operator) =>
	['number', 'time'].includes(OPERATORS[operator].valueType);

/**
 * Whether Dify can compare a field of this type. A number operator on text is a database error (docs/protocols/dify.md
 * 2.13), and a text that is not a number equals no number or time.
 */
function fitsType(type: unknown, { operator, value }: Comparison) {
	if (type === 'string') return !isNumeric(operator);
	const comparesWhole = ['is', 'is not', 'in', 'not in'].includes(operator);
	return !comparesWhole || [value].flat().every((entry) => parseNumber(entry) !== undefined);
}

function createTypeError(type: unknown, { field, operator }: Comparison) {
	const operators = Object.keys(OPERATORS) as Operator[];
	const labels = operators
		.filter((each) => isNumeric(each) === (type !== 'string') || each.endsWith('empty'))
		.map((each) => OPERATORS[each].label);
	return createParamError({
		title: `The metadata field "${field}" is ${FIELD_TYPE_LABELS.get(type)}, so Dify cannot compare it with "${OPERATORS[operator].label}"`,
		suggestion: `Use one of: ${labels.join(', ')}. Dify cannot change the type of a field.`,
	});
}

function matchesCondition(metadata: JsonRecord, { field, operator, value }: Comparison) {
	const actual = getOwn(metadata, field);
	if (!isNonEmpty(actual)) return operator === 'empty';
	return OPERATORS[operator].matches(toText(actual), toText(value), asArray(value).map(String));
}

function toComparable(value: unknown, operator: Operator, field: string): Value {
	const { valueType, label: operatorLabel } = OPERATORS[operator];
	if (valueType === 'none') return undefined;
	const createMissingError = (suggestion: string) =>
		createParamError({
			title: `The metadata filter "${field}" has no value for the operator "${operatorLabel}"`,
			suggestion,
		});
	if (!isNonEmpty(value))
		throw createMissingError(
			'Dify would ignore the filter and search all documents. Enter a value, or use the operator "Empty".',
		);
	if (valueType === 'list') {
		const entries = toList(value);
		if (entries.length === 0) throw createMissingError('Enter at least one value.');
		return entries;
	}
	const label = `The operator "${operatorLabel}" of the metadata filter "${field}"`;
	if (valueType === 'time') return toUnixSeconds(value, label);
	// Number operators also compare times.
	if (valueType === 'number')
		return toExactNumber(value) ?? toUnixSeconds(value, label, NUMBER_OR_DATE);
	return toText(value);
}

/** Converts a list, or text with commas. Empty entries are removed, since they match nothing. */
function toList(value: unknown): string[] {
	const list: unknown[] = Array.isArray(value) ? value : toText(value).split(',');
	return list.map((entry) => toText(entry).trim()).filter((entry) => entry !== '');
}

/**
 * Converts to a number: Dify returns a database error for text.
 *
 * @param label of the value, for errors
 * @throws {ServerError} if it is not a number
 */
export function toFilterNumber(value: unknown, label: string): number | ExactNumber {
	const number = toExactNumber(value);
	if (number !== undefined) return number;
	throw createParamError({
		title: `${label} requires a number, but the value is ${toText(value).slice(0, 100)}`,
		suggestion: 'Enter a number.',
	});
}

/** Whether a value is a date, or one of n8n's (Luxon). */
export function isDateObject(value: unknown): boolean {
	return value instanceof Date || (isRecord(value) && typeof value.toISO === 'function');
}

/** What a value must be, and how to write it. */
interface ExpectedValue {
	description: string;
	suggestion: string;
}

const DATE: ExpectedValue = {
	description: 'a date',
	suggestion:
		'Enter a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or a Unix timestamp in seconds.',
};

const NUMBER_OR_DATE: ExpectedValue = {
	description: 'a number or a date',
	suggestion: 'Enter a number, or a date such as 2026-01-31 or 2026-01-31T12:00:00Z.',
};

/** Numbers from this value are milliseconds: in seconds it would be the year 5138. */
const MIN_MILLISECONDS = 1e11;

/**
 * Converts a date in any common format, or milliseconds, to Unix seconds, as Dify stores times.
 *
 * @param label of the value, for errors
 * @param expected what errors ask for. Default: a date
 * @throws {ServerError} if it is not a date
 */
export function toUnixSeconds(value: unknown, label: string, expected = DATE): number {
	const number = parseNumber(value);
	if (number !== undefined) {
		return Math.abs(number) >= MIN_MILLISECONDS ? Math.round(number / 1000) : number;
	}
	const text = isDateObject(value) ? String(value) : asString(value);
	const date = Date.parse(asNonEmptyString(text) ?? '');
	if (asFiniteNumber(date) !== undefined) return Math.round(date / 1000);
	throw createParamError({
		title: `${label} requires ${expected.description}, but the value is ${toText(value).slice(0, 100)}`,
		suggestion: expected.suggestion,
	});
}
