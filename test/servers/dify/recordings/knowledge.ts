import type { DifySim } from '../../dify';
import { isJson } from '../http';
import { addDataset } from '../knowledge/bases';
import { addDocument } from '../knowledge/documents';
import type { SimDataset, SimDocument, SimSegment } from '../knowledge/state';
import type { Json } from '../types';
import type { Scene } from './scene';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** Recreates the recorded server's knowledge bases, as far as the request and its answer show them. */
export function knowledgeRecords(scene: Scene, sim: DifySim): void {
	const { path, recorded, json } = scene;
	const message = isJson(json) && typeof json.message === 'string' ? json.message : '';
	if (path.startsWith('/v1/datasets/tags')) return tags(scene, sim, message);
	if (path === '/v1/datasets') return bases(scene, sim, message);
	const [baseId, documentId, segmentId, childId] = path.match(UUID) ?? [];
	if (baseId === undefined || message.startsWith('Dataset not found')) return;
	const base = addDataset(sim.store, baseOf(scene, baseId));
	if (path.endsWith('/tags')) return ofTags(sim, base, json);
	if (path.includes('/metadata')) return fields(scene, sim, base, message);
	if (/Dataset name already/.test(message))
		addDataset(sim.store, { name: String(recorded.body?.name) });
	documents(scene, sim, base, message);
	if (documentId === undefined || /^Document not found|^Document Not/.test(message)) return;
	const document =
		base.documents.get(documentId) ?? addDocument(sim.store, base, { id: documentId });
	state(scene, document, message);
	if (segmentId !== undefined || path.includes('/segments'))
		segments(scene, document, message, segmentId, childId);
}

function baseOf({ recorded, json, answer }: Scene, id: string): Partial<SimDataset> {
	const isEconomy = /eco|mfe/.test(recorded.name);
	const isParent = /^ds-(?:pc|cc)|parent/.test(recorded.name) && !/textmodel/.test(recorded.name);
	const known: Partial<SimDataset> = {
		id,
		technique: isEconomy ? 'economy' : 'high_quality',
		form: isParent
			? 'hierarchical_model'
			: /^ds-qa|ret-qa/.test(recorded.name)
				? 'qa_model'
				: 'text_model',
		rule: /first/.test(recorded.name) ? undefined : { mode: 'automatic' },
		apiEnabled: !/apioff/.test(recorded.name) || answer.status === 200,
	};
	if (/first|on-plain/.test(recorded.name)) return { ...known, technique: null, form: null };
	const form = recorded.body?.doc_form;
	if (typeof form === 'string' && answer.status === 200) known.form = form;
	if (!isJson(json) || !('retrieval_model_dict' in json)) return known;
	return { ...known, ...asBase(json) };
}

/** Whether the retrieval settings are 1.16's defaults. */
function isDefault(json: Json): boolean {
	const { external_retrieval_model: shown, maintainer } = json;
	return maintainer !== undefined && isJson(shown) && shown.score_threshold_enabled === null;
}

/** A base, from its JSON. */
function asBase(json: Json): Partial<SimDataset> {
	const model = json.embedding_model;
	return {
		id: String(json.id),
		name: String(json.name),
		description: String(json.description),
		permission: String(json.permission),
		provider: String(json.provider),
		technique: json.indexing_technique as string | null,
		form: json.doc_form as string | null,
		embedding:
			typeof model === 'string' ? { model, provider: String(json.embedding_model_provider) } : null,
		retrieval: isDefault(json) ? undefined : (json.retrieval_model_dict as Json),
		fields: json.doc_metadata as SimDataset['fields'],
		builtIn: json.built_in_field_enabled === true,
		apiEnabled: json.enable_api === true,
		inUse: Number(json.app_count) > 0,
		members: (json.partial_member_list ?? []) as string[],
	};
}

