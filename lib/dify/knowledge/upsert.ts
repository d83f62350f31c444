import { ServerError } from '../../errors/server-error';
import { append, type JsonRecord, nonEmptyText, optional, recordOf } from '../../values';
import { invalidParam, localError } from '../errors/failure';
import type { FileSource } from '../../http/multipart';
import { inMegabytes } from '../files/files';
import { postFile } from '../files/upload';
import { type KnowledgeApi, undefinedIfMissing } from './api';
import { embeddingBody, type ModelRef } from './bases';
import { documentIdIn, documentsNamed, getDocument, setStatus } from './documents';
import { checkDocumentFile, cutName, fileDocumentName } from './names';
import { formOf, isArchived, isEnabled, isExternal, techniqueOf, type Technique } from './records';
import { documentRoutes } from './routes';

/** Content of a document. */
export type DocumentContent = { text: string; name: string } | { file: FileSource };

export interface CreateOptions {
	/** For the first document of a base; it cannot be changed later. Default: `high_quality`, as in Dify itself. */
	technique?: Technique;
	/** For the first document. */
	embeddingModel?: ModelRef;
	/** Form of the chunks. Default: that of the base. */
	form?: string;
	language?: string;
	/** How the text is split. Default: the rule of the base, for the first document Dify's automatic one. */
	processRule?: JsonRecord;
	/** What to do where there is an enabled document of that name. Default: `update`, as Dify does. */
	ifExists?: 'update' | 'fail' | 'skip';
	/** What to do where the document of that name is disabled: Dify would make a second one. Default: `fail`. */
	ifDisabled?: 'enable' | 'fail';
	/** Largest file, in megabytes. */
	mostMegabytes?: number;
}

export interface Upserted {
	action: 'created' | 'updated' | 'skipped';
	documentId: string;
	/** Batch for polling the progress. Undefined for a skipped document, and where the answer was lost. */
	batch?: string;
	document: JsonRecord;
	/** Warnings for the user. */
	remarks: string[];
}

/**
 * Creates a document, or replaces the one of the same name: Dify does so itself, in place, whatever its status
 * (docs/protocols/dify.md 2.13).
 *
 * @throws {ServerError}
 */
export async function upsertDocument(
	api: KnowledgeApi,
	baseId: string,
	content: DocumentContent,
	options: CreateOptions = {},
): Promise<Upserted> {
	const { ready, name, remarks } = prepared(content, options);
	const base = await api.base(baseId);
	if (isExternal(base))
		throw localError(
			'dataset',
			'The knowledge base is external, so Dify keeps no documents of it',
			'Choose a knowledge base of Dify, or add the document where the knowledge is kept.',
		);
	const namesakes = await documentsNamed(api, baseId, name);
	const existing =
		namesakes.find(isEnabled) ?? (await enableExisting(api, baseId, namesakes[0], name, options));
	if (existing !== undefined) {
		if (options.ifExists === 'skip') {
			const documentId = documentIdIn(api, baseId, existing);
			return { action: 'skipped', documentId, document: existing, remarks };
		}
		if (options.ifExists === 'fail')
			throw localError(
				'nameTaken',
				`The knowledge base has a document "${name}" already`,
				'Choose another name, or set "If It Exists" to Update.',
			);
		append(remarks, remarksOn(existing, name, namesakes.filter(isEnabled).length));
	}
	const processRule = options.processRule ?? (await defaultRule(api, baseId, base, ready, options));
	const body = bodyOf(base, { ...options, processRule });
	const written = await write(api, baseId, name, ready, body, existing);
	if (isFirstDocument(base)) api.forget(baseId);
	const documentId = documentIdIn(api, baseId, written.document);
	const action = existing?.id === documentId ? 'updated' : 'created';
	return { action, documentId, ...written, remarks };
}

function remarksOn(existing: JsonRecord, name: string, enabledCount: number): string[] {
	const remarks: string[] = [];
	if (enabledCount > 1)
		remarks.push(
			`There are several documents named "${name}". Dify replaces one of them; delete the others.`,
		);
	if (isArchived(existing))
		remarks.push(`"${name}" is archived. Its new content is indexed, but not found.`);
	return remarks;
}

