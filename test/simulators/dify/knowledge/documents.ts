import { DifyHttpError, invalid, isJson, notFound } from '../http';
import { onlyPart, signedUrl } from '../files';
import type { Call } from '../store';
import type { Json } from '../types';
import {
	addDocument,
	addSegment,
	findDataset,
	findDocument,
	indexDocument,
	newBatch,
	sendPage,
} from './state';
import type { SimDataset, SimDocument, SimSegment } from './state';

const BUILT_IN = [
	['document_name', 'string'],
	['uploader', 'string'],
	['upload_date', 'time'],
	['last_update_date', 'time'],
	['source', 'string'],
] as const;

/** Fields with values, by ID: fields that the base does not have are not shown. */
function toMetadata({ fields }: SimDataset, { name, values }: SimDocument): Json[] {
	const own = fields.flatMap((field) => {
		const found = [...values.values()].find(({ id }) => id === field.id);
		return found === undefined ? [] : [{ ...field, value: found.value }];
	});
	if (values.size === 0) return [];
	const builtIn = BUILT_IN.map(([field, type]) => ({
		id: 'built-in',
		name: field,
		type,
		value: field === 'document_name' ? name : 'built in',
	}));
	return [...own, ...builtIn];
}

function toDisplayStatus({ status, archived, enabled }: SimDocument): string {
	if (status === 'waiting') return 'queuing';
	if (status !== 'completed') return 'indexing';
	if (archived) return 'archived';
	return enabled ? 'available' : 'disabled';
}

function toDocumentItem(dataset: SimDataset, document: SimDocument): Json {
	const { id, name, status, enabled, archived, form, text } = document;
	return {
		id,
		position: document.position,
		data_source_type: 'upload_file',
		name,
		created_from: 'api',
		created_at: document.createdAt,
		tokens: Math.ceil(text.length / 4),
		indexing_status: status,
		error: null,
		enabled,
		archived,
		display_status: toDisplayStatus(document),
		word_count: text.length,
		doc_form: form,
		doc_metadata: toMetadata(dataset, document),
	};
}

function toProgress({ id, status, segments }: SimDocument): Json {
	const count = status === 'completed' ? segments.length : 0;
	return {
		id,
		indexing_status: status,
		error: null,
		completed_segments: count,
		total_segments: count,
	};
}

export const toSegmentItem = (document: SimDocument, segment: SimSegment): Json => ({
	...segment,
	document_id: document.id,
	word_count: segment.content.length,
	status: 'completed',
	child_chunks: [],
});

/** The worker indexes waiting documents, unless it is down. */
function passWorker({ store }: Call, document: SimDocument): void {
	if (store.worker === 'up' && document.status === 'waiting') indexDocument(store, document);
}

/** Saves a document. An enabled one of the same name is overwritten: same ID, new batch (docs/protocols/dify.md 2.13). */
function save(
	call: Call,
	{ name, text, mimeType }: Pick<SimDocument, 'name' | 'text' | 'mimeType'>,
	options: Json,
): void {
	const { store } = call;
	const dataset = findDataset(call);
	dataset.technique ??= String(options.indexing_technique);
	dataset.form ??= String(options.doc_form ?? 'text_model');
	const fresh = {
		name,
		text,
		mimeType,
		batch: newBatch(store),
		fileId: store.newId('file'),
		status: 'waiting',
		segments: [],
	};
	const same = [...dataset.documents.values()].find(
		(document) => document.enabled && document.name === name,
	);
	const document = same ?? addDocument(store, dataset, fresh);
	Object.assign(document, fresh);
	call.reply(200, { document: toDocumentItem(dataset, document), batch: document.batch });
	passWorker(call, document);
}

export function createByText(call: Call): void {
	const { name, text } = call.payload;
	save(call, { name: String(name), text: String(text), mimeType: 'text/plain' }, call.payload);
}

export function createByFile(call: Call): void {
	const { filename = '', content, mimeType = '' } = onlyPart(call);
	// Dify refuses files that it cannot read, without a reason.
	if (filename.endsWith('.zip')) throw invalid('');
	const text = Buffer.from(content).toString('utf8');
	const options = JSON.parse(call.request.upload?.fields.data ?? '{}') as Json;
	save(call, { name: filename, text, mimeType }, options);
}

/** Needs the batch; a document ID finds nothing. */
export function indexingStatus(call: Call): void {
	const { documents } = findDataset(call);
	const ofBatch = [...documents.values()].filter(({ batch }) => batch === call.ids[1]);
	if (ofBatch.length === 0) throw notFound('Documents not found.');
	for (const document of ofBatch) passWorker(call, document);
	call.reply(200, { data: ofBatch.map(toProgress) });
}

export function listDocuments(call: Call): void {
	const dataset = findDataset(call);
	const keyword = call.query.get('keyword') ?? '';
	const status = call.query.get('status');
	const found = [...dataset.documents.values()]
		.filter(({ name }) => name.includes(keyword))
		.filter((document) => status === null || toDisplayStatus(document) === status)
		.reverse();
	sendPage(
		call,
		found.map((document) => toDocumentItem(dataset, document)),
	);
}

