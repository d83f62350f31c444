/** Copying and deleting models, and which servers let models be changed at all. */
import { failure } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import type { CallAnswer } from '../../http/types';
import { askServerKindAgain } from '../identify';
import { traitsOf } from '../kinds';
import type { ServerKind } from '../kinds/kind';
import { requireModel } from '../model-names';

const CALL_MS = 60_000;

/**
 * @param what it is asked to do, as in "cannot …"
 * @throws {ServerError} where the server has not got Ollama's API
 */
export async function requireOllamaApi(
	connection: Connection,
	what: string,
	signal?: AbortSignal,
): Promise<ServerKind> {
	const kind = await askServerKindAgain(connection, { signal });
	if (traitsOf(kind).hasOllamaApi === true) return kind;
	throw await cannot(connection, kind, what, 'Only Ollama can.', signal);
}

/** @throws {ServerError} */
export async function copyModel(
	connection: Connection,
	{ model, copy, signal }: { model: string; copy: string; signal?: AbortSignal },
): Promise<{ model: string; copy: string; server: ServerKind }> {
	requireModel(model);
	const server = await requireOllamaApi(connection, 'copy models', signal);
	const url = `${connection.url.root}/api/copy`;
	const json = { source: model, destination: copy };
	accepted(connection, await connection.call(url, { json, timeoutMs: CALL_MS, signal }), model);
	return { model, copy, server };
}

/**
 * Deletes a model from the server's disk: Ollama, the download cache of a router, speaches.
 *
 * @throws {ServerError}
 */
export async function deleteModel(
	connection: Connection,
	{ model, signal }: { model: string; signal?: AbortSignal },
): Promise<{ model: string; deleted: true; server: ServerKind }> {
	requireModel(model);
	const kind = await askServerKindAgain(connection, { signal });
	const { root, api } = connection.url;
	const { hasOllamaApi, llamaApi, installsModels } = traitsOf(kind);
	const common = { method: 'DELETE' as const, timeoutMs: CALL_MS, signal };
	if (hasOllamaApi === true) {
		// The name goes in the body, which Ollama wants also of this method.
		accepted(connection, await connection.call(`${root}/api/delete`, { ...common, json: { model } }), model);
	} else if (llamaApi === 'router') {
		const url = `${root}/models?model=${encodeURIComponent(model.toWellFormed())}`;
		const answer = await connection.call(url, common);
		if (/is not removable/i.test(answer.text))
			throw failure('notSupported', connection.contextOf(url, { model }), {
				status: answer.status,
				serverText: answer.text,
				message: `The router does not delete the model "${model}"`,
				remedy:
					'It deletes what it has downloaded itself, and nothing of --models-dir or --models-preset. Delete the file there.',
			});
		accepted(connection, answer, model);
	} else if (installsModels === true) {
		const url = `${api}/models/${model.split('/').map(encodeURIComponent).join('/')}`;
		accepted(connection, await connection.call(url, common), model);
	} else {
		throw await cannot(
			connection,
			kind,
			'delete models',
			"Only Ollama, llama-server's router and speaches can.",
			signal,
		);
	}
	return { model, deleted: true, server: kind };
}

/** Success is an empty 200. */
function accepted(connection: Connection, answer: CallAnswer, model: string): void {
	if (answer.status >= 300) throw connection.refusal(answer, { model });
}

/** A server that is down, or refuses the key, tells nothing of its kind: then that is what is wrong. */
async function cannot(
	connection: Connection,
	kind: ServerKind,
	what: string,
	remedy: string,
	signal: AbortSignal | undefined,
): Promise<ServerError> {
	if (kind === 'other') {
		const answer = await connection.call(`${connection.url.api}/models`, { signal });
		if (answer.status === 401 || answer.status === 403) return connection.refusal(answer);
	}
	return failure('notSupported', connection.contextOf(connection.url.root), {
		message: `${traitsOf(kind).label} cannot ${what} on request`,
		remedy,
	});
}