/** The first document decides the technique and the form of its base. */
function isFirstDocument(base: JsonRecord): boolean {
	return techniqueOf(base) === undefined || formOf(base) === undefined;
}

interface Prepared {
	ready: DocumentContent;
	name: string;
	remarks: string[];
}

function prepared(content: DocumentContent, { mostMegabytes }: CreateOptions): Prepared {
	if ('file' in content) {
		const name = fileDocumentName(content.file.name);
		checkDocumentFile(name, content.file.size, mostMegabytes);
		return {
			ready: { file: { ...content.file, name } },
			name,
			remarks: renamed(content.file.name, name),
		};
	}
	const name = cutName(content.name);
	if (name.trim() === '') throw invalidParam('The name of the document is empty', 'Give a name.');
	if (content.text.trim() === '')
		throw invalidParam(
			`The text of "${name}" is empty`,
			'Dify would keep a document without chunks, which is never found. Give a text. Dify cannot rename a document either: to give it another name, create it under that name and delete this one.',
		);
	return { ready: { ...content, name }, name, remarks: renamed(content.name, name) };
}

function renamed(from: string, to: string): string[] {
	return from === to
		? []
		: [`"${from}" is named "${to}" in Dify, which does not take the whole of the name.`];
}

/** Enables the disabled document of the name, where the options say so. */
async function enableExisting(
	api: KnowledgeApi,
	baseId: string,
	disabled: JsonRecord | undefined,
	name: string,
	{ ifDisabled = 'fail' }: CreateOptions,
): Promise<JsonRecord | undefined> {
	if (disabled === undefined) return undefined;
	if (ifDisabled === 'fail')
		throw localError(
			'nameTaken',
			`The document "${name}" is disabled, so Dify would make a second one of that name`,
			'Enable it first, or set "If It Is Disabled" to Enable.',
		);
	await setStatus(api, baseId, [documentIdIn(api, baseId, disabled)], 'enable');
	return { ...disabled, enabled: true };
}

/**
 * The body of the request. Dify wants the technique with every text and the rule with the first file, and assumes the
 * form of plain text where none is sent, whatever the base has (docs/protocols/dify.md 2.13).
 */
function bodyOf(base: JsonRecord, options: CreateOptions) {
	const form = formFor(base, options);
	return {
		indexing_technique: techniqueFor(base, options.technique),
		doc_form: form,
		...optional({
			doc_language: options.language,
			process_rule: ruleFor(form, options.processRule),
		}),
		...embeddingBody(isFirstDocument(base) ? options.embeddingModel : undefined),
	};
}

function formFor(base: JsonRecord, { form }: CreateOptions): string {
	return formOf(base) ?? form ?? 'text_model';
}

function techniqueFor(base: JsonRecord, chosen: Technique | undefined): Technique {
	const technique = techniqueOf(base) ?? chosen ?? 'high_quality';
	if (chosen === undefined || chosen === technique) return technique;
	throw invalidParam(
		`The knowledge base is indexed with ${technique}, so a document cannot be indexed with ${chosen}`,
		'Remove the technique from the options: it counts for the first document of a base only.',
	);
}

const PARENT_CHILD = 'hierarchical_model';
const AUTOMATIC: JsonRecord = { mode: 'automatic' };

/**
 * The rule where none is chosen. Without one, Dify splits a later document by the latest rule of its base, which must
 * then be one of parents and children where the base has that form.
 */
async function defaultRule(
	api: KnowledgeApi,
	baseId: string,
	base: JsonRecord,
	content: DocumentContent,
	options: CreateOptions,
): Promise<JsonRecord | undefined> {
	const isParentChild = formFor(base, options) === PARENT_CHILD;
	if (isFirstDocument(base)) return isParentChild || 'file' in content ? AUTOMATIC : undefined;
	if (!isParentChild) return undefined;
	return (await latestMode(api, baseId)) === 'hierarchical' ? undefined : AUTOMATIC;
}

