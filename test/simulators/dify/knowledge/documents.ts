import { DifyHttpError, crashed, invalid, isJson, missing, notFound, pydantic } from '../http';
import { onlyPart } from '../files';
import type { Call, Store } from '../store';
import type { Json } from '../types';
import { datasetOf, documentOf, done, oneOf, paged, requireText } from './checks';
import { builtInOf, displayStatus, documentDetail, documentItem, progressItem } from './shapes';
import type { SimDataset, SimDocument, SimSegment } from './state';

const TYPES = [
	'txt',
	'markdown',
	'md',
	'mdx',
	'pdf',
	'html',
	'htm',
	'xlsx',
	'xls',
	'docx',
	'csv',
	'vtt',
	'properties',
];
const STATES = ['waiting', 'parsing', 'cleaning', 'splitting', 'indexing', 'completed'];
const AUTOMATIC = { mode: 'automatic' };

/** Batch ID: a time, and digits that make it unique. */
export function batchOf(store: Store): string {
	return `20261120${Number.parseInt(store.newId('batch').slice(-12), 16).toString().padStart(12, '0')}`;
}

/** Adds a document for a test: indexed, unless `over` overrides it. */
export function addDocument(
	store: Store,
	dataset: SimDataset,
	over: Partial<SimDocument> = {},
): SimDocument {
	const text = over.text ?? 'A document of the simulator.';
	const document: SimDocument = {
		id: store.newId('document'),
		name: `document ${dataset.documents.size + 1}.txt`,
		batch: batchOf(store),
		text,
		size: Buffer.byteLength(text),
		extension: 'txt',
		mimeType: 'text/plain',
		fileId: store.newId('file'),
		position: dataset.documents.size + 1,
		status: 'completed',
		error: null,
		enabled: true,
		archived: false,
		form: dataset.form ?? 'text_model',
		language: 'English',
		rule: AUTOMATIC,
		ruleId: store.newId('rule'),
		createdFrom: 'api',
		createdAt: store.now(),
		values: new Map(),
		segments: [],
		busy: 0,
		tokens: null,
		words: null,
		...over,
	};
	dataset.documents.set(document.id, document);
	dataset.technique ??= 'economy';
	dataset.form ??= document.form;
	dataset.rule ??= document.rule;
	if (document.status === 'completed') finish(store, dataset, document);
	return document;
}

/** Indexes a document like the worker: a chunk for every paragraph, a child chunk for every sentence. */
function finish(store: Store, dataset: SimDataset, document: SimDocument): void {
	document.status = document.fails === undefined ? 'completed' : 'error';
	document.error = document.fails ?? null;
	if (document.fails !== undefined || document.segments.length > 0) return;
	const separator = separatorOf(document);
	const parts = document.text.split(separator).flatMap((part) => part.trim() || []);
	document.segments = parts.map((content, at) =>
		segmentOf(store, dataset, document, content, at + 1),
	);
	document.words = document.text.trim().length;
	document.tokens = dataset.technique === 'economy' ? 0 : Math.ceil(document.text.length / 4);
}

function separatorOf({ rule }: SimDocument): string {
	const segmentation = isJson(rule.rules) ? rule.rules.segmentation : undefined;
	return isJson(segmentation) && typeof segmentation.separator === 'string'
		? segmentation.separator
		: '\n\n';
}

/** A chunk; has keywords if the base has no vectors. */
export function segmentOf(
	store: Store,
	dataset: SimDataset,
	document: SimDocument,
	content: string,
	position: number,
): SimSegment {
	const isParent = document.form === 'hierarchical_model';
	return {
		id: store.newId('segment'),
		position,
		content,
		answer: null,
		keywords:
			dataset.technique === 'economy'
				? [...new Set(content.match(/\w{3,}/g) ?? [])].slice(0, 10)
				: null,
		enabled: true,
		status: 'completed',
		error: null,
		createdAt: document.createdAt,
		children: !isParent
			? []
			: content.split('.').flatMap((part, at) =>
					part.trim() === ''
						? []
						: [
								{
									id: store.newId('child'),
									content: part,
									position: at + 1,
									type: 'automatic',
									createdAt: document.createdAt,
								},
							],
				),
	};
}

/** Advances a document's indexing by one step: called for each status request. */
function step(store: Store, dataset: SimDataset, document: SimDocument): void {
	const at = STATES.indexOf(document.status);
	if (at < 0 || document.status === 'completed') return;
	if (store.worker === 'down' && document.status === 'waiting') return;
	const next =
		STATES[at + Math.max(1, Math.ceil(5 / Math.max(1, store.knowledge.steps)))] ?? 'completed';
	if (next === 'completed') finish(store, dataset, document);
	else document.status = next === 'completed' ? 'indexing' : next;
}