function bases({ recorded, json, query }: Scene, sim: DifySim, message: string): void {
	if (/already exists/.test(message)) addDataset(sim.store, { name: String(recorded.body?.name) });
	if (!isJson(json) || !Array.isArray(json.data)) return;
	const data = json.data as Json[];
	const before =
		(Math.max(1, Number(query.get('page') ?? 1)) - 1) * Number(query.get('limit') ?? 20);
	const keyword = query.get('keyword') ?? '';
	const fill = (count: number) => {
		for (let at = 0; at < count; at++) addDataset(sim.store, { name: `filler ${keyword} ${at}` });
	};
	fill(Number(json.total) - data.length - Math.min(before, Number(json.total) - data.length));
	for (const each of [...data].reverse()) {
		const base = addDataset(sim.store, asBase(each));
		for (const tag of each.tags as Json[]) bind(sim, base, tag);
		for (const tag of query.getAll('tag_ids')) base.tags.add(tag);
		if (Number(each.document_count) > 0) addDocument(sim.store, base);
		base.form = each.doc_form as string | null;
	}
	fill(Math.min(before, Number(json.total) - data.length));
}

function bind(sim: DifySim, base: SimDataset, tag: Json): void {
	const id = String(tag.id);
	sim.store.knowledge.tags.set(id, { id, name: String(tag.name) });
	base.tags.add(id);
}

function tags({ recorded, json, answer }: Scene, sim: DifySim, message: string): void {
	const { tag_id: id, target_id: target, name } = recorded.body ?? {};
	const add = (each: string, named = 'tag') =>
		sim.store.knowledge.tags.set(each, { id: each, name: named });
	if (typeof target === 'string' && !message.startsWith('Dataset not found'))
		addDataset(sim.store, { id: target });
	if (typeof id === 'string' && !message.startsWith('Tag not found')) add(id);
	if (message.startsWith('Tag name already')) add('other', String(name));
	if (Array.isArray(json)) for (const tag of json as Json[]) add(String(tag.id), String(tag.name));
	// 1.12's error contains the number of bases with the tag.
	const bound = /input_value=(\d)/.exec(message)?.[1];
	if (answer.status !== 400 || bound === undefined) return;
	if (recorded.method === 'GET') add('listed');
	for (let at = 0; at < Number(bound); at++) addDataset(sim.store).tags.add(String(id ?? 'listed'));
}

function ofTags(sim: DifySim, base: SimDataset, json: unknown): void {
	for (const tag of isJson(json) && Array.isArray(json.data) ? (json.data as Json[]) : [])
		bind(sim, base, tag);
}

function fields(scene: Scene, sim: DifySim, base: SimDataset, message: string): void {
	const { recorded, json, path } = scene;
	if (isJson(json) && Array.isArray(json.doc_metadata)) {
		base.fields = (json.doc_metadata as Json[]).map(({ id, name, type }) => ({
			id: String(id),
			name: String(name),
			type: String(type),
		}));
		base.builtIn = json.built_in_field_enabled === true;
	}
	if (message === 'Metadata name already exists.')
		base.fields = [{ id: 'other', name: String(recorded.body?.name), type: 'string' }];
	const [, fieldId] = path.match(UUID) ?? [];
	if (fieldId !== undefined && isJson(json) && json.id !== null)
		base.fields.push({ id: fieldId, name: 'old', type: String(json.type) });
	const operations = recorded.body?.operation_data;
	for (const each of Array.isArray(operations) ? (operations as Json[]) : [])
		if (!/unknown/.test(recorded.name))
			addDocument(sim.store, base, { id: String(each.document_id) });
}

/** Adds the documents that the answer lists, shows or refuses. */
function documents(
	{ recorded, json, query, path }: Scene,
	sim: DifySim,
	base: SimDataset,
	message: string,
): void {
	const ids = recorded.body?.document_ids;
	const [, named] = /^Document: ?(.*?) is /.exec(message) ?? [];
	for (const id of Array.isArray(ids) && !/unknown|nobody/.test(recorded.name) ? ids : []) {
		const document = addDocument(sim.store, base, {
			id: String(id),
			...(named === undefined ? {} : { name: named }),
		});
		if (/is not completed/.test(message))
			Object.assign(document, { status: 'indexing', stuckAt: 'indexing' });
		if (/being indexed/.test(message)) document.busy = 1;
	}
	if (!isJson(json)) return;
	if (isJson(json.document)) placed(sim, base, json.document);
	if (path.endsWith('/indexing-status')) {
		const batch = path.split('/').at(-2) ?? '';
		for (const each of (json.data ?? []) as Json[]) progress(sim, base, batch, each);
	} else if (path.endsWith('/documents') && Array.isArray(json.data)) {
		listed(sim, base, json, query);
	} else if (path.endsWith('/retrieve') || path.endsWith('/hit-testing')) {
		hits(recorded, sim, base, json);
	} else if (
		!('retrieval_model_dict' in json) &&
		('indexing_status' in json || 'doc_metadata' in json)
	) {
		addDocument(sim.store, base, asDocument(base, json));
	}
}

