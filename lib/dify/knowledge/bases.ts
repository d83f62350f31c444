import { type JsonRecord, nonEmptyText, optional, text } from '../../values';
import { invalidParam } from '../errors/failure';
import type { Limit } from '../paging';
import type { KnowledgeApi } from './api';
import { idOf, listOf } from './pages';

export type Technique = 'high_quality' | 'economy';
export type Permission = 'only_me' | 'all_team_members' | 'partial_members';

const MAX_NAME = 40;
const MAX_DESCRIPTION = 400;

/** A model in Dify: its name, and the full ID of its provider. */
export interface ModelRef {
	provider: string;
	model: string;
}

/** Settings of a knowledge base. Missing ones stay as they are. */
export interface BaseSettings {
	name?: string;
	description?: string;
	permission?: Permission;
	/** User IDs, for `partial_members`. */
	members?: string[];
	technique?: Technique;
	embeddingModel?: ModelRef;
	/** The complete setting, see `retrievalModel`. */
	retrievalModel?: JsonRecord;
}

/** Lists knowledge bases, including those of colleagues: the key acts as the owner of the workspace. */
export async function listBases(
	api: KnowledgeApi,
	most: Limit,
	keyword?: string,
): Promise<JsonRecord[]> {
	return await listOf(api, most, '/datasets', baseQuery(keyword));
}

/** The query of the list of bases: without `include_all`, bases of others are missing. */
export function baseQuery(keyword?: string): Record<string, string | undefined> {
	return { include_all: 'true', keyword };
}

/** A base by its exact name. Names are unique in a workspace. */
export async function baseNamed(api: KnowledgeApi, name: string): Promise<JsonRecord | undefined> {
	// The keyword finds parts of names, and the list may be long.
	const found = await listBases(api, 'all', name);
	return found.find((base) => base.name === name);
}

/**
 * Creates a knowledge base.
 *
 * @throws {ServerError} of kind `nameTaken` where there is one of that name
 */
export async function createBase(
	api: KnowledgeApi,
	settings: BaseSettings & { name: string },
): Promise<JsonRecord> {
	if (settings.name.trim() === '')
		throw invalidParam('The name of the knowledge base is empty', 'Give a name.');
	const { permission, members, ...rest } = settings;
	const isShared = permission === 'partial_members';
	// Dify takes a list of members only in an update. Both bodies are checked before anything is created.
	const sharing = isShared ? bodyOf({ permission, members }) : undefined;
	const body = bodyOf({ ...rest, permission: isShared ? 'only_me' : permission });
	const base = await api.write(undefined, 'POST', '/datasets', body);
	const id = idOf(base);
	if (sharing === undefined || id === undefined) return base;
	return await api.write(id, 'PATCH', `/datasets/${id}`, sharing);
}

/** Changes the given settings. Returns the base. */
export async function updateBase(
	api: KnowledgeApi,
	id: string,
	settings: BaseSettings,
): Promise<JsonRecord> {
	const body = bodyOf(settings);
	if (Object.keys(body).length === 0)
		throw invalidParam('Nothing is to be changed', 'Add at least one field to change.');
	if (settings.technique === 'high_quality' && settings.embeddingModel === undefined) {
		const base = await api.base(id);
		// Dify fails here with an error of its own (docs/protocols/dify.md 2.13).
		if (base.indexing_technique === 'economy')
			throw invalidParam(
				'The knowledge base needs an embedding model for the technique High Quality',
				'Choose an embedding model as well. Dify then makes vectors of all documents in the background.',
			);
	}
	try {
		return await api.write(id, 'PATCH', `/datasets/${id}`, body);
	} finally {
		api.forget(id);
	}
}

/**
 * Deletes a base with all its documents. Dify does so without a warning, even if apps use it.
 *
 * @returns false where there was none
 */
export async function deleteBase(api: KnowledgeApi, id: string): Promise<boolean> {
	api.forget(id);
	return await api.deleteIfPresent(id, `/datasets/${id}`);
}

/** The body of a request. Checks the settings before anything is sent. */
function bodyOf(settings: BaseSettings): JsonRecord {
	const { name, description, permission, members, embeddingModel, retrievalModel } = settings;
	tooLong('name', name, MAX_NAME);
	tooLong('description', description, MAX_DESCRIPTION);
	// Without the technique, Dify silently ignores the model.
	const technique =
		settings.technique ?? (embeddingModel === undefined ? undefined : 'high_quality');
	if (technique === 'economy' && embeddingModel !== undefined)
		throw invalidParam(
			'The technique Economy uses no embedding model',
			'Choose the technique High Quality, or remove the embedding model.',
		);
	// A base for some members without a list is hidden even from its owner.
	if (permission === 'partial_members' && (members ?? []).length === 0)
		throw invalidParam(
			'The permission for some members needs a list of members',
			'Give the IDs of the users who may use the knowledge base, or choose another permission.',
		);
	return {
		...optional({ name, description, permission }),
		...(permission === 'partial_members'
			? { partial_member_list: members?.map((user_id) => ({ user_id })) }
			: {}),
		...optional({ indexing_technique: technique }),
		...embeddingBody(embeddingModel),
		...optional({ retrieval_model: retrievalModel }),
	};
}

/** Request fields for an embedding model. */
export function embeddingBody(chosen: ModelRef | undefined): JsonRecord {
	return optional({ embedding_model: chosen?.model, embedding_model_provider: chosen?.provider });
}

function tooLong(what: string, value: string | undefined, most: number): void {
	if (value === undefined || [...value].length <= most) return;
	throw invalidParam(
		`The ${what} has ${[...value].length} characters, but Dify takes ${most}`,
		`Shorten the ${what}.`,
	);
}

/** Indexing technique of a base; undefined until its first document. */
export function techniqueOf(base: JsonRecord): Technique | undefined {
	return base.indexing_technique === 'high_quality' || base.indexing_technique === 'economy'
		? base.indexing_technique
		: undefined;
}

/** Whether the knowledge is stored outside Dify: this API cannot write or search it. */
export function isExternal(base: JsonRecord): boolean {
	return text(base.provider) === 'external';
}

/** Form of the chunks of a base; undefined until its first document. */
export function formOf(base: JsonRecord): string | undefined {
	return nonEmptyText(base.doc_form) ?? nonEmptyText(base.chunk_structure);
}
