/** Models of llama-swap, which starts a server for the requested model (seen: 0bdb372). */
import type { Connection } from '../../../http/connection';
import { isRecord, recordsIn } from '../../../values';
import { pathOfModel } from '../../model-names';
import { CALL_MS, offeredModel, offeredModels } from '../../offered-models';
import { optionalJson } from '../../optional-json';
import type { ServerKind } from '../kind';
import type { Change, ChangeOptions } from '../work';
import { waitForRunningAnswers } from './running-answers';

/** Requests below this URL load the model. */
function rootOf(root: string, model: string): string {
	return `${root}/upstream/${pathOfModel(model)}`;
}

/** Any request loads the model, and is answered once it is loaded. */
export async function loadBehindGateway(
	connection: Connection,
	options: ChangeOptions,
	gateway: ServerKind,
): Promise<Change> {
	const { model, before } = await modelBehind(connection, options, gateway);
	if (before === 'loaded') return { model, before, state: before };
	const { signal, limitMs } = options;
	const url = `${rootOf(connection.url.root, model)}/health`;
	const answer = await connection.call(url, { timeoutMs: limitMs, signal });
	// Any answer of the server behind it means that the model is loaded.
	if (answer.status >= 300 && isOfGateway(answer.json))
		throw failedToLoad(connection, answer, model);
	return { model, before, state: 'loaded' };
}

/** It kills the process after ten seconds even if it is answering. */
export async function unloadBehindGateway(
	connection: Connection,
	options: ChangeOptions,
	gateway: ServerKind,
): Promise<Change> {
	const { model, before } = await modelBehind(connection, options, gateway);
	const done: Change = { model, before, state: 'unloaded' };
	if (before === 'unloaded') return done;
	const { root } = connection.url;
	const { signal, limitMs } = options;
	if (before === 'loaded' && options.cutAnswers !== true) {
		const urlOf = (path: string) => rootOf(root, model) + path;
		done.sawNoAnswers = await waitForRunningAnswers(connection, urlOf, { ...options, model });
	}
	const url = `${root}/api/models/unload/${pathOfModel(model)}`;
	await connection.accepted(url, { method: 'POST', timeoutMs: limitMs, signal, about: { model } });
	return done;
}

/** The model's own name, where the given one is an alias, and its state. */
async function modelBehind(connection: Connection, options: ChangeOptions, gateway: ServerKind) {
	const models = await offeredModels(connection, options);
	const { id: model } = offeredModel(connection, models, options.model, gateway);
	const process = await processOf(connection, model, options.signal);
	if (process?.state === undefined) return { model, before: 'unloaded' };
	return { model, before: process.state === 'ready' ? 'loaded' : String(process.state) };
}

/** `/running` lists the running processes with their states. */
async function processOf(connection: Connection, model: string, signal: AbortSignal | undefined) {
	const answer = await optionalJson(connection, '/running', { timeoutMs: CALL_MS, signal });
	return recordsIn(answer?.running).find((one) => one.model === model);
}

/** Whether an answer is from llama-swap, not from a server behind it. */
export function isOfGateway(json: unknown): boolean {
	return isRecord(json) && json.src === 'llama-swap';
}

function failedToLoad(
	connection: Connection,
	answer: Parameters<Connection['refusal']>[0],
	model: string,
) {
	const refusal = connection.refusal(answer, { model });
	if (refusal.kind === 'modelNotFound') return refusal;
	const { serverText, status } = refusal;
	return connection.failure('modelFailedToLoad', { url: answer.url, model, status, serverText });
}
