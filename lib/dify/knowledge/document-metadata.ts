/** Reads the metadata of a document or a hit. */
import type { JsonRecord } from '../../values/records';
import { isRecord, asRecords } from '../../values/records';

/** Metadata by name, from the object of a hit or the field list of a document. */
export function parseMetadata(value: unknown): JsonRecord {
	if (isRecord(value)) return value;
	const fields = asRecords(value).filter(({ name }) => typeof name === 'string');
	return Object.fromEntries(fields.map(({ name, value }) => [String(name), value]));
}
