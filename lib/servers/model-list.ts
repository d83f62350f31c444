import type { Connection } from '../http/connection';
import type { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import { isRefusal } from '../errors/http-failure';
import type { CallAnswer } from '../http/types';
import { findApiRoot } from './connect';
import { identify } from './identify';
import { kindOf } from './kinds';
import { shortModelName } from './model-names';
import { ollamaEntries, readModels, readOllamaModel, readProps, type ServerModel } from './models';
import { optionalJson } from './optional-json';

const LIST_LIMIT_MS = 10_000;

/**
 * The models of a server: from `/v1/models`, or if that has none, from Ollama's `/api/tags`. llama-server's `/props`
 * and Ollama's `/api/ps` add details; neither loads a model nor wakes a sleeping server.
 *
 * @throws {ServerError} if there is no list, or an empty one
 */
export async function listModels(
	connection: Connection,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const outcome = await openAiList(connection, signal);
	if ('models' in outcome && outcome.models.length > 0)
		return await withDetails(connection, outcome, signal);
	const ollama = await ollamaList(connection, signal);
	if (ollama !== undefined && ollama.length > 0) return ollama;
	// An old Ollama has no /v1, and may have an empty list of its own. Lemonade shows an empty list although it refuses
	// the key.
	const isRefused =
		'failed' in outcome && (outcome.failed.status === 401 || outcome.failed.status === 403);
	if ('failed' in outcome && (ollama === undefined || isRefused)) throw outcome.failed;
	const kind = 'answer' in outcome ? identify({ models: outcome.answer }) : 'other';
	const advice =
		kind === 'other'
			? 'Ollama: fetch one with "ollama pull". GPUStack: deploy one and allow the key to use it. Router: check --models-dir.'
			: kindOf(kind).advice.noModels;
	throw failure('modelNotFound', connection.contextOf(`${connection.url.api}/models`), {
		message: 'The server has no models',
		remedy: `${advice} You can also type a name with "By Name".`,
	});
}

type OpenAiList = { models: ServerModel[]; answer: CallAnswer } | { failed: ServerError };

async function openAiList(
	connection: Connection,
	signal: AbortSignal | undefined,
): Promise<OpenAiList> {
	const url = `${connection.url.api}/models`;
	const options = { timeoutMs: LIST_LIMIT_MS, signal };
	const look = async (other: string) =>
		await connection.call(other, options).catch(() => undefined);
	const answer = await findApiRoot(connection, await connection.call(url, options), look);
	const models = isRefusal(answer) ? undefined : readModels(answer.json);
	return models === undefined ? { failed: connection.refusal(answer) } : { models, answer };
}

async function withDetails(
	connection: Connection,
	{ models, answer }: Extract<OpenAiList, { models: ServerModel[] }>,
	signal: AbortSignal | undefined,
): Promise<ServerModel[]> {
	const { hasOllamaApi, llamaApi } = kindOf(identify({ models: answer }));
	if (hasOllamaApi === true) {
		const details = (await ollamaList(connection, signal)) ?? [];
		return models.map((model) => ({ ...details.find(({ id }) => id === model.id), ...model }));
	}
	const only = models.length === 1 ? models[0] : undefined;
	// A router's /props needs a model's name and may load it; its list already names the input types.
	if (llamaApi !== 'oneModel' || only === undefined) return models;
	const props = await optionalJson(connection, '/props', { timeoutMs: LIST_LIMIT_MS, signal });
	return [props === undefined ? only : { ...only, state: 'loaded', ...readProps(props) }];
}

async function ollamaList(
	connection: Connection,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const options = { timeoutMs: LIST_LIMIT_MS, signal };
	const [tags, running] = await Promise.all([
		optionalJson(connection, '/api/tags', options).then(ollamaEntries),
		optionalJson(connection, '/api/ps', options).then(ollamaEntries),
	]);
	if (tags === undefined) return undefined;
	return [...tags].map(([id, tag]) =>
		readOllamaModel(id, { tag, running: running?.get(id) ?? null }),
	);
}

/** The models that may answer a chat: all except embedding models and rerankers, if any are left. */
export async function listChatModels(
	connection: Connection,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const models = await listModels(connection, signal);
	const fit = models.filter(({ embeddings, reranks }) => embeddings !== true && reranks !== true);
	return fit.length > 0 ? fit : models;
}

/**
 * A line for a drop-down: name and known facts, for example "qwen3-8b (8.2B, Q4_K_M, 32k context, vision, loaded)".
 *
 * @param name display name
 */
export function describeModel(
	{ id, parameters, quantization, context, vision, audio, state, remoteHost }: ServerModel,
	name = shortModelName(id),
): string {
	const facts = [
		typeof parameters === 'number' ? inBillions(parameters) : parameters,
		quantization,
		context === undefined
			? undefined
			: `${context >= 1024 ? `${Math.round(context / 1024)}k` : context} context`,
		vision === true ? 'vision' : undefined,
		audio === true ? 'audio' : undefined,
		state === 'unloaded' ? 'not loaded' : state,
		remoteHost === undefined ? undefined : `runs on ${remoteHost}`,
	].filter((fact) => fact !== undefined);
	return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

function inBillions(count: number): string {
	return count >= 1e9 ? `${(count / 1e9).toFixed(1)}B` : `${Math.round(count / 1e6)}M`;
}