/** The mode of the latest rule of a base. Any of its documents has it; undefined where none is left. */
async function latestMode(api: KnowledgeApi, baseId: string): Promise<unknown> {
	const [document] = await api.list(documentRoutes.list, { dataset_id: baseId }, 1);
	if (document === undefined) return undefined;
	const documentId = documentIdIn(api, baseId, document);
	const whole = await undefinedIfMissing(getDocument(api, baseId, documentId));
	return recordOf(whole?.dataset_process_rule).mode;
}

/** How Dify's own pages split into parents and children where nothing is chosen. */
const PARENT_CHILD_RULES: JsonRecord = {
	pre_processing_rules: [
		{ id: 'remove_extra_spaces', enabled: true },
		{ id: 'remove_urls_emails', enabled: false },
	],
	segmentation: { separator: '\n\n', max_tokens: 500, chunk_overlap: 0 },
	parent_mode: 'paragraph',
	subchunk_segmentation: { separator: '\n', max_tokens: 200, chunk_overlap: 0 },
};

/** The rule in the mode of the form: with any other, Dify makes no chunks of a parent-child document, and says nothing. */
function ruleFor(form: string, rule: JsonRecord | undefined): JsonRecord | undefined {
	if (form !== PARENT_CHILD || rule === undefined || rule.mode === 'hierarchical') return rule;
	return { mode: 'hierarchical', rules: { ...PARENT_CHILD_RULES, ...recordOf(rule.rules) } };
}

type Body = ReturnType<typeof bodyOf>;

interface Written {
	document: JsonRecord;
	batch?: string;
}

/**
 * Sends the document. If the answer is lost, the list shows whether it arrived. A retry only repeats the indexing,
 * since the name is the same.
 */
async function write(
	api: KnowledgeApi,
	baseId: string,
	name: string,
	content: DocumentContent,
	body: Body,
	existing: JsonRecord | undefined,
): Promise<Written> {
	try {
		return await send(api, baseId, content, body);
	} catch (error) {
		if (!isLost(error)) throw withoutText(error, name, content);
		const [document] = (await documentsNamed(api, baseId, name)).filter(isEnabled);
		if (document !== undefined && existing === undefined) return { document };
		return await send(api, baseId, content, body);
	}
}

async function send(
	api: KnowledgeApi,
	baseId: string,
	content: DocumentContent,
	body: Body,
): Promise<Written> {
	const { document, batch } =
		'file' in content
			? await sendFile(api, baseId, content.file, body)
			: await api.call(documentRoutes.createByText, { dataset_id: baseId, ...content, ...body });
	return { document: recordOf(document), ...optional({ batch: nonEmptyText(batch) }) };
}

async function sendFile(
	api: KnowledgeApi,
	baseId: string,
	file: FileSource,
	body: Body,
): Promise<JsonRecord> {
	const route = `/datasets/${baseId}/document/create-by-file`;
	const upload = { fields: { data: JSON.stringify(body) } };
	return await api.alone(
		baseId,
		route,
		async () => await postFile(api.client, route, file, upload),
	);
}

/** Failures after which Dify may have accepted the document. */
const LOST: ReadonlySet<string> = new Set([
	'totalLimit',
	'timeout',
	'closedBeforeAnswer',
	'connectionLost',
	'gateway',
]);

function isLost(error: unknown): boolean {
	return error instanceof ServerError && LOST.has(error.kind);
}

/** Adds a reason: Dify refuses a file of the wrong type or size with an empty text (docs/protocols/dify.md 2.13). */
function withoutText(error: unknown, name: string, content: DocumentContent): unknown {
	const isSilent =
		error instanceof ServerError &&
		error.code === 'invalid_param' &&
		error.serverText === undefined;
	if (!isSilent || !('file' in content)) return error;
	const megabytes = inMegabytes(content.file.size);
	return error.reworded({
		message: `Dify refuses the file "${name}" without a reason`,
		meaning: `Dify refuses the file "${name}" (${megabytes} MB) without a reason`,
		remedy:
			'It does so for a type that it cannot read, and for a file that is too large (15 MB where UPLOAD_FILE_SIZE_LIMIT is not set). Check both.',
	});
}