export function getDocument(call: Call): void {
	const dataset = findDataset(call);
	const document = findDocument(call, dataset);
	passWorker(call, document);
	const { segments } = document;
	const item = toDocumentItem(dataset, document);
	call.reply(200, { ...item, doc_language: 'English', segment_count: segments.length });
}

export function deleteDocument(call: Call): void {
	const dataset = findDataset(call);
	const { id, archived } = findDocument(call, dataset, 'Document Not Exists.');
	if (archived)
		throw new DifyHttpError(
			403,
			'archived_document_immutable',
			'The archived document is not editable.',
		);
	dataset.documents.delete(id);
	call.reply(204, undefined);
}

/** Changes all documents of the list, or none. */
export function setStatus(call: Call): void {
	const { documents } = findDataset(call);
	const [, action] = call.ids;
	const ids = call.payload.document_ids as string[];
	const found = ids.flatMap((id) => documents.get(id) ?? []);
	const busy = found.find((document) => document.busy > 0);
	if (busy !== undefined) {
		busy.busy--;
		const text = `Document:${busy.name} is being indexed, please try again later`;
		throw new DifyHttpError(400, 'invalid_action', text);
	}
	for (const document of found) {
		if (action === 'enable' || action === 'disable') document.enabled = action === 'enable';
		else document.archived = action === 'archive';
	}
	call.reply(200, { result: 'success' });
}

export function downloadDocument(call: Call): void {
	const { fileId } = findDocument(call, findDataset(call));
	call.reply(200, { url: `${signedUrl(call.store, fileId)}&as_attachment=true` });
}

export function createSegments(call: Call): void {
	const document = findDocument(call, findDataset(call));
	const made = (call.payload.segments as Json[]).map(({ content, answer, keywords }) => {
		const segment = addSegment(call.store, document, String(content));
		if (document.form === 'qa_model') segment.answer = answer as string;
		if (Array.isArray(keywords)) segment.keywords = keywords as string[];
		return toSegmentItem(document, segment);
	});
	call.reply(200, { data: made, doc_form: document.form });
}

export function listSegments(call: Call): void {
	const document = findDocument(call, findDataset(call));
	const keyword = (call.query.get('keyword') ?? '').toLowerCase();
	const found = document.segments.filter(({ content }) => content.toLowerCase().includes(keyword));
	sendPage(
		call,
		found.map((segment) => toSegmentItem(document, segment)),
		{ doc_form: document.form },
	);
}

/** Reads, changes or deletes a chunk. */
export function oneSegment(call: Call): void {
	const document = findDocument(call, findDataset(call));
	const segment = document.segments.find(({ id }) => id === (call.ids[2] ?? '').toLowerCase());
	if (segment === undefined) throw notFound('Segment not found.');
	if (call.request.method === 'DELETE') {
		document.segments = document.segments.filter((each) => each !== segment);
		call.reply(204, undefined);
		return;
	}
	const { segment: change } = call.payload;
	if (isJson(change)) changeSegment(segment, document, change);
	call.reply(200, { data: toSegmentItem(document, segment), doc_form: document.form });
}

function changeSegment(segment: SimSegment, document: SimDocument, change: Json): void {
	segment.enabled = change.enabled !== false;
	if (typeof change.content === 'string') segment.content = change.content;
	// An omitted answer is erased.
	if (document.form === 'qa_model')
		segment.answer = typeof change.answer === 'string' ? change.answer : null;
	if (Array.isArray(change.keywords) && change.keywords.length > 0)
		segment.keywords = change.keywords as string[];
}

export function listFields(call: Call): void {
	const { fields, documents } = findDataset(call);
	const doc_metadata = fields.map((field) => ({
		...field,
		count: [...documents.values()].filter(({ values }) => values.has(field.name)).length,
	}));
	call.reply(200, { doc_metadata, built_in_field_enabled: false });
}

export function createField(call: Call): void {
	const { fields } = findDataset(call);
	const { type, name } = call.payload;
	if (fields.some((field) => field.name === name)) throw invalid('Metadata name already exists.');
	const field = { id: call.store.newId('field'), type: String(type), name: String(name) };
	fields.push(field);
	call.reply(201, field);
}

/** Unless the update is partial, fields that are not listed are removed. */
export function setMetadata(call: Call): void {
	const { documents } = findDataset(call);
	for (const operation of call.payload.operation_data as Json[]) {
		const document = documents.get(String(operation.document_id));
		if (document === undefined) throw invalid('Document not found.');
		if (operation.partial_update !== true) document.values.clear();
		for (const { id, name, value } of operation.metadata_list as Json[])
			document.values.set(String(name), { id: String(id), value });
	}
	call.reply(200, { result: 'success' });
}