/** Adds existing documents before the created one, or the one that it overwrites. */
function placed(sim: DifySim, base: SimDataset, document: Json): void {
	base.builtIn ||= Array.isArray(document.doc_metadata) && document.doc_metadata.length > 0;
	const isUpdate = document.created_from === 'web';
	for (let at = 1; at < Number(document.position) && !isUpdate; at++)
		addDocument(sim.store, base, { name: `before ${at}` });
	if (isUpdate)
		addDocument(sim.store, base, { id: String(document.id), position: Number(document.position) });
}

function progress(sim: DifySim, base: SimDataset, batch: string, each: Json): void {
	const status = String(each.indexing_status);
	const segmentsOf = (count: number) =>
		Array.from({ length: count }, (_, at) => segment(`s${at}`, 'x', at + 1));
	addDocument(sim.store, base, {
		id: String(each.id),
		batch,
		status,
		stuckAt: status,
		error: each.error as string | null,
		segments: segmentsOf(Number(each.total_segments)),
	});
}

function listed(sim: DifySim, base: SimDataset, json: Json, query: URLSearchParams): void {
	const data = json.data as Json[];
	const before =
		(Math.max(1, Number(query.get('page') ?? 1)) - 1) * Number(query.get('limit') ?? 20);
	const name = (query.get('keyword') ?? 'f').replaceAll('%', 'x').replaceAll('_', 'x');
	const fill = (count: number) => {
		for (let at = 0; at < count; at++) addDocument(sim.store, base, { name });
	};
	const rest = Number(json.total) - data.length;
	fill(rest - Math.min(before, rest));
	for (const each of [...data].reverse()) addDocument(sim.store, base, asDocument(base, each));
	fill(Math.min(before, rest));
}

function asDocument(base: SimDataset, json: Json): Partial<SimDocument> {
	const values = new Map<string, { id: string; value: unknown }>();
	for (const field of (json.doc_metadata ?? []) as Json[]) {
		if (field.id === 'built-in') continue;
		base.fields.push({ id: String(field.id), name: String(field.name), type: String(field.type) });
		values.set(String(field.name), { id: String(field.id), value: field.value });
	}
	// A value without its field lists only the built-in fields.
	const shown = Array.isArray(json.doc_metadata) ? json.doc_metadata.length : 0;
	if (shown > 0 && values.size === 0) values.set('ghost', { id: 'ghost', value: 1 });
	const count = Number(json.segment_count ?? 0);
	const rule = json.dataset_process_rule as Json | undefined;
	return {
		id: String(json.id),
		values,
		...(json.name === undefined ? {} : { name: String(json.name) }),
		...(json.indexing_status === undefined
			? {}
			: {
					status: String(json.indexing_status),
					stuckAt: String(json.indexing_status),
					error: json.error as string | null,
					enabled: json.enabled === true,
					archived: json.archived === true,
					form: String(json.doc_form),
					position: Number(json.position),
					createdFrom: String(json.created_from),
					tokens: json.tokens as number | null,
					words: json.word_count as number | null,
					segments: Array.from({ length: count }, (_, at) => segment(`s${at}`, 'x', at + 1)),
				}),
		...(rule === undefined || rule.mode === 'automatic'
			? {}
			: { rule: { mode: rule.mode, rules: rule.rules } }),
	};
}

