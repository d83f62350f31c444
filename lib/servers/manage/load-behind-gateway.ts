import { failure } from '../../errors/failure';
import type { Connection } from '../../http/connection';
import { recordsIn } from '../../values';
import { type KindName, kindOf } from '../kinds';
import { pathOfModel } from '../model-names';
import {
	CALL_MS,
	type Change,
	type ChangeOptions,
	type ModelAction,
	offeredModel,
	offeredModels,
} from './model-work';
import { optionalJson } from '../optional-json';
import { waitForRunningAnswers } from './running-answers';

/**
 * Loads or unloads a model on llama-swap. It loads a model for any request, which is answered once the model is loaded.
 * On unload, it kills the process after ten seconds even if it is answering (seen: 0bdb372).
 */
export async function changeBehindGateway(
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions & { kind: KindName },
): Promise<Change> {
	// The given name may be an alias.
	const { models } = await offeredModels(connection, options);
	const { id: model } = offeredModel(connection, models, options.model, options.kind);
	const before = await stateOf(connection, { ...options, model });
	const done: Change = { model, before, state: before };
	const wanted = action === 'load' ? 'loaded' : 'unloaded';
	if (before === wanted) return done;
	const { root } = connection.url;
	const { modelRoot: rootOf, isOwnAnswer } = kindOf(options.kind);
	const modelRoot = rootOf!(root, model);
	const { signal, limitMs } = options;
	if (action === 'load') {
		const answer = await connection.call(`${modelRoot}/health`, { timeoutMs: limitMs, signal });
		// Any answer of the server behind it means that the model is loaded.
		if (answer.status >= 300 && isOwnAnswer?.(answer.json) === true)
			throw failedToLoad(connection, answer, model);
		return { ...done, state: wanted };
	}
	if (before === 'loaded' && options.cutAnswers !== true)
		done.sawNoAnswers = await waitForRunningAnswers(connection, (path) => modelRoot + path, {
			...options,
			model,
		});
	const url = `${root}/api/models/unload/${pathOfModel(model)}`;
	await connection.accepted(url, { method: 'POST', timeoutMs: limitMs, signal, about: { model } });
	return { ...done, state: wanted };
}

/** `/running` lists the running processes with their states. */
async function stateOf(connection: Connection, { model, signal }: ChangeOptions): Promise<string> {
	const answer = await optionalJson(connection, '/running', { timeoutMs: CALL_MS, signal });
	const state = recordsIn(answer?.running).find((one) => one.model === model)?.state;
	if (state === undefined) return 'unloaded';
	return state === 'ready' ? 'loaded' : String(state);
}

function failedToLoad(
	connection: Connection,
	answer: Parameters<Connection['refusal']>[0],
	model: string,
) {
	const { serverText, status, kind } = connection.refusal(answer, { model });
	if (kind === 'modelNotFound') return connection.refusal(answer, { model });
	return failure('modelFailedToLoad', connection.contextOf(answer.url, { model }), {
		status,
		serverText,
	});
}