interface New {
	name: string;
	text: string;
	size: number;
	mimeType: string;
	extension: string;
}

/** Saves a document. An enabled one of the same name is overwritten: same ID, new batch (docs/protocols/dify.md 2.13). */
function save(call: Call, dataset: SimDataset, made: New, options: Json): void {
	const { store } = call;
	const form = (options.doc_form as string | undefined) ?? 'text_model';
	if (dataset.form !== null && dataset.form !== form)
		throw invalid('doc_form is different from the dataset doc_form.');
	const technique = options.indexing_technique as string;
	const rule =
		(isJson(options.process_rule) ? options.process_rule : undefined) ?? dataset.rule ?? AUTOMATIC;
	const same = [...dataset.documents.values()].find(
		({ name, enabled }) => enabled && name === made.name,
	);
	const known = options.duplicate === false ? undefined : same;
	dataset.technique ??= technique;
	dataset.form ??= form;
	dataset.rule = rule;
	const fresh = {
		...made,
		batch: batchOf(store),
		fileId: store.newId('file'),
		status: 'waiting',
		error: null,
		rule,
		ruleId: store.newId('rule'),
		form,
		language: (options.doc_language as string | undefined) ?? 'English',
		segments: [],
		tokens: null,
		words: null,
	};
	const document = known ?? addDocument(store, dataset, { ...fresh, text: made.text });
	Object.assign(document, fresh);
	const answer = { document: takenItem(dataset, document), batch: document.batch };
	if (store.knowledge.embeddingDown && dataset.technique === 'high_quality')
		document.fails = 'Connection refused';
	if (store.knowledge.steps === 0 && store.worker === 'up') finish(store, dataset, document);
	call.reply(200, answer);
}

/** The answer to a creation; 1.16 already fills the built-in fields. */
function takenItem(dataset: SimDataset, document: SimDocument): Json {
	const metadata = dataset.builtIn ? { doc_metadata: builtInOf(document) } : {};
	return { ...documentItem(dataset, document), ...metadata };
}

export function createByText(call: Call): void {
	const { payload } = call;
	const model = 'DocumentTextCreatePayload';
	const problems = ['name', 'text']
		.filter((name) => !(name in payload))
		.map((name) => missing(name, payload));
	if (problems.length > 0) throw pydantic(model, problems);
	requireText(model, 'name', payload);
	const rule = payload.process_rule;
	if (isJson(rule)) {
		const type = 'enum';
		oneOf(model, 'process_rule.mode', rule.mode, ['automatic', 'custom', 'hierarchical'], type);
	}
	const dataset = datasetOf(call);
	if (isJson(rule)) checkRule(rule);
	checkTechnique(dataset, payload);
	checkForm(payload);
	const name = String(payload.name).slice(0, 200);
	const text = String(payload.text);
	save(
		call,
		dataset,
		{ name, text, size: Buffer.byteLength(text), mimeType: 'text/plain', extension: 'txt' },
		payload,
	);
}

/** Checks the required parts of a custom rule. */
function checkRule({ mode, rules }: Json): void {
	if (mode === 'automatic') return;
	const required = (what: string) => invalid(`Process rule ${what} is required`);
	if (!isJson(rules)) throw required('rules');
	if (!Array.isArray(rules.pre_processing_rules)) throw required('pre_processing_rules');
	if (!isJson(rules.segmentation)) throw required('segmentation');
	const { separator, delimiter } = rules.segmentation;
	if (separator === '' && delimiter === undefined) throw required('segmentation separator');
}

/** The indexing technique is required with every text, even if the base has one. */
function checkTechnique(dataset: SimDataset, payload: Json): void {
	const { indexing_technique: technique } = payload;
	if (technique !== undefined) {
		oneOf(
			'KnowledgeConfig',
			'indexing_technique',
			technique,
			['high_quality', 'economy'],
			'literal_error',
		);
		return;
	}
	if (dataset.technique === null) {
		throw invalid('indexing_technique is required.');
	}
	throw pydantic('KnowledgeConfig', [
		{ ...missing('indexing_technique', payload), input: payload },
	]);
}

function checkForm({ doc_form: form }: Json): void {
	if (
		form === undefined ||
		['text_model', 'hierarchical_model', 'qa_model'].includes(form as string)
	)
		return;
	throw invalid('Invalid doc_form.');
}

