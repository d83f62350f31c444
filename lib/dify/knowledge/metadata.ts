import { stringifyCanonical } from '../../json';
import {
	asFiniteNumber,
	asNonEmptyString,
	omitUndefined,
	asRecords,
	type JsonRecord,
} from '../../values';
import type { DifyClient } from '../client';
import { createDifyError, createParamError } from '../errors';
import { apiPath } from '../ids';
import { parseRecords } from '../pagination';
import { toFilterNumber, toUnixSeconds } from './filters';

export type MetadataType = 'string' | 'number' | 'time';

interface MetadataField {
	id: string;
	name: string;
	type: MetadataType;
	/** How many documents have a value. */
	count?: number;
}

/** The ID of all built-in fields. */
const BUILT_IN_ID = 'built-in';

/** The fields in the answer of the list of fields. */
export function parseMetadataFields({ doc_metadata: list }: JsonRecord): MetadataField[] {
	return parseRecords(list).flatMap(({ id, name, type, count }): MetadataField[] => {
		const known = asNonEmptyString(id);
		if (known === undefined || typeof name !== 'string') return [];
		return [
			{ id: known, name, type: asType(type), ...omitUndefined({ count: asFiniteNumber(count) }) },
		];
	});
}

function asType(type: unknown): MetadataType {
	return type === 'number' || type === 'time' ? type : 'string';
}

/** @throws {ServerError} of kind `nameTaken` where there is one of that name */
export async function createMetadataField(
	client: DifyClient,
	datasetId: string,
	name: string,
	type: MetadataType,
): Promise<MetadataField> {
	const { id } = await client.sendJson('POST', apiPath`/datasets/${datasetId}/metadata`, {
		type,
		name,
	});
	const known = asNonEmptyString(id);
	if (known !== undefined) return { id: known, name, type };
	throw createDifyError('datasetRejected', {
		message: `Dify did not create the metadata field "${name}"`,
		suggestion:
			'Check the metadata of the knowledge base in Dify. Another change may be in progress: try again.',
	});
}

/**
 * Sets metadata of one document. Values of other fields stay; null removes a value. Dify removes what is not listed,
 * unless the update is partial, and a partial one cannot remove: the list is always complete.
 *
 * @param createFields creates missing fields, with the type of their value; otherwise they are an error
 * @returns all values of the document afterwards, without the built-in ones
 * @throws {ServerError}
 */
export async function setMetadata(
	client: DifyClient,
	datasetId: string,
	documentId: string,
	values: JsonRecord,
	createFields: boolean,
): Promise<JsonRecord> {
	const changes = await buildFieldValues(client, datasetId, values, createFields);
	const before = await getCustomValues(client, datasetId, documentId);
	const kept = before.filter(({ name }) => !changes.some((change) => change.name === name));
	const set = changes.filter(({ value }) => value !== null);
	const list = [...kept, ...set];
	const isPartial = set.length === changes.length;
	const operation = { document_id: documentId, metadata_list: list, partial_update: isPartial };
	const json = { operation_data: [operation] };
	await client.requestJson('POST', apiPath`/datasets/${datasetId}/documents/metadata`, { json });
	return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

interface FieldValue {
	id: string;
	name: string;
	value: unknown;
}

async function buildFieldValues(
	client: DifyClient,
	datasetId: string,
	values: JsonRecord,
	createFields: boolean,
): Promise<FieldValue[]> {
	const entries = Object.entries(values);
	if (entries.length === 0)
		throw createParamError('No metadata to set', 'Add at least one field with a value.');
	const fields = parseMetadataFields(await client.get(apiPath`/datasets/${datasetId}/metadata`));
	const known = new Map(fields.map((field) => [field.name, field]));
	const missing = entries.map(([name]) => name).filter((name) => !known.has(name));
	if (missing.length > 0 && !createFields)
		throw createParamError(
			`The knowledge base has no metadata field ${missing.map((name) => `"${name}"`).join(', ')}`,
			'Turn on "Create Missing Fields", or create the field first. Field names are case-sensitive.',
		);
	// All values are checked before anything is created.
	const typed = entries.map(([name, value]) => {
		const ofValue = typeof value === 'number' ? 'number' : 'string';
		const type = known.get(name)?.type ?? ofValue;
		return { name, type, value: storedValue(value, type, `"${name}"`) };
	});
	const changes: FieldValue[] = [];
	for (const { name, type, value } of typed) {
		if (value === null && !known.has(name)) continue;
		const { id } = known.get(name) ?? (await createMetadataField(client, datasetId, name, type));
		changes.push({ id, name, value });
	}
	return changes;
}

/**
 * Converts a value to the type of its field. Dify stores anything, but text in a field of another type makes every
 * search with that field fail.
 */
function storedValue(value: unknown, type: MetadataType, what: string): string | number | null {
	if (value === null || value === undefined || value === '') return null;
	if (type === 'time') return toUnixSeconds(value, what);
	if (type === 'number') return toFilterNumber(value, what);
	return typeof value === 'object' ? stringifyCanonical(value) : String(value);
}

async function getCustomValues(
	client: DifyClient,
	datasetId: string,
	documentId: string,
): Promise<FieldValue[]> {
	const route = apiPath`/datasets/${datasetId}/documents/${documentId}`;
	const document = await client.get(route, { metadata: 'only' });
	return asRecords(document.doc_metadata).flatMap(({ id, name, value }) => {
		const isOwn = typeof id === 'string' && id !== BUILT_IN_ID && typeof name === 'string';
		return isOwn && value !== null && value !== undefined ? [{ id, name, value }] : [];
	});
}
