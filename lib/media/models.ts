import { failure } from '../errors/failure';
import type { Connection } from '../http/connection';
import { traitsOf } from '../servers/kinds';
import { listModels } from '../servers/model-list';
import type { ServerModel } from '../servers/models';
import { kindFor, modelsOfUse } from '../servers/purpose';
import type { MediaTask } from './task';

/**
 * The models of a server that may serve a task: GPUStack tells by its categories, speaches by its tasks, llama-server by
 * what its models can read. Of other servers all models.
 *
 * @throws {ServerError} also where none is left
 */
export async function listMediaModels(
	connection: Connection,
	task: MediaTask,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const kind = await kindFor(connection, '', signal);
	const { transcribesAtInference, advice, label } = traitsOf(kind);
	if (transcribesAtInference === true)
		throw failure('notSupported', connection.contextOf(connection.url.api), {
			message: 'whisper.cpp has no list of models',
			remedy: 'It has one model: leave the field empty.',
		});
	const named = await modelsOfUse(connection, kind, task, signal);
	const fit = named ?? (await listModels(connection, signal)).filter((model) => mayServe(model, task));
	if (fit.length > 0) return fit;
	throw failure('modelNotFound', connection.contextOf(`${connection.url.api}/models`), {
		message: `${kind === 'other' ? 'The server' : label} has no model for this`,
		remedy: `${advice.noModels} You can also type a name with "By Name".`,
	});
}

/** A model for vectors makes neither pictures nor sound; one that is known to be deaf transcribes nothing. */
function mayServe({ embeddings, reranks, audio }: ServerModel, task: MediaTask): boolean {
	return embeddings !== true && reranks !== true && !(task === 'transcription' && audio === false);
}
