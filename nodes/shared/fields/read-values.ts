/**
 * Fields as data. What comes in: the definition of each field (`lib/fields/field.ts`) and an item. What goes out: n8n's
 * description (`to-properties.ts`), and typed values, checked, with errors that name the label. What it remembers: the raw
 * values of an item (`item-source.ts`), each evaluated once, and those without an expression for all items.
 *
 * How to convert a node, or to add a field:
 *
 * 1. Define it in a table: `{ query: { kind: 'text', label: 'Query', required: true, … } } as const satisfies FieldTable`.
 *    The kinds and what they have are in `lib/fields/field.ts`. A field that is sent is defined in `lib`, beside its request
 *    field. Fields that several operations have are constants, `{ user: userField, ...pagingFields }`; the options are one
 *    field `options` of the kind `options`. `shownIf` names fields beside it.
 * 2. Use it: `defineOperation({ …, fields, execute: async ({ values }) => … })` (`nodes/shared/items/define-operation.ts`).
 *    `values.query` is a text, `values.options.limit` a number or undefined: an option that was not added has no value.
 *    `?? 5` is what applies then. Another item: `valuesOf(index)`.
 *    Read every value before the first request: n8n evaluates an expression when it is read.
 * 3. A value that its kind does not check gets a `parse`; its type is what `parse` returns. It throws
 *    `createFieldError(source, 'must be …')`. Elsewhere, name the field by reference: `createFieldError(fields.query, …)`.
 * 4. A function for several operations takes what it needs: `readUser(source, values)` with `values: Pick<Values<…>>`.
 *
 * No path in quotation marks is left: `isAdded(values.options, 'labels')` and `mainFields: ['text']` are names that the
 * compiler knows.
 */
import type {
	Field,
	FieldTable,
	OptionsField,
	OptionValues,
	RowsField,
	ValueField,
	Values,
	ValueSource,
} from '../../../lib/fields/field';
import { assertSendable, checkValue } from '../../../lib/fields/check-value';
import { memoize } from '../../../lib/lru-cache';
import type { Origin } from '../../../lib/origin';
import { getOwn } from '../../../lib/values/own-properties';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord, isRecord, isUnset } from '../../../lib/values/records';
import type { ItemSource } from './item-source';
import { getFallback, hasExpression } from './item-source';
import { getRowsName } from './to-properties';

/**
 * The values of fields. Each is evaluated and checked when it is read, once.
 *
 * @throws a `ServerError` of type `invalidInput` that names the field, when a wrong value is read.
 */
export function readValues<T extends FieldTable>(source: ItemSource, fields: T): Values<T> {
	return createValues(fields, {
		place: 'node',
		read: (name, field) => source.read(name, field),
		getWritten: (name) => source.getWritten(name),
		isExpression: (name) => source.isExpression(name),
		isAdded: () => true,
	}) as Values<T>;
}

/** Whether an option was added, even if its expression returned nothing. */
export function isAdded<T>(
	options: OptionValues<T>,
	name: keyof OptionValues<T> & string,
): boolean {
	return (options as unknown as TableValues)[STATE].raw.isAdded(name);
}

/** Who wrote the value of a field: a user, if it has an expression, or if the workflow shows nothing there. */
export function getOrigin<V extends object>(values: V, name: keyof V & string): Origin {
	return joinOrigins(findOrigin(values, name));
}

/** As `getOrigin`; undefined if the workflow shows nothing there. */
export function findOrigin<V extends object>(
	values: V,
	name: keyof V & string,
): 'author' | 'user' | undefined {
	const written = (values as unknown as TableValues)[STATE].raw.getWritten(name);
	if (written === undefined) return undefined;
	return hasExpression(written) ? 'user' : 'author';
}

/** Who wrote a text that several fields make up: a user, if one of them has an expression, or if none of them is there. */
export function joinOrigins(...origins: ReadonlyArray<'author' | 'user' | undefined>): Origin {
	return origins.includes('author') && !origins.includes('user') ? 'author' : 'user';
}

/** Where raw values come from. */
interface RawValues {
	/** In errors before the label of a field. Default: none. */
	heading?: string;
	place: 'node' | 'collection' | 'row';
	read(name: string, field: Field): unknown;
	/** What the workflow has in the field, with its expressions; undefined if nothing. */
	getWritten(name: string): unknown;
	isExpression(name: string): boolean;
	/** Whether a field of a collection was added. */
	isAdded(name: string): boolean;
}

/** No name of a field. */
const STATE = Symbol('state');

/** What the values of a table are read from. */
interface State {
	fields: FieldTable;
	raw: RawValues;
	/** Those that were read. */
	known: Map<string, unknown>;
}

/** Values of a table, whose getters its class has. */
interface TableValues {
	readonly [STATE]: State;
}