export function createByFile(call: Call): void {
	const { store } = call;
	const dataset = datasetOf(call);
	const options = dataOf(call);
	if (dataset.provider === 'external') throw invalid('External datasets are not supported.');
	const technique = options.indexing_technique ?? dataset.technique;
	if (technique === null || technique === undefined)
		throw invalid('indexing_technique is required.');
	const part = onlyPart(call);
	const name = part.filename ?? '';
	const forbidden = /[/\\]/;
	if (forbidden.test(name)) throw invalid('Filename contains invalid characters');
	const extension = name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : '';
	// Refused with an empty message.
	if (!TYPES.includes(extension) || part.size > store.knowledge.fileLimit) throw invalid('');
	if (options.process_rule === undefined && dataset.rule === undefined)
		throw invalid('process_rule is required.');
	const text = Buffer.from(part.content).toString('utf8');
	const made = { name, text, size: part.size, mimeType: part.mimeType ?? '', extension };
	save(call, dataset, made, { ...options, indexing_technique: technique });
}

function dataOf(call: Call): Json {
	const text = call.request.upload?.fields.data ?? '{}';
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		throw invalid('Expecting value: line 1 column 1 (char 0)');
	}
	if (!isJson(value)) throw crashed();
	return value;
}

/** Needs the batch; a document ID finds nothing. */
export function indexingStatus(call: Call): void {
	const dataset = datasetOf(call);
	const documents = [...dataset.documents.values()].filter((each) => each.batch === call.ids[1]);
	if (documents.length === 0) throw notFound('Documents not found.');
	for (const document of documents) step(call.store, dataset, document);
	call.reply(200, { data: documents.map(progressItem) });
}

/** SQL's LIKE: `%` and `_` in the keyword are wildcards; case-sensitive. */
function likePattern(keyword: string): RegExp {
	const parts = [...keyword].map((letter) =>
		letter === '%' ? '.*' : letter === '_' ? '.' : letter.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
	);
	return new RegExp(parts.join(''), 's');
}

const SHOWN: Record<string, string> = { active: 'available', enabled: 'available' };

export function listDocuments(call: Call): void {
	const dataset = datasetOf(call);
	const keyword = call.query.get('keyword');
	const word = call.query.get('status') ?? '';
	const status = SHOWN[word] ?? word;
	const known = [
		'queuing',
		'indexing',
		'paused',
		'error',
		'available',
		'disabled',
		'archived',
	].includes(status);
	const all = [...dataset.documents.values()]
		.filter(({ name }) => keyword === null || likePattern(keyword).test(name))
		.filter((document) => !known || displayStatus(document) === status)
		.reverse();
	const { page, frame } = paged(call, 'DocumentListQuery', all);
	call.reply(200, {
		data: page.map((document) => documentItem(dataset, document)),
		...frame,
	});
}

export function getDocument(call: Call): void {
	const dataset = datasetOf(call);
	const document = documentOf(call, dataset);
	const metadata = call.query.get('metadata') ?? 'all';
	if (!['all', 'only', 'without'].includes(metadata))
		throw new DifyHttpError(400, 'invalid_metadata', `Invalid metadata value: ${metadata}`);
	step(call.store, dataset, document);
	call.reply(200, documentDetail(dataset, document, metadata));
}

export function deleteDocument(call: Call): void {
	const dataset = datasetOf(call);
	const document = documentOf(call, dataset, 'Document Not Exists.');
	if (document.archived)
		throw new DifyHttpError(
			403,
			'archived_document_immutable',
			'The archived document is not editable.',
		);
	dataset.documents.delete(document.id);
	done(call);
}

const ACTIONS = ['enable', 'disable', 'archive', 'un_archive'];

/** Changes all documents of the list, or none. */
export function documentStatus(call: Call): void {
	const dataset = datasetOf(call);
	const action = call.ids[1] ?? '';
	const refuse = (text: string) => new DifyHttpError(400, 'invalid_action', text);
	if (!ACTIONS.includes(action))
		throw refuse(
			`Invalid action: ${action}. Must be one of ['enable', 'disable', 'archive', 'un_archive']`,
		);
	const ids = call.payload.document_ids;
	if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string' || id.length !== 36))
		throw crashed();
	const found = ids.flatMap((id: string) => dataset.documents.get(id) ?? []);
	for (const document of found) {
		if (document.busy > 0) {
			document.busy--;
			throw refuse(`Document:${document.name} is being indexed, please try again later`);
		}
		if (action === 'disable' && document.status !== 'completed')
			throw refuse(`Document: ${document.name} is not completed.`);
	}
	for (const document of found) {
		const isChanged =
			action === 'enable' || action === 'disable'
				? document.enabled !== (action === 'enable')
				: document.archived !== (action === 'archive');
		if (!isChanged) continue;
		if (action === 'enable' || action === 'disable') document.enabled = action === 'enable';
		else document.archived = action === 'archive';
	}
	call.reply(200, { result: 'success' });
}

export function downloadDocument(call: Call): void {
	const document = documentOf(call, datasetOf(call));
	const { filesUrl } = call.store.options;
	call.reply(200, {
		url: `${filesUrl}/files/${document.fileId}/file-preview?timestamp=${call.store.now()}&nonce=n&sign=s&as_attachment=true`,
	});
}
