import { canonicalJson } from '../../json';
import { finiteNumber, optional, recordsIn, type JsonRecord } from '../../values';
import { difyFailure, invalidParam } from '../errors/failure';
import { listIn } from '../paging';
import { requestOf } from '../routes';
import type { KnowledgeApi } from './api';
import { asType, numberOf, unixSeconds, type MetadataType } from './filters';
import { getDocument } from './documents';
import { idOf } from './records';
import { metadataRoutes } from './routes';

/** The ID of all built-in fields. */
const BUILT_IN_ID = 'built-in';

interface MetadataField {
	id: string;
	name: string;
	type: MetadataType;
	/** How many documents have a value. */
	count?: number;
}

/** The fields of a base, and whether its built-in ones are on. */
interface BaseFields {
	fields: MetadataField[];
	builtInEnabled: boolean;
}

export async function metadataFields(api: KnowledgeApi, baseId: string): Promise<BaseFields> {
	return fieldsIn(await api.call(metadataRoutes.list, { dataset_id: baseId }));
}

/** Reads the answer of the list of fields. */
export function fieldsIn(answer: JsonRecord): BaseFields {
	const fields = listIn(answer.doc_metadata).flatMap((record): MetadataField[] => {
		const id = idOf(record);
		const { name, type } = record;
		if (id === undefined || typeof name !== 'string') return [];
		const count = finiteNumber(record.count);
		return [{ id, name, type: asType(type), ...optional({ count }) }];
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
	const values = { dataset_id: baseId, type, name };
	const id = idOf(await api.call(metadataRoutes.create, values));
	if (id !== undefined) return { id, name, type };
	throw difyFailure('dataset', {
		url: api.client.url(requestOf(metadataRoutes.create, values).path),
		message: `Dify did not create the metadata field "${name}"`,
		remedy:
			'Look at the metadata of the knowledge base in Dify. Another change of it may be running: try again.',
	});
}

interface SetOptions {
	/** Creates missing fields, with the type of their value. Default: they are an error. */
	createFields?: boolean;
	/** Types of created fields, where the value does not tell. */
	types?: Readonly<Record<string, MetadataType>>;
}

/**
 * Sets metadata of one document. Values of other fields stay; null removes a value. Dify removes what is not listed,
 * unless the update is partial, and a partial one cannot remove: the list is always complete.
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
	const changes = await checkedValues(api, baseId, values, options);
	const before = await ownValues(api, baseId, documentId);
	const kept = before.filter(({ name }) => !changes.some((field) => field.name === name));
	const isRemoving = changes.some(({ value }) => value === null);
	const list = [...kept, ...changes.filter(({ value }) => value !== null)];
	const operation = { document_id: documentId, metadata_list: list, partial_update: !isRemoving };
	const request = { dataset_id: baseId, operation_data: [operation] };
	await api.call(metadataRoutes.setOnDocuments, request);
	return Object.fromEntries(list.map(({ name, value }) => [name, value]));
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
		const type = known.get(name)?.type ?? types[name] ?? typeOfValue(value);
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

function typeOfValue(value: unknown): MetadataType {
	return typeof value === 'number' ? 'number' : 'string';
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
	const document = await getDocument(api, baseId, documentId, 'only');
	return recordsIn(document.doc_metadata).flatMap(({ id, name, value }) => {
		if (typeof id !== 'string' || id === BUILT_IN_ID || typeof name !== 'string') return [];
		return value === null || value === undefined ? [] : [{ id, name, value }];
	});
}
