import { invalidInput } from '../errors/failure';
import { asFailed, ServerError } from '../errors/server-error';
import type { Connection } from '../http/connection';
import type { Limits } from '../http/limits';
import type { FormSent } from '../http/multipart';
import type { RetryPolicy } from '../http/types';
import {
	isIdentified,
	type KindName,
	kindOf,
	kindOfRefusal,
	labelsOf,
	subjectOf,
} from '../servers/kinds';
import type { MediaTask } from '../servers/kinds/task-abilities';
import { kindFor } from '../servers/purpose';
import { retryUntilReady } from '../servers/retry';

/** Options of every media request. */
export interface MediaOptions {
	limits: Partial<Limits>;
	retries: number;
	signal?: AbortSignal;
}

/** The options of a request, with how it is retried. */
export interface MediaAttempt extends MediaOptions {
	newRetryPolicy: () => RetryPolicy;
}

/** A request to a server. */
export interface MediaCall<Request, Options extends MediaOptions = MediaOptions> {
	connection: Connection;
	request: Request;
	options: Options & MediaAttempt;
	kind: KindName;
}

/** A request to a server that can do this. @throws {ServerError} if it cannot */
export async function callFor<Request extends { model: string }, Options extends MediaOptions>(
	connection: Connection,
	use: MediaTask,
	request: Request,
	options: Options,
): Promise<MediaCall<Request, Options>> {
	const { limits, retries, signal } = options;
	const { model } = request;
	const kind = await kindForMedia(connection, use, model, signal);
	const retry = { retries, firstTokenMs: limits.firstTokenMs, about: aboutModel(model) };
	const newRetryPolicy = () => retryUntilReady(connection, retry);
	return { connection, request, options: { ...options, newRetryPolicy }, kind };
}

function aboutModel(model: string): { model?: string } {
	return model === '' ? {} : { model };
}

/** Servers that are known for a task, for errors of those that lack it. */
function whoCan(task: MediaTask): string {
	return `These can: ${labelsOf(({ media }) => media.knownFor?.includes(task))}.`;
}

const WHAT: Readonly<Record<MediaTask, string>> = {
	images: 'make pictures',
	transcription: 'transcribe sound',
	speech: 'speak',
};

/**
 * Kind of the server, if it can take the request.
 *
 * @throws {ServerError} where the server would refuse the request, or never answer it
 */
async function kindForMedia(
	connection: Connection,
	task: MediaTask,
	model: string,
	signal?: AbortSignal,
): Promise<KindName> {
	const kind = await kindFor(connection, model, signal);
	const { label, media } = kindOf(kind);
	const isSwallowed = task === 'images' && media.swallowsImageRequests === true;
	if (isSwallowed || (await media.lacks?.(connection, task)) === true) {
		const words = cannot(task, kind);
		const meaning = `${words.message}, so nothing was sent`;
		throw connection.failure('notSupported', { ...words, meaning });
	}
	if (media.needsModel === true && model === '')
		throw connection.failure('invalidInput', {
			message: `${label} needs the name of a model`,
			remedy: 'Choose a model from the list or type its name. Nothing was sent.',
		});
	return kind;
}

/** Retries and limits of a request, and the model that its errors name. */
export function sendOptions(model: string, { limits, signal, newRetryPolicy }: MediaAttempt) {
	return {
		about: aboutModel(model),
		limits,
		signal,
		retry: newRetryPolicy(),
	};
}

/** Rewords the error of a server that has no route or no model for a task, and names servers that have. */
export function mediaFailure(
	error: ServerError,
	task: MediaTask,
	kind: KindName,
	model: string,
): ServerError {
	if (isSilence(error))
		return error.reworded({
			message: 'The server did not begin to answer within the first-token limit',
			remedy:
				'It sends nothing while it works on a picture or a recording: raise "First Token Limit" (0 = no limit), ask for less at once, or check with Server Health whether it is busy or stuck.',
		});
	const { kind: failureKind, status, serverText } = error;
	const { missingModel } = kindOf(kindOfRefusal(serverText) ?? kind).words;
	if (failureKind === 'modelNotFound' && missingModel !== undefined)
		return error.withRemedy(`Choose the model from the list, or ${missingModel(model)}`);
	if (task === 'transcription' && (status === 501 || failureKind === 'modalityUnsupported'))
		return missingAudio(error, kind);
	return lacksTask(error, task) ? missingRoute(error, task, kind, model) : error;
}