function createValues(fields: FieldTable, raw: RawValues): object {
	const ValuesOfTable = getValuesClass(fields);
	return new ValuesOfTable(raw);
}

/** Getters of a table are made once, not for each item. */
const getValuesClass = memoize((fields: FieldTable) => {
	class ValuesOfTable implements TableValues {
		readonly [STATE]: State;

		constructor(raw: RawValues) {
			this[STATE] = { fields, raw, known: new Map() };
		}
	}
	for (const name of Object.keys(fields))
		Object.defineProperty(ValuesOfTable.prototype, name, {
			get(this: ValuesOfTable) {
				return getValue(this[STATE], name);
			},
		});
	return ValuesOfTable;
});

function getValue(state: State, name: string): unknown {
	const { fields, raw, known } = state;
	const field = getOwn(fields, name);
	if (field === undefined) return undefined;
	if (!known.has(name))
		known.set(name, isShown(state, field) ? readValue(raw, name, field) : undefined);
	return known.get(name);
}

/** Whether the fields beside it have the values with which it is shown. Fields elsewhere are n8n's matter. */
function isShown(state: State, { shownIf = {} }: Field): boolean {
	return Object.entries(shownIf).every(
		([name, shown]) =>
			!Object.hasOwn(state.fields, name) || shown.includes(getValue(state, name) as string),
	);
}

function readValue(raw: RawValues, name: string, field: Field): unknown {
	const { place } = raw;
	const value = raw.read(name, field);
	switch (field.kind) {
		case 'notice':
			return undefined;
		case 'options':
			return createOptionValues(field, { raw, name, value });
		case 'rows':
			return toRows(value, field).map((row) => createRowValues(field.fields, { raw, name, row }));
		case 'form':
			// Read as one object: n8n's validation of `inputs.value` fails on the null of an empty form.
			return asRecord(asRecord(value).value);
		default: {
			const headedField = raw.heading === undefined ? field : withHeading(field, raw.heading);
			assertSendable(headedField, value);
			// An empty text is a value, also as an option.
			const isText = field.kind === 'text' && field.parse === undefined;
			const isMissing = isText ? value === undefined : isUnset(value);
			if (place === 'collection' && isMissing) return undefined;
			if (field.isOptional && isUnset(value)) return checkValue(field, getFallback(field));
			return field.parse
				? field.parse(value, toValueSource(raw, name, headedField.label))
				: checkValue(headedField, value);
		}
	}
}

function withHeading(field: ValueField, heading: string): ValueField {
	return { ...field, label: `${heading}: ${field.label}` };
}

function toValueSource(raw: RawValues, name: string, label: string): ValueSource {
	return {
		label,
		get isExpression() {
			return raw.isExpression(name);
		},
	};
}

/** Text or a list counts as empty, as n8n loads such a workflow (docs/protocols/n8n.md 4.5). */
function createOptionValues(
	{ fields, label }: OptionsField,
	{ raw, name: optionsName, value }: { raw: RawValues; name: string; value: unknown },
) {
	const record = asRecord(value);
	return createValues(fields, {
		place: 'collection',
		// An option that is a collection itself names what its fields are about.
		...(raw.place === 'collection' && { heading: label }),
		read: (name) => unwrapLocator(getOwn(record, name)),
		getWritten(name) {
			const written = raw.getWritten(optionsName);
			// One expression may return all options.
			return typeof written === 'string' ? written : getOwn(asRecord(written), name);
		},
		isExpression: () => false,
		isAdded: (name) => Object.hasOwn(record, name),
	});
}

/** A cell that is missing has its default, as n8n adds it when it loads a workflow. */
function createRowValues(
	fields: FieldTable,
	{ raw, name: rowsName, row }: { raw: RawValues; name: string; row: JsonRecord },
) {
	return createValues(fields, {
		place: 'row',
		read: (name, field) =>
			Object.hasOwn(row, name) ? unwrapLocator(getOwn(row, name)) : getFallback(field),
		// One expression may return all rows.
		getWritten: () => raw.getWritten(rowsName),
		isExpression: () => false,
		isAdded: () => true,
	});
}

/** n8n's list of rows; an expression may return one row, or the list itself. A text in a list is the first cell of its row. */
function toRows(value: unknown, { entry, fields }: RowsField): JsonRecord[] {
	const rows = Array.isArray(value) ? value : getOwn(asRecord(value), getRowsName({ entry }));
	const [firstName = ''] = Object.keys(fields);
	return [rows]
		.flat()
		.filter((row: unknown) => !isUnset(row))
		.map((row: unknown) => (isRecord(row) ? row : { [firstName]: row }));
}

/** For a resource locator, its value. n8n resolves locators only outside collections. */
export function unwrapLocator(value: unknown): unknown {
	return isRecord(value) && '__rl' in value ? value.value : value;
}
