/** Metadata of a knowledge base: its fields, and the values of a document. */
import type { JsonRecord } from '../../values/records';
import { asNonEmptyString, asRecords, isUnset } from '../../values/records';
import { stringifyCanonical } from '../../values/json';
import { asFiniteNumber, parseNumber } from '../../values/numbers';
import { toText } from '../../values/text';
import type { DifyClient } from '../client';
import { apiPath } from '../api-path';
import { parseRecords } from '../pages';
import { createDifyError, createParamError } from '../create-error';
import type { DocumentRef } from './documents';
import { isDateObject, toFilterNumber, toUnixSeconds } from './filters';

export type MetadataType = 'string' | 'number' | 'time';

/** A value for a field; null removes it. */
export interface MetadataValue {
	value: unknown;
	/** Type of the field if it does not exist. Default: that of the value. */
	type?: MetadataType;
}

/** The ID of all built-in fields. */
const BUILT_IN_ID = 'built-in';

/** A field of a knowledge base. */
export interface MetadataField {
	id: string;
	name: string;
	type: MetadataType;
}

interface CountedField extends MetadataField {
	/** Number of documents with a value. */
	count: number | undefined;
}

/** The fields in `GET /datasets/:id/metadata`. */
export function parseMetadataFields({ doc_metadata: list }: JsonRecord): CountedField[] {
	return parseRecords(list).flatMap(({ id, name, type, count }) => {
		const fieldId = asNonEmptyString(id);
		if (fieldId === undefined || typeof name !== 'string') return [];
		const fieldType: MetadataType = type === 'number' || type === 'time' ? type : 'string';
		return [{ id: fieldId, name, type: fieldType, count: asFiniteNumber(count) }];
	});
}

/**
 * Creates a field. Its type cannot be changed later.
 *
 * @throws {ServerError} of type `nameTaken` if the name exists
 */
export async function createMetadataField(
	client: DifyClient,
	datasetId: string,
	{ name, type }: Omit<MetadataField, 'id'>,
): Promise<MetadataField> {
	const { id } = await client.sendJson('POST', apiPath`/datasets/${datasetId}/metadata`, {
		json: {
			type,
			name,
		},
	});
	const fieldId = asNonEmptyString(id);
	if (fieldId !== undefined) return { id: fieldId, name, type };
	throw createDifyError('datasetRejected', {
		about: { difyIssue: { kind: 'metadataField', name } },
	});
}

export interface MetadataChange extends DocumentRef {
	/** By field name. They are converted to the type of an existing field. */
	values: Readonly<Record<string, MetadataValue>>;
	/** Creates missing fields; otherwise they cause an error. */
	createFields: boolean;
}

/**
 * Sets metadata of one document. Other fields keep their values; null removes a value. The list is always complete:
 * Dify removes unlisted values unless the update is partial, and a partial update cannot remove values.
 *
 * @returns all new values of the document, without built-in fields
 * @throws {ServerError} also for a value that does not fit its field
 */
export async function setMetadata(client: DifyClient, change: MetadataChange): Promise<JsonRecord> {
	const { datasetId, documentId } = change;
	const changes = await buildFieldValues(client, change);
	const currentValues = await getCustomValues(client, change);
	const otherValues = currentValues.filter(
		({ name }) => !changes.some((fieldValue) => fieldValue.name === name),
	);
	const newValues = changes.filter(({ value }) => value !== null);
	const list = [...otherValues, ...newValues];
	const isPartial = newValues.length === changes.length;
	await client.requestJson('POST', apiPath`/datasets/${datasetId}/documents/metadata`, {
		json: {
			operation_data: [{ document_id: documentId, metadata_list: list, partial_update: isPartial }],
		},
	});
	return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

interface FieldValue {
	id: string;
	name: string;
	value: unknown;
}

async function buildFieldValues(
	client: DifyClient,
	{ datasetId, values, createFields }: MetadataChange,
): Promise<FieldValue[]> {
	const entries = Object.entries(values);
	if (entries.length === 0) {
		throw createParamError({
			title: 'No metadata to set',
			suggestion: 'Add at least one field with a value.',
		});
	}
	const fields = parseMetadataFields(await client.get(apiPath`/datasets/${datasetId}/metadata`));
	const fieldsByName = new Map(fields.map((field) => [field.name, field]));
	const missing = entries.map(([name]) => name).filter((name) => !fieldsByName.has(name));
	if (missing.length > 0 && !createFields) {
		throw createParamError({
			title: `The knowledge base has no metadata field ${missing.map((name) => `"${name}"`).join(', ')}`,
			suggestion:
				'Turn on "Create Missing Fields", or create the field first. Field names are case-sensitive.',
		});
	}
	// Validates all values before creating fields.
	const fieldValues = entries.map(([name, { value, type: newType }]) => {
		const type = fieldsByName.get(name)?.type ?? newType ?? getValueType(name, value);
		return { name, type, value: toStoredValue(value, type, `"${name}"`) };
	});
	const changes: FieldValue[] = [];
	for (const { name, type, value } of fieldValues) {
		if (value === null && !fieldsByName.has(name)) continue;
		const { id } =
			fieldsByName.get(name) ?? (await createMetadataField(client, datasetId, { name, type }));
		changes.push({ id, name, value });
	}
	return changes;
}

/**
 * The type of a new field by its value.
 *
 * @throws {ServerError} for text with a number or date: a type is permanent
 */
function getValueType(name: string, value: unknown) {
	if (typeof value === 'number') return 'number';
	if (isDateObject(value)) return 'time';
	const isAmbiguous =
		typeof value === 'string' &&
		(parseNumber(value) !== undefined || /^\s*\d{4}-\d\d-\d\d/.test(value));
	if (!isAmbiguous) return 'string';
	throw createParamError({
		title: `The new metadata field "${name}" requires a type, because its value is ${toText(value).slice(0, 100)}`,
		suggestion:
			'Set its Type to Number, Text or Time in the node. Dify cannot change the type of a field later.',
	});
}

/**
 * Converts a value to the type of its field. Dify stores any value, but text in a field of another type breaks every
 * search with that field.
 */
function toStoredValue(value: unknown, type: MetadataType, label: string) {
	if (isUnset(value)) return null;
	if (type === 'time') return toUnixSeconds(value, label);
	if (type === 'number') return toFilterNumber(value, label);
	return typeof value === 'object' ? stringifyCanonical(value) : String(value);
}

async function getCustomValues(
	client: DifyClient,
	{ datasetId, documentId }: DocumentRef,
): Promise<FieldValue[]> {
	const route = apiPath`/datasets/${datasetId}/documents/${documentId}`;
	const document = await client.get(route, { metadata: 'only' });
	return asRecords(document.doc_metadata).flatMap(({ id, name, value }) => {
		const isCustom = typeof id === 'string' && id !== BUILT_IN_ID && typeof name === 'string';
		return isCustom && value !== null && value !== undefined ? [{ id, name, value }] : [];
	});
}