function lacksTask(error: ServerError, task: MediaTask): boolean {
	return lacksRoute(error) || (task === 'transcription' && readsOnlyJson(error));
}

/** It takes a recording for broken JSON, as routers do that know no uploads (vLLM's). */
function readsOnlyJson({ status, serverText }: ServerError): boolean {
	return status === 400 && /\b(?:in)?valid json\b|\bnot json parsable\b/i.test(serverText ?? '');
}

/** Errors of n8n's queue and of jobs say more themselves. */
function isSilence({ kind, facts }: ServerError): boolean {
	return kind === 'firstTokenLimit' && facts.queued !== true && facts.jobStatus === undefined;
}

function missingAudio(error: ServerError, kind: KindName): ServerError {
	const { transcriptionOff } = kindOf(kind).words;
	return error.reworded({
		kind: 'notSupported',
		message: 'The model of the server takes no audio',
		remedy: [transcriptionOff, whoCan('transcription')].filter(Boolean).join(' '),
	});
}

/** A server that is known for a task has a route for it: the model is for something else. */
function missingRoute(
	error: ServerError,
	task: MediaTask,
	kind: KindName,
	model: string,
): ServerError {
	const isKnownFor = kindOf(kind).media.knownFor?.includes(task) === true;
	if (isKnownFor && model !== '')
		return error.reworded({
			kind: 'notSupported',
			message: `The model "${model}" cannot ${WHAT[task]}`,
			remedy: 'Choose a model that can.',
		});
	const words = cannot(task, kind);
	const mayBeElsewhere = error.status === 404 && !isIdentified(kind);
	return error.reworded({
		kind: 'notSupported',
		...words,
		meaning: `${subjectOf(kind)} has no route to ${WHAT[task]}`,
		remedy: mayBeElsewhere ? `${WRONG_ADDRESS} ${words.remedy}` : words.remedy,
	});
}

const WRONG_ADDRESS = 'Check the Base URL if no other request works with it either.';

function lacksRoute({ kind, status }: ServerError): boolean {
	return status === 405 || status === 501 || (status === 404 && kind === 'wrongPath');
}

function cannot(task: MediaTask, kind: KindName) {
	return {
		message: `${subjectOf(kind)} cannot ${WHAT[task]}`,
		remedy: `${whoCan(task)} Make a second credential for that server.`,
	};
}

/** Explains a failed upload: the file could not be read, or the server or a proxy cut the connection. */
export async function uploadFailure(
	error: unknown,
	form: FormSent,
	connection: Connection,
	url: string,
): Promise<unknown> {
	if (form.unreadable !== undefined)
		return invalidInput(
			`"${form.unreadable.name}" could not be read: ${form.unreadable.reason}`,
			'Look at the binary data of the item, and at where n8n stores binary data.',
		);
	const isBroken =
		error instanceof ServerError &&
		(error.kind === 'closedBeforeAnswer' || error.kind === 'connectionLost');
	if (!isBroken) return error;
	// A server that lacks the route may close at once, and its refusal is lost in that (uvicorn).
	const empty = await connection.call(url, { method: 'POST', timeoutMs: 3_000 }).catch(asFailed);
	if ('status' in empty && [404, 405].includes(empty.status)) return connection.refusal(empty);
	if (form.bytes === 0) return error;
	return error.reworded({
		message: `The connection was closed while the file was sent (${form.bytes} bytes had gone)`,
		remedy:
			'Usually the file is too large for the server or a proxy in front of it (nginx: client_max_body_size), or the server failed over it: look at its log.',
	});
}
