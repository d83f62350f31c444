/** Which fields of a tool a model fills in: those with n8n's `$fromAI` in their expression. */
import type { ServerError } from '../errors/server-error';
import { asRecord, asRecords } from '../values/records';
import { getOwn } from '../values/own-properties';
import type { WrittenFields } from './written-fields';
import { getInnerFields, isSameLabel } from './written-fields';

const FROM_MODEL = /\$fromAI\s{0,20}\(/i;

/** A key of an object in a text: JSON, or the code of an expression. */
const KEY = /(["'`]?)([^\s"'`{},:]{1,100})\1\s{0,20}:/g;

/** The error, marked if a model has filled in a value that it is about. */
export function markModelValue(error: ServerError, written: WrittenFields): ServerError {
	const { field, places = field === undefined ? [] : [{ label: field }] } = error;
	const isFilledByModel = places.some((place) =>
		findValues(written, place.label).some((value) => isOfModel(value, place.entry)),
	);
	return isFilledByModel ? error.copyWith({ isFilledByModel }) : error;
}

/** The values of the fields with a label: operations show one of several variants, and collections contain others. */
function findValues({ properties, stored }: WrittenFields, label: string): unknown[] {
	const values = asRecord(stored);
	return properties.flatMap((property) => {
		const value = getOwn(values, property.name);
		return isSameLabel(property.displayName, label)
			? [value]
			: getInnerFields(property, value).flatMap((inner) => findValues(inner, label));
	});
}

/** Whether a model fills in a value, or the entry in it that an error is about. */
function isOfModel(value: unknown, entry?: string): boolean {
	if (typeof value === 'string') return FROM_MODEL.test(findEntry(value, entry));
	if (typeof value !== 'object' || value === null) return false;
	if (entry === undefined) return Object.values(value).some((inner) => isOfModel(inner));
	if (Object.hasOwn(value, entry)) return isOfModel(getOwn(asRecord(value), entry));
	return asRecords(Object.values(value)).some((inner) => isOfModel(inner, entry));
}

/** What follows the key of an entry, up to the next one; the whole text if it has no such key, as it is of one expression. */
function findEntry(text: string, entry: string | undefined): string {
	const keys = entry === undefined ? [] : [...text.matchAll(KEY)];
	const at = keys.findIndex(([, , name]) => name === entry);
	return at < 0 ? text : text.slice(keys[at]!.index, keys[at + 1]?.index);
}
