import type { Connection } from '../http/connection';
import { seconds } from '../errors/remedies';
import { pauseFor } from '../http/waiting';
import type { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import { identify } from './identify';
import { traitsOf } from './kinds';
import { isModelNamed, isNamed } from './model-names';
import { ollamaEntries, readModels, type ServerModel } from './models';
import { isRecord } from '../values';

export type ModelAction = 'load' | 'unload';

export interface ChangeOptions {
	model: string;
	/** Wait until it is done. Ollama always does. */
	wait: boolean;
	/** For all of it. */
	limitMs: number;
	signal?: AbortSignal;
	/** Between looks at a router's list. */
	pauseMs?: number;
}

export interface ModelChange {
	model: string;
	server: 'llamaRouter' | 'ollama';
	/** What it was before. */
	before: string;
	/** What it is now. */
	state: string;
	changed: boolean;
	tookMs: number;
}

const CALL_MS = 10_000;
const PAUSE_MS = 500;

/**
 * Loads a model into memory or takes it out, on llama-server's router and on Ollama. A model that is already as wanted is left alone.
 *
 * @throws {ServerError} where the server cannot do that, does not know the model, fails, or needs longer than the limit
 */
export async function changeModel(
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions,
): Promise<ModelChange> {
	const startedAt = performance.now();
	const model = options.model.trim();
	if (model === '')
		throw failure(
			'invalidInput',
			{},
			{ message: 'No model is chosen', remedy: 'Choose a model from the list or type its name.' },
		);
	const ollama = await runningOnOllama(connection, options);
	const change =
		ollama === undefined
			? await changeOnRouter(connection, action, { ...options, model })
			: await changeOnOllama(connection, action, { ...options, model }, ollama);
	return { ...change, changed: change.before !== change.state, tookMs: Math.round(performance.now() - startedAt) };
}

type Change = Omit<ModelChange, 'changed' | 'tookMs'>;

async function routerModel(connection: Connection, { model, signal }: ChangeOptions): Promise<ServerModel> {
	const url = `${connection.url.api}/models`;
	const answer = await connection.call(url, { timeoutMs: CALL_MS, signal });
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	const models = readModels(answer.json) ?? [];
	if (traitsOf(identify({ models: answer })).loading !== 'router') {
		throw failure('notSupported', connection.contextOf(url, { model }), {
			message: 'This server cannot load or unload models on request',
			remedy:
				"Only Ollama and llama-server's router can. A llama-server is a router when it is started without a model: llama-server --models-dir FOLDER.",
		});
	}
	const found = models.find((one) => isModelNamed(one, model));
	if (found !== undefined) return found;
	const others = models.map(({ id }) => id);
	throw failure('modelNotFound', connection.contextOf(url, { model }), {
		message: `The server does not offer the model "${model}"`,
		remedy: `${othersToUse(others)}Put its GGUF file into the folder of --models-dir and restart the router.`,
		facts: { models: others },
	});
}

function othersToUse(names: readonly string[]): string {
	if (names.length === 0) return '';
	return `Use one of: ${names.slice(0, 10).join(', ')}${names.length > 10 ? `, and ${names.length - 10} more` : ''}. Or: `;
}

async function changeOnRouter(connection: Connection, action: ModelAction, options: ChangeOptions): Promise<Change> {
	const { id: model, state: before = 'unknown' } = await routerModel(connection, options);
	const isUp = before === 'loaded' || before === 'loading' || before === 'sleeping';
	const done: Change = { model, server: 'llamaRouter', before, state: before };
	if (action === 'unload' && !isUp) return done;
	if (action === 'unload' || !isUp) await order(connection, action, { ...options, model });
	if (!options.wait)
		return { ...done, state: isUp === (action === 'load') ? before : action === 'load' ? 'loading' : 'unloaded' };
	return { ...done, state: await settled(connection, action, { ...options, model }) };
}

async function order(connection: Connection, action: ModelAction, { model, signal }: ChangeOptions): Promise<void> {
	const url = `${connection.url.root}/models/${action}`;
	const answer = await connection.call(url, { json: { model }, timeoutMs: CALL_MS, signal });
	if (answer.status < 300) return;
	const refusal = connection.refusal(answer, { model });
	// Somebody else was quicker: what was wanted is so.
	if (!/is already running|is not running/.test(refusal.serverText ?? '')) throw refusal;
}

/** Looks at the list until the state is final. */
async function settled(connection: Connection, action: ModelAction, options: ChangeOptions): Promise<string> {
	const url = `${connection.url.root}/models/${action}`;
	return await lookedUntil(connection, action, url, options, async () => {
		const { state, exitCode } = await routerModel(connection, options);
		if (action === 'load' && state === 'failed')
			throw failure('modelFailedToLoad', connection.contextOf(url, { model: options.model }), { facts: { exitCode } });
		const isFinal =
			action === 'load'
				? state === 'loaded' || state === 'sleeping'
				: state === 'unloaded' || state === 'downloaded' || state === 'failed';
		return isFinal ? state : undefined;
	});
}

/** Looks again and again until there is something to see. */
async function lookedUntil(
	connection: Connection,
	action: ModelAction,
	url: string,
	options: ChangeOptions,
	look: () => Promise<string | undefined>,
): Promise<string> {
	const startedAt = performance.now();
	for (;;) {
		const seen = await look();
		if (seen !== undefined) return seen;
		if (performance.now() - startedAt > options.limitMs) throw tooSlow(connection, action, url, options);
		await pauseFor(options.pauseMs ?? PAUSE_MS, options.signal);
	}
}

function tooSlow(
	connection: Connection,
	action: ModelAction,
	url: string,
	{ model, limitMs }: ChangeOptions,
): ServerError {
	const remedy = 'Raise the time limit of the node. ';
	return failure('loading', connection.contextOf(url, { model }), {
		about: { limitMs },
		...(action === 'load'
			? { remedy: `${remedy}Large models on slow disks take minutes.` }
			: {
					message: `The model "${model}" is still in memory after ${seconds(limitMs)}`,
					remedy: `${remedy}A model that is answering stays until it has answered.`,
				}),
	});
}

/** The names of the models that Ollama has loaded; undefined where this is no Ollama. */
async function runningOnOllama(connection: Connection, { signal }: ChangeOptions): Promise<string[] | undefined> {
	const answer = await connection.call(`${connection.url.root}/api/ps`, { timeoutMs: CALL_MS, signal });
	const models = answer.status < 300 && isRecord(answer.json) ? ollamaEntries(answer.json) : undefined;
	return models === undefined ? undefined : [...models.keys()];
}

/** A generation without a prompt only loads; with `keep_alive` 0 it only unloads (contract llama-server 8.2, Ollama's API). */
async function changeOnOllama(
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions,
	running: string[],
): Promise<Change> {
	const { model, limitMs, signal } = options;
	const before = running.some((name) => isNamed(name, model)) ? 'loaded' : 'unloaded';
	const state = action === 'load' ? 'loaded' : 'unloaded';
	if (before !== state) {
		const url = `${connection.url.root}/api/generate`;
		const call = {
			json: { model, stream: false, ...(action === 'unload' ? { keep_alive: 0 } : {}) },
			timeoutMs: limitMs,
			signal,
		};
		let answer = await connection.call(url, call);
		// A model for embeddings only; without an input it is no more than loaded or unloaded too.
		if (answer.status === 400 && /does not support generate/i.test(answer.text))
			answer = await connection.call(`${connection.url.root}/api/embed`, call);
		if (answer.status >= 300) throw connection.refusal(answer, { model });
		// The answer comes before the memory is free (seen: 0.17.4), and who loads it in between finds it loaded and loses it.
		if (action === 'unload')
			await lookedUntil(connection, action, url, options, async () =>
				(await isOnOllama(connection, options)) ? undefined : state,
			);
	}
	return { model, server: 'ollama', before, state };
}

async function isOnOllama(connection: Connection, options: ChangeOptions): Promise<boolean> {
	return ((await runningOnOllama(connection, options)) ?? []).some((name) => isNamed(name, options.model));
}
