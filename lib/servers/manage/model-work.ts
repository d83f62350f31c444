/** Common parts of the actions on a server's models. */
import { failure } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { pauseFor } from '../../http/waiting';
import { askServerKindAgain } from '../identify';
import { type KindName, kindOf } from '../kinds';
import { isModelNamed, requireModel, missingModelAdvice } from '../model-names';
import { readModels, type ServerModel } from '../models';

export const CALL_MS = 15_000;
const PAUSE_MS = 500;

export interface ModelWork {
	model: string;
	signal?: AbortSignal;
}

/**
 * Runs an action on a model, and adds the kind of server and the duration in milliseconds.
 *
 * @param work called with the kind of server, which is not taken from the cache
 * @throws {ServerError}
 */
export async function workOnModel<Options extends ModelWork, Done extends object>(
	connection: Connection,
	options: Options,
	work: (kind: KindName, options: Options) => Promise<Done>,
): Promise<{ model: string; server: KindName; tookMs: number } & Done> {
	const startedAt = performance.now();
	const model = options.model.trim();
	requireModel(model);
	const server = await askServerKindAgain(connection, { signal: options.signal, limitMs: CALL_MS });
	const done = await work(server, { ...options, model });
	return { model, server, ...done, tookMs: Math.round(performance.now() - startedAt) };
}

/** @throws {ServerError} if the server sends no list */
export async function offeredModels(connection: Connection, { model, signal }: ModelWork) {
	const answer = await connection.accepted(`${connection.url.api}/models`, {
		timeoutMs: CALL_MS,
		signal,
		about: { model },
	});
	return { answer, models: readModels(answer.json) ?? [] };
}

/** Finds a model in a list by its name or alias. @throws {ServerError} of kind `modelNotFound` */
export function offeredModel(
	connection: Connection,
	models: readonly ServerModel[],
	model: string,
	kind: KindName,
): ServerModel {
	const found = models.find((one) => isModelNamed(one, model, kindOf(kind)));
	if (found !== undefined) return found;
	const others = models.map(({ id }) => id);
	throw failure('modelNotFound', connection.contextOf(`${connection.url.api}/models`, { model }), {
		message: `The server does not offer the model "${model}"`,
		remedy:
			missingModelAdvice(others, kindOf(kind).advice.missingModel?.(model)) ||
			'Choose the model from the list.',
		facts: { models: others },
	});
}

/**
 * The error for a server that cannot do this with its models. The kind of a server that refuses the key, or is down, is
 * unknown: then that failure is reported.
 *
 * @param what the action, in words after "cannot"
 */
export async function unsupported(
	connection: Connection,
	kind: KindName,
	what: string,
	who: string,
	signal: AbortSignal | undefined,
): Promise<ServerError> {
	if (kind === 'other') {
		const answer = await connection.call(`${connection.url.api}/models`, { signal });
		if (answer.status === 401 || answer.status === 403) return connection.refusal(answer);
	}
	return failure('notSupported', connection.contextOf(connection.url.root), {
		message: `${kindOf(kind).label} cannot ${what} on request`,
		remedy: `Only ${who} can.`,
	});
}

/** @throws {ServerError} of kind `notSupported` if the server lacks Ollama's API */
export async function requireOllamaApi(
	connection: Connection,
	kind: KindName,
	what: string,
	signal: AbortSignal | undefined,
): Promise<void> {
	if (kindOf(kind).hasOllamaApi !== true)
		throw await unsupported(connection, kind, what, 'Ollama', signal);
}

/** Polls until `look` returns a value. @throws what `late` returns, after `limitMs` */
export async function pollUntil<Seen>(
	{
		limitMs,
		pauseMs = PAUSE_MS,
		signal,
	}: { limitMs: number; pauseMs?: number; signal?: AbortSignal },
	look: () => Promise<Seen | undefined>,
	late: () => ServerError,
): Promise<Seen> {
	const startedAt = performance.now();
	for (;;) {
		const seen = await look();
		if (seen !== undefined) return seen;
		if (performance.now() - startedAt > limitMs) throw late();
		await pauseFor(pauseMs, signal);
	}
}

export type ModelAction = 'load' | 'unload';

export interface ChangeOptions extends ModelWork {
	/** Wait until it is done. With Ollama and llama-swap this is always so. */
	wait: boolean;
	/** Unload a model even if that cuts off running answers. */
	cutAnswers?: boolean;
	/** Limit for the whole action. */
	limitMs: number;
	/** Between polls of a router's list. */
	pauseMs?: number;
}

/** The state of a model before and after. */
export interface Change {
	/** Its name on the server, where an alias was given. */
	model: string;
	before: string;
	state: string;
	/**
	 * After unloading from a router or llama-swap: whether it was certain that no answer was running. False: the server
	 * does not show that.
	 */
	sawNoAnswers?: boolean;
}
