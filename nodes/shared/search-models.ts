import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { describeModel, listChatModels, listModels } from '../../lib/servers/model-list';
import { onlyModel, shortModelNames } from '../../lib/servers/model-names';
import { localLlamaConnection } from '../../lib/servers/credential';
import type { Connection } from '../../lib/http/connection';
import type { Limits } from '../../lib/http/limits';
import type { ModelUse as OtherUse } from '../../lib/servers/kinds/model-abilities';
import type { ServerModel } from '../../lib/servers/models';
import { isIdentified, kindOf } from '../../lib/servers/kinds';
import { kindFor, listModelsFor } from '../../lib/servers/purpose';
import { inTimeSlices, timeSlices } from '../../lib/http/time-slices';
import { append } from '../../lib/values';
import { asFailed } from '../../lib/errors/server-error';
import { withinLimits } from '../../lib/servers/within-limits';
import { listEntries } from './list-entries';
import { listError } from './list-error';

type ListModels = (connection: Connection, signal?: AbortSignal) => Promise<ServerModel[]>;

/** For a list that a server may not have. */
const LIST_LIMIT_MS = 3_000;

/** Use of a model. */
export type ModelUse = OtherUse | 'chat';

/** Lists the models for a use, as far as their server tells. */
function listFor(use: ModelUse): ListModels {
	if (use === 'chat') return listChatModels;
	return async (connection, signal) => await listModelsFor(connection, use, signal);
}

/** List searches for models. Where there is no list, the error says why and what to do. */
export const modelSearches = {
	searchModels: searchOf(listChatModels),
	searchAllModels: searchOf(listModels),
	searchEmbeddingModels: searchOf(listFor('embeddings')),
	searchRerankers: searchOf(listFor('reranking')),
	searchImageModels: searchOf(listFor('images')),
	searchTranscriptionModels: searchOf(listFor('transcription')),
	searchSpeechModels: searchOf(listFor('speech')),
};

/** Single searches, for nodes that need only these. */
export const { searchModels, searchEmbeddingModels, searchRerankers } = modelSearches;

interface ModelSettings {
	model: string;
	limits?: Partial<Limits>;
	retries?: number;
}

const chosen = new WeakMap<Connection, Map<ModelUse, Promise<string>>>();

/**
 * Adds the model to settings: the chosen one, else the loaded one, or the only one for the use. The server is asked
 * once for all items of an execution. The question has the limits and the retries of the request, and ends with the
 * execution.
 *
 * @throws {ServerError} listing the models, where there are several
 */
export async function withModel<T extends ModelSettings>(
	settings: T,
	connection: Connection,
	use: ModelUse,
	signal: AbortSignal | undefined,
): Promise<T> {
	if (settings.model !== '') return settings;
	const uses = chosen.get(connection) ?? new Map();
	chosen.set(connection, uses);
	const { limits, retries } = settings;
	const choosing =
		uses.get(use) ??
		withinLimits(
			connection,
			{ limits, retries, signal },
			async (until) => await onlyModelOf(connection, use, until),
		);
	uses.set(use, choosing);
	// A failure is not cached: the next item asks again.
	choosing.catch(() => uses.delete(use));
	return { ...settings, model: await choosing };
}

async function onlyModelOf(
	connection: Connection,
	use: ModelUse,
	signal: AbortSignal,
): Promise<string> {
	const isMedia = use === 'images' || use === 'transcription' || use === 'speech';
	if (isMedia) {
		const kind = await kindFor(connection, '', signal);
		if (!isIdentified(kind)) return await listedModel(connection, use, signal);
		// Servers of one model for pictures or sound need no name, and some have no list.
		if (kindOf(kind).media.needsModel !== true) return '';
	}
	const models = await listFor(use)(connection, signal);
	return onlyModel(models, connection.contextOf(`${connection.url.api}/models`));
}

/** The one model that a server of an unknown kind lists. Many such servers need no name, and have no list. */
async function listedModel(
	connection: Connection,
	use: ModelUse,
	signal: AbortSignal,
): Promise<string> {
	const inTime = AbortSignal.any([signal, AbortSignal.timeout(LIST_LIMIT_MS)]);
	const models = await listFor(use)(connection, inTime).catch(asFailed);
	return Array.isArray(models) && models.length === 1 ? models[0]!.id : '';
}

function searchOf(list: ListModels) {
	return listSearch(async (connection, searchText) => {
		const pause = timeSlices();
		const models = await list(connection);
		await pause();
		const names = await inTimeSlices(shortModelNames(models.map(({ id }) => id)));
		return entriesFor(models, names, searchText);
	});
}

function* entriesFor(
	models: readonly ServerModel[],
	names: ReadonlyMap<string, string>,
	searchText: string,
): Generator<Entry> {
	for (const model of models) {
		const { id, aliases } = model;
		if ([id, ...aliases].some((name) => name.toLowerCase().includes(searchText)))
			yield { name: describeModel(model, names.get(id)), value: id };
	}
}

type Entry = INodeListSearchResult['results'][number];

/** A list search in the editor, on the server of the credential. `searchText` is in lower case. */
export function listSearch(
	search: (
		connection: Connection,
		searchText: string,
		context: ILoadOptionsFunctions,
	) => Promise<Iterable<Entry>>,
) {
	return async function (
		this: ILoadOptionsFunctions,
		filter?: string,
	): Promise<INodeListSearchResult> {
		try {
			const credential = await this.getCredentials('localLlamaApi');
			const connection = localLlamaConnection(credential, this.helpers);
			const results = await search(connection, filter?.trim().toLowerCase() ?? '', this);
			const entries: Entry[] = [];
			const pause = timeSlices();
			for (const entry of results) {
				await pause();
				append(entries, listEntries([entry]));
			}
			return { results: entries };
		} catch (error) {
			throw listError(this.getNode(), error);
		}
	};
}
