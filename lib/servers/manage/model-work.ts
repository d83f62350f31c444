/** What all work on the models of a server has in common. */
import { failure } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { pauseFor } from '../../http/waiting';
import { askServerKindAgain } from '../identify';
import { type ServerKind, traitsOf } from '../kinds';
import { isModelNamed, requireModel, missingModelAdvice } from '../model-names';
import { readModels, type ServerModel } from '../models';

export const CALL_MS = 15_000;
const PAUSE_MS = 500;

/** The model that something is done with. */
export interface ModelWork {
	model: string;
	signal?: AbortSignal;
}

/**
 * Does something with a model, and tells who did it and how long it took.
 *
 * @param work is told which kind of server it is, asked just now
 * @throws {ServerError}
 */
export async function workOnModel<Options extends ModelWork, Done extends object>(
	connection: Connection,
	options: Options,
	work: (kind: ServerKind, options: Options) => Promise<Done>,
): Promise<{ model: string; server: ServerKind; tookMs: number } & Done> {
	const startedAt = performance.now();
	const model = options.model.trim();
	requireModel(model);
	const server = await askServerKindAgain(connection, { signal: options.signal, limitMs: CALL_MS });
	const done = await work(server, { ...options, model });
	return { model, server, ...done, tookMs: Math.round(performance.now() - startedAt) };
}

/** @throws {ServerError} where there is no list */
export async function offeredModels(connection: Connection, { model, signal }: ModelWork) {
	const answer = await connection.accepted(`${connection.url.api}/models`, {
		timeoutMs: CALL_MS,
		signal,
		about: { model },
	});
	return { answer, models: readModels(answer.json) ?? [] };
}

/** The model of a list that is meant by a name. @throws {ServerError} where there is none */
export function offeredModel(
	connection: Connection,
	models: readonly ServerModel[],
	model: string,
	kind: ServerKind,
): ServerModel {
	const found = models.find((one) => isModelNamed(one, model, traitsOf(kind)));
	if (found !== undefined) return found;
	const others = models.map(({ id }) => id);
	throw failure('modelNotFound', connection.contextOf(`${connection.url.api}/models`, { model }), {
		message: `The server does not offer the model "${model}"`,
		remedy:
			missingModelAdvice(others, traitsOf(kind).advice.missingModel?.(model)) || 'Choose the model from the list.',
		facts: { models: others },
	});
}

/**
 * The error of a server that cannot do something with its models. One that is down, or refuses the key, tells nothing of
 * its kind: then that is what is wrong.
 *
 * @param what it is asked to do, as in "cannot …"
 */
export async function cannot(
	connection: Connection,
	kind: ServerKind,
	what: string,
	who: string,
	signal: AbortSignal | undefined,
): Promise<ServerError> {
	if (kind === 'other') {
		const answer = await connection.call(`${connection.url.api}/models`, { signal });
		if (answer.status === 401 || answer.status === 403) return connection.refusal(answer);
	}
	return failure('notSupported', connection.contextOf(connection.url.root), {
		message: `${traitsOf(kind).label} cannot ${what} on request`,
		remedy: `Only ${who} can.`,
	});
}

/** @throws {ServerError} where the server has not got Ollama's API */
export async function requireOllamaApi(
	connection: Connection,
	kind: ServerKind,
	what: string,
	signal: AbortSignal | undefined,
): Promise<void> {
	if (traitsOf(kind).hasOllamaApi !== true) throw await cannot(connection, kind, what, 'Ollama', signal);
}

/** Looks again and again until there is something to see. */
export async function pollUntil<Seen>(
	{ limitMs, pauseMs = PAUSE_MS, signal }: { limitMs: number; pauseMs?: number; signal?: AbortSignal },
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
	/** Wait until it is done. Ollama and llama-swap always do. */
	wait: boolean;
	/** Unload a model that is answering, which cuts its answers off. */
	cutAnswers?: boolean;
	/** For all of it. */
	limitMs: number;
	/** Between looks at a router's list. */
	pauseMs?: number;
}

/** What became of the state of a model. */
export interface Change {
	/** Its name in the configuration of the server. */
	model: string;
	/** What it was before. */
	before: string;
	/** What it is now. */
	state: string;
	/**
	 * Unloaded from a router or llama-swap: whether it was seen that no answer was being generated. False: the server does
	 * not show that.
	 */
	sawNoAnswers?: boolean;
}
