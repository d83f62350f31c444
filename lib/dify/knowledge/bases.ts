import { type JsonRecord, optional } from '../../values';
import { invalidParam } from '../errors/failure';
import type { KnowledgeApi } from './api';
import type { Technique } from './records';
import { baseRoutes } from './routes';

export type Permission = 'only_me' | 'all_team_members';

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
	technique?: Technique;
	embeddingModel?: ModelRef;
	/** The complete setting, see `retrievalModel`. */
	retrievalModel?: JsonRecord;
}

/** A base by its exact name. Names are unique in a workspace. */
export async function baseNamed(api: KnowledgeApi, name: string): Promise<JsonRecord | undefined> {
	// The keyword finds parts of names, and the list may be long.
	const bases = await api.list(baseRoutes.list, { keyword: name }, 'all');
	return bases.find((base) => base.name === name);
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
	return await api.call(baseRoutes.create, bodyOf(settings));
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
	if (settings.technique === 'high_quality' && settings.embeddingModel === undefined)
		await checkHasVectors(api, id);
	return await api.call(baseRoutes.update, { dataset_id: id, ...body });
}

/** Dify fails with an error of its own where a base without vectors gets no embedding model (docs/protocols/dify.md 2.13). */
async function checkHasVectors(api: KnowledgeApi, id: string): Promise<void> {
	const base = await api.base(id);
	if (base.indexing_technique !== 'economy') return;
	throw invalidParam(
		'The knowledge base needs an embedding model for the technique High Quality',
		'Choose an embedding model as well. Dify then makes vectors of all documents in the background.',
	);
}

/** The body of a request. Checks the settings before anything is sent. */
function bodyOf(settings: BaseSettings) {
	const { name, description, permission, embeddingModel, retrievalModel } = settings;
	checkLength('name', name, MAX_NAME);
	checkLength('description', description, MAX_DESCRIPTION);
	return optional({
		name,
		description,
		permission,
		indexing_technique: techniqueIn(settings),
		...embeddingBody(embeddingModel),
		retrieval_model: retrievalModel,
	});
}

/** Without the technique, Dify silently ignores the model. */
function techniqueIn({ technique, embeddingModel }: BaseSettings): Technique | undefined {
	if (technique === 'economy' && embeddingModel !== undefined)
		throw invalidParam(
			'The technique Economy uses no embedding model',
			'Choose the technique High Quality, or remove the embedding model.',
		);
	if (embeddingModel !== undefined) return 'high_quality';
	return technique;
}

/** Request fields for an embedding model. */
export function embeddingBody(chosen: ModelRef | undefined) {
	return optional({ embedding_model: chosen?.model, embedding_model_provider: chosen?.provider });
}

function checkLength(what: string, value: string | undefined, most: number): void {
	if (value === undefined || [...value].length <= most) return;
	throw invalidParam(
		`The ${what} has ${[...value].length} characters, but Dify takes ${most}`,
		`Shorten the ${what}.`,
	);
}
