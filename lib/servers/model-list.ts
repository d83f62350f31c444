import type { Connection } from '../http/connection';
import type { ServerError } from '../errors/server-error';
import { isRefusal } from '../errors/http-failure';
import type { CallAnswer } from '../http/types';
import { findApiRoot } from './api-root';
import { identify, learnFromList } from './identify';
import { type KindName, KINDS, kindOf } from './kinds';
import { readModelsInSlices, type ServerModel } from './models';

const LIST_LIMIT_MS = 10_000;

/**
 * The models of a server: from `/v1/models`, with details that its kind has besides, or if that has none, from the own
 * list of a kind that has one. Neither loads a model nor wakes a sleeping server.
 *
 * @throws {ServerError} if there is no list, or an empty one
 */
export async function listModels(
	connection: Connection,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const outcome = await openAiList(connection, signal);
	if ('models' in outcome && outcome.models.length > 0) {
		const { withDetails } = kindOf(learnFromList(connection, outcome.answer)).models;
		return (await withDetails?.(connection, outcome.models, signal)) ?? outcome.models;
	}
	const ownList = await ownListOf(connection, signal);
	if (ownList !== undefined && ownList.length > 0) return ownList;
	if ('failed' in outcome)
		throw isFinal(outcome.failed, ownList) ? outcome.failed : noModels(connection, 'other');
	throw noModels(connection, identify({ models: outcome.answer }));
}

/**
 * Whether the failure of OpenAI's list explains why there are no models. An old Ollama has no /v1, and may have an
 * empty list of its own. Lemonade shows an empty list although it refuses the key.
 */
function isFinal({ status }: ServerError, ownList: ServerModel[] | undefined): boolean {
	return ownList === undefined || status === 401 || status === 403;
}

/** The failure of a server whose list is empty. */
export function noModels(connection: Connection, kind: KindName): ServerError {
	return connection.failure('modelNotFound', {
		url: `${connection.url.api}/models`,
		message: 'The server has no models',
		remedy: `${kindOf(kind).words.noModels} You can also type a name with "By Name".`,
	});
}

/** The list of a server that may be of any kind with an own list. */
async function ownListOf(
	connection: Connection,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	for (const { models } of Object.values(KINDS)) {
		const list = await models.list?.(connection, signal);
		if (list !== undefined) return list;
	}
	return undefined;
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
	const models = isRefusal(answer) ? undefined : await readModelsInSlices(answer.json);
	if (models !== undefined) return { models, answer };
	return { failed: connection.refusal(answer) };
}

/** The models that may answer a chat: not those that write no text, if others are left. */
export async function listChatModels(
	connection: Connection,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	return thoseIfAny(await listModels(connection, signal), writesText);
}

function thoseIfAny(models: ServerModel[], isFit: (model: ServerModel) => boolean): ServerModel[] {
	const fit = models.filter(isFit);
	return fit.length > 0 ? fit : models;
}

function writesText({ embeddings, reranks }: ServerModel): boolean {
	return embeddings !== true && reranks !== true;
}
