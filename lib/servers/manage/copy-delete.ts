/** Copying and deleting models. */
import { failure } from '../../errors/failure';
import type { Connection } from '../../http/connection';
import { kindOf } from '../kinds';
import { pathOfModel } from '../model-names';
import { unsupported, requireOllamaApi, workOnModel, type ModelWork } from './model-work';

const LIMIT_MS = 60_000;

/** @throws {ServerError} */
export async function copyModel(connection: Connection, options: ModelWork & { copy: string }) {
	return await workOnModel(connection, options, async (kind, { model, copy, signal }) => {
		await requireOllamaApi(connection, kind, 'copy models', signal);
		const json = { source: model, destination: copy };
		const url = `${connection.url.root}/api/copy`;
		await connection.accepted(url, { json, timeoutMs: LIMIT_MS, signal, about: { model } });
		return { copy };
	});
}

/**
 * Deletes a model from the server's disk: Ollama, the download cache of a router, speaches.
 *
 * @throws {ServerError}
 */
export async function deleteModel(connection: Connection, options: ModelWork) {
	return await workOnModel(connection, options, async (kind, { model, signal }) => {
		const { root, api } = connection.url;
		const { hasOllamaApi, llamaApi, installsModels } = kindOf(kind);
		const call = { method: 'DELETE' as const, timeoutMs: LIMIT_MS, signal, about: { model } };
		// Ollama expects a body with DELETE, too.
		if (hasOllamaApi === true)
			await connection.accepted(`${root}/api/delete`, { ...call, json: { model } });
		else if (llamaApi === 'router') await deleteOnRouter(connection, model, call);
		else if (installsModels === true)
			await connection.accepted(`${api}/models/${pathOfModel(model)}`, call);
		else
			throw await unsupported(
				connection,
				kind,
				'delete models',
				"Ollama, llama-server's router and speaches",
				signal,
			);
		return { deleted: true };
	});
}

async function deleteOnRouter(
	connection: Connection,
	model: string,
	call: Parameters<Connection['call']>[1],
) {
	const url = `${connection.url.root}/models?model=${encodeURIComponent(model.toWellFormed())}`;
	const answer = await connection.call(url, call);
	if (/is not removable/i.test(answer.text))
		throw failure('notSupported', connection.contextOf(url, { model }), {
			status: answer.status,
			serverText: answer.text,
			message: `The router does not delete the model "${model}"`,
			remedy:
				'It deletes what it has downloaded itself, and nothing of --models-dir or --models-preset. Delete the file there.',
		});
	if (answer.status >= 300) throw connection.refusal(answer, { model });
}
