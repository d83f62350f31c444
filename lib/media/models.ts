import { failure } from '../errors/failure';
import type { Connection } from '../http/connection';
import { traitsOf } from '../servers/kinds';
import { listModels } from '../servers/model-list';
import { modelEntries, readModels, type ServerModel } from '../servers/models';
import { kindFor } from '../servers/purpose';
import type { MediaTask } from './task';

const LIMIT_MS = 10_000;

/** GPUStack's own words (gpustack.ai, API reference). */
const CATEGORIES: Readonly<Record<MediaTask, string>> = {
	images: 'image',
	transcription: 'speech_to_text',
	speech: 'text_to_speech',
};

/** What speaches says of its models. It makes no pictures. */
const TASKS: Readonly<Partial<Record<MediaTask, string>>> = {
	transcription: 'automatic-speech-recognition',
	speech: 'text-to-speech',
};

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
	const fit =
		kind === 'gpustack'
			? await ofCategory(connection, CATEGORIES[task], signal)
			: kind === 'speaches'
				? await ofTask(connection, TASKS[task], signal)
				: (await listModels(connection, signal)).filter((model) => mayServe(model, task));
	if (fit !== undefined && fit.length > 0) return fit;
	throw failure('modelNotFound', connection.contextOf(`${connection.url.api}/models`), {
		message: `${kind === 'other' ? 'The server' : label} has no model for this`,
		remedy: `${advice.noModels} You can also type a name with "By Name".`,
	});
}

/** A model for vectors makes neither pictures nor sound; one that is known to be deaf transcribes nothing. */
function mayServe({ embeddings, reranks, audio }: ServerModel, task: MediaTask): boolean {
	return embeddings !== true && reranks !== true && !(task === 'transcription' && audio === false);
}

async function ofCategory(
	connection: Connection,
	category: string,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const url = `${connection.url.api}/models?categories=${category}`;
	const answer = await connection.call(url, { timeoutMs: LIMIT_MS, signal });
	if (answer.status >= 300) throw connection.refusal(answer);
	return readModels(answer.json);
}

async function ofTask(
	connection: Connection,
	task: string | undefined,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const answer = await connection.call(`${connection.url.api}/models`, { timeoutMs: LIMIT_MS, signal });
	if (answer.status >= 300) throw connection.refusal(answer);
	return readModels((modelEntries(answer.json) ?? []).filter((entry) => entry.task === task));
}
