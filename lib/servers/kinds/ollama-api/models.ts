/** Ollama's models, by its own API (docs/protocols/llama-server.md 8.2). */
import { isRefusal } from '../../../errors/http-failure';
import { mapInSteps } from '../../../generators';
import type { Connection } from '../../../http/connection';
import { inTimeSlices } from '../../../http/time-slices';
import { append } from '../../../values';
import { ollamaEntries, readOllamaModel, type ServerModel } from '../../models';
import { CALL_MS } from '../../offered-models';
import { optionalJson } from '../../optional-json';
import { pollUntil } from '../../poll';
import { tooSlow } from '../llama-api/running-answers';
import type { Change, ChangeOptions, ModelQuestion, Pulled, PullOptions } from '../work';
import { isSameOllamaName } from './names';
import { followWork, type Work } from './work-progress';

const LIST_LIMIT_MS = 10_000;
const COPY_LIMIT_MS = 60_000;
/** Concurrent requests for the details of models. */
const AT_ONCE = 8;

/** `/api/tags` and `/api/ps` load nothing. */
export async function listOnOllama(
	connection: Connection,
	signal?: AbortSignal,
): Promise<ServerModel[] | undefined> {
	const options = { timeoutMs: LIST_LIMIT_MS, signal };
	const [tags, running] = await Promise.all([
		optionalJson(connection, '/api/tags', options).then(ollamaEntries),
		optionalJson(connection, '/api/ps', options).then(ollamaEntries),
	]);
	if (tags === undefined) return undefined;
	return await inTimeSlices(
		mapInSteps(tags, ([id, tag]) =>
			readOllamaModel(id, { tag, running: running?.get(id) ?? null }),
		),
	);
}

export async function withOllamaDetails(
	connection: Connection,
	models: ServerModel[],
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const listed = (await listOnOllama(connection, signal)) ?? [];
	const details = new Map(listed.map((model) => [model.id, model]));
	return models.map((model) => ({ ...details.get(model.id), ...model }));
}

export async function withOllamaPurposes(
	connection: Connection,
	models: readonly ServerModel[],
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const described: ServerModel[] = [];
	const describe = async (model: ServerModel) => await withCapabilities(connection, model, signal);
	for (let start = 0; start < models.length; start += AT_ONCE) {
		const some = models.slice(start, start + AT_ONCE).map(describe);
		append(described, await Promise.all(some));
	}
	return described;
}

async function withCapabilities(
	connection: Connection,
	model: ServerModel,
	signal: AbortSignal | undefined,
): Promise<ServerModel> {
	if (model.embeddings !== undefined) return model;
	const options = { json: { model: model.id }, once: false, timeoutMs: LIST_LIMIT_MS, signal };
	const shown = await optionalJson(connection, '/api/show', options);
	return shown === undefined ? model : { ...readOllamaModel(model.id, { shown }), ...model };
}

/** How to get a missing model. */
export const fetchIt = (model: string) => `fetch it: ollama pull ${model}`;

export async function loadOnOllama(
	connection: Connection,
	options: ChangeOptions,
): Promise<Change> {
	const { model } = options;
	if (await isLoaded(connection, options)) return { model, before: 'loaded', state: 'loaded' };
	await generateNothing(connection, options, {});
	return { model, before: 'unloaded', state: 'loaded' };
}

export async function unloadOnOllama(
	connection: Connection,
	options: ChangeOptions,
): Promise<Change> {
	const { model } = options;
	if (!(await isLoaded(connection, options)))
		return { model, before: 'unloaded', state: 'unloaded' };
	await generateNothing(connection, options, { keep_alive: 0 });
	// The answer comes before the memory is free (seen: 0.17.4). Loading the model in between would find it loaded, and
	// then lose it.
	const url = `${connection.url.root}/api/generate`;
	await pollUntil(
		options,
		async () => ((await isLoaded(connection, options)) ? undefined : true),
		() => tooSlow(connection, 'unload', url, options),
	);
	return { model, before: 'loaded', state: 'unloaded' };
}

/** A generation without a prompt only loads the model; with `keep_alive` 0 it only unloads it. */
async function generateNothing(
	connection: Connection,
	{ model, limitMs, signal }: ChangeOptions,
	fields: object,
): Promise<void> {
	const { root } = connection.url;
	const call = { json: { model, stream: false, ...fields }, timeoutMs: limitMs, signal };
	let answer = await connection.call(`${root}/api/generate`, call);
	// An embedding model: a request without input also only loads or unloads it.
	if (answer.status === 400 && /does not support generate/i.test(answer.text))
		answer = await connection.call(`${root}/api/embed`, call);
	if (isRefusal(answer)) throw connection.refusal(answer, { model });
}

async function isLoaded(
	connection: Connection,
	{ model, signal }: ChangeOptions,
): Promise<boolean> {
	const answer = await optionalJson(connection, '/api/ps', { timeoutMs: CALL_MS, signal });
	const names = [...(ollamaEntries(answer)?.keys() ?? [])];
	return names.some((name) => isSameOllamaName(name, model));
}

/** @param by another server with this route */
export async function pullOnOllama(
	connection: Connection,
	options: PullOptions,
	by?: Work['by'],
): Promise<Pulled> {
	const { model, insecure = false, idleMs, signal, onProgress } = options;
	const json = { model, ...(insecure ? { insecure } : {}) };
	const work = { json, model, signal, idleMs, onProgress, by };
	const { layers } = await followWork(connection, work);
	const size = layers.reduce((sum, { total }) => sum + total, 0);
	const downloaded = layers.reduce((sum, { total, before }) => sum + total - before, 0);
	return { state: 'success', changed: downloaded > 0, size, downloaded };
}

/** Ollama expects a body with DELETE, too. */
export async function removeOnOllama(
	connection: Connection,
	{ model, signal }: ModelQuestion,
): Promise<void> {
	await connection.accepted(`${connection.url.root}/api/delete`, {
		method: 'DELETE',
		json: { model },
		timeoutMs: COPY_LIMIT_MS,
		signal,
		about: { model },
	});
}
