import type { ServerError } from '../../errors/server-error';
import {
	finiteNumber,
	isRecord,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordsIn,
	text,
	words,
} from '../../values';

import { invalidParam } from '../errors/failure';

/** Dify's comparison operators, with their labels and kinds of values (docs/protocols/dify.md 2.13). */
export const OPERATORS = {
	after: { label: 'After', kind: 'time' },
	before: { label: 'Before', kind: 'time' },
	contains: { label: 'Contains', kind: 'text' },
	empty: { label: 'Empty', kind: 'none' },
	'end with': { label: 'Ends With', kind: 'text' },
	'=': { label: 'Equals (Number)', kind: 'number' },
	'>': { label: 'Greater', kind: 'number' },
	'≥': { label: 'Greater or Equal', kind: 'number' },
	in: { label: 'In', kind: 'list' },
	is: { label: 'Is', kind: 'text' },
	'is not': { label: 'Is Not', kind: 'text' },
	'<': { label: 'Less', kind: 'number' },
	'≤': { label: 'Less or Equal', kind: 'number' },
	'not contains': { label: 'Not Contains', kind: 'text' },
	'not empty': { label: 'Not Empty', kind: 'none' },
	'≠': { label: 'Not Equal (Number)', kind: 'number' },
	'not in': { label: 'Not In', kind: 'list' },
	'start with': { label: 'Starts With', kind: 'text' },
} as const;
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

/** Built-in fields of every document, where the base has them switched on. */
export const BUILT_IN_FIELDS: Readonly<Record<string, MetadataType>> = {
	document_name: 'string',
	uploader: 'string',
	upload_date: 'time',
	last_update_date: 'time',
	source: 'string',
};

export type MetadataType = 'string' | 'number' | 'time';

/**
 * The value of `metadata_filtering_conditions`; undefined without conditions.
 *
 * @param base whose fields the conditions must name: Dify finds nothing with an unknown field
 * @throws {ServerError} for a condition without a value, which Dify would drop: the search would be wider than meant
 */
export function filterBody(filter: Filter, base: JsonRecord): JsonRecord | undefined {
	if (filter.conditions.length === 0) return undefined;
	const fields = fieldTypes(base);
	return {
		logical_operator: filter.logic,
		conditions: filter.conditions.map(({ field, operator, value }) => {
			const type = typeOf(field, fields, base);
			const { kind } = OPERATORS[operator];
			const converted =
				kind === 'none' ? undefined : comparedWith(value, kind, type, `"${field}" ${operator}`);
			return { name: field, comparison_operator: operator, ...optional({ value: converted }) };
		}),
	};
}

/** The metadata fields of a base by name; undefined where Dify does not list them. */
function fieldTypes(base: JsonRecord): Map<string, MetadataType> | undefined {
	if (!Array.isArray(base.doc_metadata)) return undefined;
	return new Map(
		recordsIn(base.doc_metadata).flatMap(({ name, type }) =>
			typeof name === 'string' ? [[name, asType(type)]] : [],
		),
	);
}

/** Type of a metadata field; unknown ones count as text. */
export function asType(type: unknown): MetadataType {
	return type === 'number' || type === 'time' ? type : 'string';
}

function typeOf(
	field: string,
	fields: Map<string, MetadataType> | undefined,
	base: JsonRecord,
): MetadataType | undefined {
	if (field === '')
		throw invalidParam('A metadata filter names no field', 'Give the name of a metadata field.');
	const known = fields?.get(field);
	if (known !== undefined || fields === undefined) return known;
	const builtIn = Object.hasOwn(BUILT_IN_FIELDS, field) ? BUILT_IN_FIELDS[field] : undefined;
	if (builtIn === undefined) throw unknownField(field, fields);
	if (base.built_in_field_enabled !== false) return builtIn;
	throw invalidParam(
		`The built-in metadata of the knowledge base is off, so "${field}" finds nothing`,
		'Switch it on with Set Built-In Fields, or use a field of your own.',
	);
}

function unknownField(field: string, fields: ReadonlyMap<string, MetadataType>): ServerError {
	const names = [...fields.keys()].filter((name) => name !== '').slice(0, 20);
	return invalidParam(
		`The knowledge base has no metadata field "${field}", so nothing would be found`,
		`Its fields are: ${names.length === 0 ? 'none yet' : names.join(', ')}. Upper and lower case differ.`,
	);
}

type ValueKind = 'text' | 'list' | 'number' | 'time';

function comparedWith(
	value: unknown,
	kind: ValueKind,
	type: MetadataType | undefined,
	what: string,
): string | number | string[] {
	if (isEmpty(value))
		throw invalidParam(
			`The metadata filter ${what} has no value`,
			'Dify would leave out the filter and search in all documents. Give a value, or use the operator "empty".',
		);
	if (kind === 'list') return listOf(value, what);
	if (kind === 'time' || (kind === 'number' && type === 'time')) return unixSeconds(value, what);
	if (kind === 'number') return numberOf(value, what);
	return typeof value === 'object' ? words(value) : String(value);
}

function isEmpty(value: unknown): boolean {
	if (Array.isArray(value)) return value.length === 0;
	return value === undefined || value === null || value === '';
}

/** Dify takes a list, or text with commas. An empty entry would match nothing. */
function listOf(value: unknown, what: string): string[] {
	const list: unknown[] = Array.isArray(value) ? value : words(value).split(',');
	const entries = list.map((entry) => words(entry).trim()).filter((entry) => entry !== '');
	if (entries.length > 0) return entries;
	throw invalidParam(`The metadata filter ${what} has no value`, 'Give at least one value.');
}

/** Converts to a number: Dify answers text with a database error. @throws {ServerError} */
export function numberOf(value: unknown, what: string): number {
	const number =
		typeof value === 'string' && value.trim() !== '' ? Number(value) : finiteNumber(value);
	if (number !== undefined && Number.isFinite(number)) return number;
	throw invalidParam(
		`${what} needs a number, but has ${words(value).slice(0, 100)}`,
		'Give a number.',
	);
}

/** Numbers from here on are milliseconds: as seconds it would be the year 5138. */
const MILLISECONDS_FROM = 1e11;

/** Converts a date in any usual form, or milliseconds, to Unix seconds, as Dify stores times. */
export function unixSeconds(value: unknown, what: string): number {
	const number =
		typeof value === 'string' && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value)
			? Number(value)
			: finiteNumber(value);
	if (number !== undefined)
		return Math.abs(number) >= MILLISECONDS_FROM ? Math.round(number / 1000) : number;
	const date = value instanceof Date ? value.getTime() : dateIn(value);
	if (Number.isFinite(date)) return Math.round(date / 1000);
	throw invalidParam(
		`${what} needs a time, but has ${words(value).slice(0, 100)}`,
		'Give a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or Unix seconds.',
	);
}

/** Milliseconds since 1970, from text or one of n8n's dates (Luxon). */
function dateIn(value: unknown): number {
	const shown = isRecord(value) && typeof value.toISO === 'function' ? String(value) : text(value);
	return Date.parse(nonEmptyText(shown) ?? '');
}
