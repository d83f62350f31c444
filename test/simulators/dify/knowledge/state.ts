import { DifyHttpError, getPage, notFound } from '../http';
import type { Call, Store } from '../store';
import type { Json } from '../types';

/** A knowledge base of a simulator, which tests may read and change. */
export interface SimDataset {
	id: string;
	name: string;
	description: string;
	provider: string;
	permission: string;
	technique: string | null;
	/** Retrieval settings; undefined for Dify's default. */
	retrieval?: Json;
	form: string | null;
	createdAt: number;
	/** If API access is off, every route of it answers 403. */
	apiEnabled: boolean;
	/** Belongs to the owner of the key; others are listed only with `include_all`. */
	isOwn: boolean;
	fields: SimField[];
	documents: Map<string, SimDocument>;
	/** Only for a base that was created with one. */
	pipeline?: { datasources: Json[] };
}

export interface SimField {
	id: string;
	name: string;
	type: string;
}

export interface SimDocument {
	id: string;
	name: string;
	batch: string;
	text: string;
	mimeType: string;
	fileId: string;
	position: number;
	/** `waiting` until a worker indexes it, then `completed`. */
	status: string;
	enabled: boolean;
	archived: boolean;
	form: string;
	createdAt: number;
	values: Map<string, { id: string; value: unknown }>;
	segments: SimSegment[];
	/** How many further status actions are refused, as Dify does for about two seconds. */
	busy: number;
}

export interface SimSegment {
	id: string;
	position: number;
	content: string;
	answer: string | null;
	keywords: string[];
	enabled: boolean;
}

/** Adds a knowledge base for a test. */
export function addDataset(store: Store, over: Partial<SimDataset> = {}): SimDataset {
	const dataset: SimDataset = {
		id: store.newId('dataset'),
		name: `Base ${store.knowledge.datasets.size + 1}`,
		description: '',
		provider: 'vendor',
		permission: 'only_me',
		technique: null,
		form: null,
		createdAt: store.now(),
		apiEnabled: true,
		isOwn: true,
		fields: [],
		documents: new Map(),
		...over,
	};
	store.knowledge.datasets.set(dataset.id, dataset);
	return dataset;
}

/** Batch ID: a time, and digits that make it unique. */
export function newBatch(store: Store): string {
	const digits = store.newId('batch').slice(-12);
	return `20261120${Number.parseInt(digits, 16).toString().padStart(12, '0')}`;
}

/** Adds a document for a test: indexed, unless `over` overrides it. */
export function addDocument(
	store: Store,
	dataset: SimDataset,
	over: Partial<SimDocument> = {},
): SimDocument {
	const document: SimDocument = {
		id: store.newId('document'),
		name: `document ${dataset.documents.size + 1}.txt`,
		batch: newBatch(store),
		text: 'A document of the simulator.',
		mimeType: 'text/plain',
		fileId: store.newId('file'),
		position: dataset.documents.size + 1,
		status: 'completed',
		enabled: true,
		archived: false,
		form: dataset.form ?? 'text_model',
		createdAt: store.now(),
		values: new Map(),
		segments: [],
		busy: 0,
		...over,
	};
	dataset.documents.set(document.id, document);
	dataset.technique ??= 'economy';
	dataset.form ??= document.form;
	if (document.status === 'completed') indexDocument(store, document);
	return document;
}

/** Indexes a document like the worker: a chunk for every paragraph. */
export function indexDocument(store: Store, document: SimDocument): void {
	document.status = 'completed';
	if (document.segments.length > 0) return;
	const parts = document.text.split('\n\n').filter((part) => part.trim() !== '');
	for (const part of parts) addSegment(store, document, part.trim());
}

export function addSegment(store: Store, document: SimDocument, content: string): SimSegment {
	const segment: SimSegment = {
		id: store.newId('segment'),
		position: document.segments.length + 1,
		content,
		answer: null,
		keywords: [],
		enabled: true,
	};
	document.segments.push(segment);
	return segment;
}

/** The base in the path. Its API access is checked first. */
export function findDataset(call: Call): SimDataset {
	const found = call.store.knowledge.datasets.get((call.ids[0] ?? '').toLowerCase());
	if (found === undefined) throw notFound('Dataset not found.');
	if (!found.apiEnabled)
		throw new DifyHttpError(403, 'forbidden', 'Dataset api access is not enabled.');
	return found;
}

/** @param text Dify's error text for a missing document on this route */
export function findDocument(
	call: Call,
	dataset: SimDataset,
	text = 'Document not found.',
): SimDocument {
	const found = dataset.documents.get((call.ids[1] ?? '').toLowerCase());
	if (found === undefined) throw notFound(text);
	return found;
}

/** Answers with one page of a list with page numbers; `has_more` means that the page is full. */
export function sendPage(call: Call, all: readonly object[], more: Json = {}): void {
	const page = getPage(call.query, all);
	call.reply(200, { ...page, ...more, has_more: page.data.length === page.limit });
}
