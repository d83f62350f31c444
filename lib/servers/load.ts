import type { Connection } from '../http/connection';
import { seconds } from '../errors/remedies';
import { pauseFor } from '../http/waiting';
import type { ServerError } from '../errors/server-error';
import { failure } from '../errors/failure';
import { askServerKindAgain, identify } from './identify';
import { traitsOf } from './kinds';
import { isModelNamed, isNamed, waysToModel } from './model-names';
import { ollamaEntries, readModels, type ServerModel } from './models';
import { metricsOf } from './metrics';
import { entries, optionalJson } from './optional-json';

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
	/**
	 * Unloaded from a router: whether it was seen that no answer was being generated. False: the router does not show
	 * that.
	 */
	sawNoAnswers?: boolean;
}

const CALL_MS = 10_000;
const PAUSE_MS = 500;

/**
 * Loads a model into memory or takes it out, on llama-server's router and on Ollama. A model that is already as wanted
 * is left alone, and answers that are being generated are not cut: Ollama finishes them by itself, at a router this
 * waits for them.
 *
 * @throws {ServerError} where the server cannot do that, does not know the model, fails, or needs longer than the
 *   limit; of kind `busy` where the model is answering and nobody wants to wait
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
	const kind = await askServerKindAgain(connection, { signal: options.signal, limitMs: CALL_MS });
	const change =
		traitsOf(kind).nativeApi === 'ollama'
			? await changeOnOllama(connection, action, { ...options, model })
			: await changeOnRouter(connection, action, { ...options, model });
	return { ...change, changed: change.before !== change.state, tookMs: Math.round(performance.now() - startedAt) };
}

type Change = Omit<ModelChange, 'changed' | 'tookMs'>;

async function routerModel(connection: Connection, { model, signal }: ChangeOptions): Promise<ServerModel> {
	const url = `${connection.url.api}/models`;
	const answer = await connection.call(url, { timeoutMs: CALL_MS, signal });
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	const models = readModels(answer.json) ?? [];
	if (traitsOf(identify({ models: answer })).nativeApi !== 'router') {
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
		remedy: waysToModel(others, traitsOf('llamaRouter').advice.missingModel?.(model)),
		facts: { models: others },
	});
}

async function changeOnRouter(connection: Connection, action: ModelAction, options: ChangeOptions): Promise<Change> {
	const { id: model, state: before = 'unknown' } = await routerModel(connection, options);
	const isUp = before === 'loaded' || before === 'loading' || before === 'sleeping';
	const done: Change = { model, server: 'llamaRouter', before, state: before };
	if (action === 'unload' && !isUp) return done;
	if (action === 'unload' && before === 'loaded')
		done.sawNoAnswers = await answersAreThrough(connection, { ...options, model });
	if (action === 'unload' || !isUp) await order(connection, action, { ...options, model });
	if (!options.wait)
		return { ...done, state: isUp === (action === 'load') ? before : action === 'load' ? 'loading' : 'unloaded' };
	return { ...done, state: await settled(connection, action, { ...options, model }) };
}

/**
 * A router ends the process of a model in the middle of its answers (seen: v0.5.0: a stream just ends, other requests
 * get 500), so it is told to only when none is running. False where the router shows neither slots nor metrics.
 */
async function answersAreThrough(connection: Connection, options: ChangeOptions): Promise<boolean> {
	const { model, wait, limitMs } = options;
	const url = `${connection.url.root}/models/unload`;
	let running: number | undefined;
	const look = async () => {
		running = await answersRunning(connection, options);
		return running === undefined || running === 0 ? running === 0 : undefined;
	};
	const seen = await look();
	if (seen !== undefined) return seen;
	const busy = (message: string, remedy: string) =>
		failure('busy', connection.contextOf(url, { model }), { message, remedy, facts: { running } });
	if (!wait)
		throw busy(
			`The model "${model}" is answering ${requests(running)}, which unloading it would cut off`,
			'Switch on Wait Until Done, so that the answers come to their end first, or unload it later.',
		);
	return await lookedUntil(options, look, () =>
		busy(
			`The model "${model}" is still answering ${requests(running)} after ${seconds(limitMs)}, so it was not unloaded`,
			'Raise the time limit of the node, or stop what asks the model. Unloading it now would cut the answers off.',
		),
	);
}

function requests(count = 0): string {
	return `${count} ${count === 1 ? 'request' : 'requests'}`;
}

/** Requests that a router's model works on or has waiting; undefined where nothing tells. */
async function answersRunning(connection: Connection, { model, signal }: ChangeOptions): Promise<number | undefined> {
	const { root } = connection.url;
	// Without `autoload=false` the question itself would load a model that was unloaded meanwhile.
	const query = `?model=${encodeURIComponent(model.toWellFormed())}&autoload=false`;
	const ask = async (path: string) => {
		const answer = await connection.call(root + path + query, { timeoutMs: CALL_MS, signal });
		return answer.status < 300 ? answer : undefined;
	};
	const metrics = metricsOf((await ask('/metrics'))?.text ?? '');
	const processing = metrics['llamacpp:requests_processing'];
	if (processing !== undefined) return processing + (metrics['llamacpp:requests_deferred'] ?? 0);
	const slots = (await ask('/slots'))?.json;
	return Array.isArray(slots) ? entries(slots).filter(({ is_processing: busy }) => busy === true).length : undefined;
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
	const late = () => tooSlow(connection, action, url, options);
	const look = async () => {
		const { state, exitCode } = await routerModel(connection, options);
		if (action === 'load' && state === 'failed')
			throw failure('modelFailedToLoad', connection.contextOf(url, { model: options.model }), { facts: { exitCode } });
		const isFinal =
			action === 'load'
				? state === 'loaded' || state === 'sleeping'
				: state === 'unloaded' || state === 'downloaded' || state === 'failed';
		// A process that was ended may count as failed.
		return isFinal ? (state === 'failed' ? 'unloaded' : state) : undefined;
	};
	return await lookedUntil(options, look, late);
}

/** Looks again and again until there is something to see. */
async function lookedUntil<Seen>(
	options: ChangeOptions,
	look: () => Promise<Seen | undefined>,
	late: () => ServerError,
): Promise<Seen> {
	const startedAt = performance.now();
	for (;;) {
		const seen = await look();
		if (seen !== undefined) return seen;
		if (performance.now() - startedAt > options.limitMs) throw late();
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

/**
 * A generation without a prompt only loads; with `keep_alive` 0 it only unloads (docs/protocols/llama-server.md 8.2,
 * Ollama's API).
 */
async function changeOnOllama(connection: Connection, action: ModelAction, options: ChangeOptions): Promise<Change> {
	const { model, limitMs, signal } = options;
	const before = (await isOnOllama(connection, options)) ? 'loaded' : 'unloaded';
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
		// The answer comes before the memory is free (seen: 0.17.4), and who loads it in between finds it loaded and loses
		// it.
		if (action === 'unload')
			await lookedUntil(
				options,
				async () => ((await isOnOllama(connection, options)) ? undefined : state),
				() => tooSlow(connection, action, url, options),
			);
	}
	return { model, server: 'ollama', before, state };
}

async function isOnOllama(connection: Connection, { model, signal }: ChangeOptions): Promise<boolean> {
	const answer = await optionalJson(connection, '/api/ps', { timeoutMs: CALL_MS, signal });
	return [...(ollamaEntries(answer)?.keys() ?? [])].some((name) => isNamed(name, model));
}
