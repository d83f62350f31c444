import { canonicalJson, nonEmptyText, recordsIn, type JsonRecord } from '../../values';
import { difyFailure, invalidParam, localError } from '../errors/failure';
import type { KnowledgeApi } from './api';
import { asType, BUILT_IN_FIELDS, numberOf, unixSeconds, type MetadataType } from './filters';
import { getDocument } from './documents';

/** The ID of all built-in fields. */
const BUILT_IN_ID = 'built-in';

export interface MetadataField {
	id: string;
	name: string;
	type: MetadataType;
	/** How many documents have a value. */
	count?: number;
}

function metadataPath(baseId: string, fieldId?: string): string {
	return `/datasets/${baseId}/metadata${fieldId === undefined ? '' : `/${fieldId}`}`;
}

/** The fields of a base, and whether its built-in ones are on. */
export async function metadataFields(
	api: KnowledgeApi,
	baseId: string,
): Promise<{ fields: MetadataField[]; builtInEnabled: boolean }> {
	const answer = await api.get(metadataPath(baseId));
	const fields = recordsIn(answer.doc_metadata).flatMap(({ id, name, type, count }) => {
		const known = nonEmptyText(id);
		if (known === undefined || typeof name !== 'string') return [];
		return [
			{ id: known, name, type: asType(type), ...(typeof count === 'number' ? { count } : {}) },
		];
	});
	return { fields, builtInEnabled: answer.built_in_field_enabled === true };
}

/** @throws {ServerError} of kind `nameTaken` where there is one of that name */
export async function createField(
	api: KnowledgeApi,
	baseId: string,
	name: string,
	type: MetadataType,
): Promise<MetadataField> {
	const path = metadataPath(baseId);
	checkFieldName(name);
	const answer = await api.write(baseId, 'POST', path, { type, name });
	api.forget(baseId);
	const id = nonEmptyText(answer.id);
	if (id !== undefined) return { id, name, type };
	throw notDone(api, path, `Dify did not create the metadata field "${name}"`);
}

/** Renames a field. @throws {ServerError} also where Dify 1.12 reports success, but there is no such field */
export async function renameField(
	api: KnowledgeApi,
	baseId: string,
	fieldId: string,
	name: string,
): Promise<JsonRecord> {
	const path = metadataPath(baseId, fieldId);
	checkFieldName(name);
	const answer = await api.write(baseId, 'PATCH', path, { name });
	api.forget(baseId);
	if (nonEmptyText(answer.id) !== undefined) return answer;
	throw notDone(
		api,
		path,
		'Dify did not rename the metadata field: there is none with this ID, or it is in use',
	);
}

/**
 * Deletes a field, and its values in all documents. Dify 1.12 reports success for any ID, so the list is read first.
 *
 * @returns false where there was none
 */
export async function deleteField(
	api: KnowledgeApi,
	baseId: string,
	fieldId: string,
): Promise<boolean> {
	const { fields } = await metadataFields(api, baseId);
	api.forget(baseId);
	if (!fields.some(({ id }) => id === fieldId)) return false;
	return await api.deleteIfPresent(baseId, metadataPath(baseId, fieldId));
}

/** Switches the built-in fields of a base on or off. */
export async function setBuiltIn(
	api: KnowledgeApi,
	baseId: string,
	enabled: boolean,
): Promise<void> {
	const path = metadataPath(baseId, `built-in/${enabled ? 'enable' : 'disable'}`);
	await api.change(baseId, 'POST', path, {});
	api.forget(baseId);
}

/** Checks a name: Dify accepts an empty one. */
function checkFieldName(name: string): void {
	if (name.trim() === '')
		throw invalidParam('The name of the metadata field is empty', 'Give a name.');
	if (Object.hasOwn(BUILT_IN_FIELDS, name))
		throw localError(
			'nameTaken',
			`"${name}" is a built-in metadata field of Dify`,
			`Choose another name than ${Object.keys(BUILT_IN_FIELDS).join(', ')}.`,
		);
}

function notDone(api: KnowledgeApi, path: string, message: string) {
	return difyFailure('dataset', {
		url: api.client.url(path),
		message,
		remedy:
			'Look at the metadata of the knowledge base in Dify. Another change of it may be running: try again.',
	});
}