/** Adds the found chunks, whose texts contain a word of the query. */
function hits(recorded: Scene['recorded'], sim: DifySim, base: SimDataset, json: Json): void {
	const down = /ret-down|rerank-down/.test(recorded.name);
	sim.store.knowledge.embeddingDown =
		down && typeof json.message === 'string' && json.message.includes('Plugin');
	if (!/emptybase/.test(recorded.name)) addDocument(sim.store, base, { text: 'zzzz' });
	for (const record of Array.isArray(json.records) ? (json.records as Json[]) : []) {
		const found = record.segment as Json;
		const of = found.document as Json;
		const values = Object.entries((of.doc_metadata ?? {}) as Json).map(
			([name, value]) => [name, { id: name, value }] as const,
		);
		for (const [name, { value }] of values)
			if (!base.fields.some((field) => field.name === name))
				base.fields.push({ id: name, name, type: typeof value === 'number' ? 'number' : 'string' });
		const id = String(of.id);
		const document =
			base.documents.get(id) ??
			addDocument(sim.store, base, {
				id,
				name: String(of.name),
				text: '',
				values: new Map(values),
			});
		const text = `${String(found.content)} ${String(recorded.body?.query)}`;
		const made = segment(String(found.id), text, Number(found.position));
		made.keywords = found.keywords as string[] | null;
		made.answer = found.answer as string | null;
		made.children = ((record.child_chunks ?? []) as Json[]).map((child) => ({
			id: String(child.id),
			content: `${String(child.content)} ${String(recorded.body?.query)}`,
			position: Number(child.position),
			type: 'automatic',
			createdAt: 1,
		}));
		document.segments.push(made);
	}
	if (/builtin/.test(recorded.name) && !/off/.test(recorded.name)) base.builtIn = true;
}

function segment(id: string, content: string, position: number): SimSegment {
	return {
		id,
		position,
		content,
		answer: null,
		keywords: null,
		enabled: true,
		status: 'completed',
		error: null,
		createdAt: 1,
		children: [],
	};
}

/** Sets the state of a document for the recorded error. */
function state({ recorded }: Scene, document: SimDocument, message: string): void {
	if (/is not completed|is not available/.test(message))
		Object.assign(document, { status: 'indexing', stuckAt: 'indexing' });
	if (/is disabled/.test(message)) document.enabled = false;
	if (/archived document/.test(message)) document.archived = true;
	if (recorded.method === 'DELETE') document.archived = /archived/.test(message);
}

function segments(
	scene: Scene,
	document: SimDocument,
	message: string,
	segmentId?: string,
	childId?: string,
): void {
	const { json, recorded, query, path } = scene;
	if (recorded.method !== 'POST') document.segments = [];
	const data = isJson(json) ? json.data : undefined;
	const isChildren = path.includes('child_chunks');
	for (const each of !isChildren && recorded.method !== 'POST'
		? ([data].flat().filter(isJson) as Json[])
		: [])
		document.segments.push(asSegment(each));
	const rest = isJson(json) && !isChildren ? Number(json.total ?? 0) - document.segments.length : 0;
	const keyword = query.get('keyword') ?? 'x';
	for (let at = 0; at < rest; at++) document.segments.push(segment(`rest${at}`, keyword, at));
	if (segmentId === undefined || message.startsWith('Segment not found')) return;
	const own = document.segments.find(({ id }) => id === segmentId) ?? segment(segmentId, 'x', 1);
	if (!document.segments.includes(own)) document.segments.push(own);
	if (isJson(data) && recorded.method === 'POST' && !isChildren)
		Object.assign(own, { ...asSegment(data), enabled: true });
	if (/disabled segment/.test(message)) own.enabled = false;
	if (!isChildren) return;
	const total = isJson(json) ? Number(json.total ?? 0) : 0;
	const children = recorded.method === 'GET' ? ([data].flat().filter(isJson) as Json[]) : [];
	own.children = Array.from({ length: total - children.length }, (_, at) =>
		child(`c${at}`, keyword, 1),
	);
	own.children.push(
		...children.map(({ id, content, position, type }) => ({
			...child(String(id), String(content), Number(position)),
			type: String(type),
		})),
	);
	if (childId !== undefined && !message.startsWith('Child chunk not'))
		own.children.push(child(childId, 'x', isJson(data) ? Number(data.position) : 1));
	if (recorded.method === 'POST' && isJson(data))
		own.children = Array.from({ length: Number(data.position) - 1 }, (_, at) =>
			child(`c${at}`, 'x', at),
		);
}

function asSegment(json: Json): SimSegment {
	return {
		...segment(String(json.id), String(json.content), Number(json.position)),
		answer: json.answer as string | null,
		keywords: json.keywords as string[] | null,
		enabled: json.enabled === true,
		status: String(json.status),
		error: json.error as string | null,
		children: ((json.child_chunks ?? []) as Json[]).map(({ id, content, position, type }) => ({
			...child(String(id), String(content), Number(position)),
			type: String(type),
		})),
	};
}

function child(id: string, content: string, position: number): SimSegment['children'][number] {
	return { id, content, position, type: 'automatic', createdAt: 1 };
}