export interface SetOptions {
	/** Creates missing fields, with the type of their value. Default: they are an error. */
	createFields?: boolean;
	/** Types of created fields, where the value does not tell. */
	types?: Readonly<Record<string, MetadataType>>;
}

/**
 * Sets metadata of one document. Values of other fields stay; null removes a value. Dify 1.12 always reports success
 * and removes fields that are not listed, so the whole list is written and read back.
 *
 * @returns all values of the document afterwards, without the built-in ones
 * @throws {ServerError}
 */
export async function setMetadata(
	api: KnowledgeApi,
	baseId: string,
	documentId: string,
	values: JsonRecord,
	options: SetOptions = {},
): Promise<JsonRecord> {
	const wanted = await checkedValues(api, baseId, values, options);
	const before = await ownValues(api, baseId, documentId);
	const kept = before.filter(({ name }) => !wanted.some((field) => field.name === name));
	const isRemoving = wanted.some(({ value }) => value === null);
	const list = [...kept, ...wanted.filter(({ value }) => value !== null)];
	const path = `/datasets/${baseId}/documents/metadata`;
	// The list is complete, for versions without partial updates.
	const operation = { document_id: documentId, metadata_list: list, partial_update: !isRemoving };
	await api.change(baseId, 'POST', path, { operation_data: [operation] });
	const after = new Map(
		(await ownValues(api, baseId, documentId)).map(({ name, value }) => [name, value] as const),
	);
	const lost = wanted.filter(
		({ name, value }) => canonicalJson(after.get(name) ?? null) !== canonicalJson(value),
	);
	if (lost.length === 0)
		return Object.fromEntries([...after].filter(([, value]) => value !== null));
	throw notDone(
		api,
		path,
		`Dify says that it has set the metadata, but has not: ${lost.map(({ name }) => name).join(', ')}`,
	);
}

interface FieldValue {
	id: string;
	name: string;
	value: unknown;
}

async function checkedValues(
	api: KnowledgeApi,
	baseId: string,
	values: JsonRecord,
	{ createFields = false, types = {} }: SetOptions,
): Promise<FieldValue[]> {
	const entries = Object.entries(values);
	if (entries.length === 0)
		throw invalidParam('There is no metadata to set', 'Add at least one field with its value.');
	const { fields } = await metadataFields(api, baseId);
	const known = new Map(fields.map((field) => [field.name, field]));
	const missing = entries.map(([name]) => name).filter((name) => !known.has(name));
	if (missing.length > 0 && !createFields)
		throw invalidParam(
			`The knowledge base has no metadata field ${missing.map((name) => `"${name}"`).join(', ')}`,
			'Turn on "Create Missing Fields", or create the field first. Upper and lower case differ.',
		);
	// All values are checked before anything is created.
	const typed = entries.map(([name, value]) => {
		const type =
			known.get(name)?.type ?? types[name] ?? (typeof value === 'number' ? 'number' : 'string');
		return { name, type, value: storedValue(value, type, `"${name}"`) };
	});
	const written: FieldValue[] = [];
	for (const { name, type, value } of typed) {
		if (value === null && !known.has(name)) continue;
		const { id } = known.get(name) ?? (await createField(api, baseId, name, type));
		written.push({ id, name, value });
	}
	return written;
}

/**
 * Converts a value to the type of its field. Dify stores anything, but text in a field of another type makes every
 * search with that field fail.
 */
function storedValue(value: unknown, type: MetadataType, what: string): string | number | null {
	if (value === null || value === undefined || value === '') return null;
	if (type === 'time') return unixSeconds(value, what);
	if (type === 'number') return numberOf(value, what);
	return typeof value === 'object' ? canonicalJson(value) : String(value);
}

async function ownValues(
	api: KnowledgeApi,
	baseId: string,
	documentId: string,
): Promise<FieldValue[]> {
	const { doc_metadata: list } = await getDocument(api, baseId, documentId, 'only');
	return recordsIn(list).flatMap(({ id, name, value }) =>
		typeof id === 'string' &&
		id !== BUILT_IN_ID &&
		typeof name === 'string' &&
		value !== null &&
		value !== undefined
			? [{ id, name, value }]
			: [],
	);
}
