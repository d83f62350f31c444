import type { Connection } from '../../http/connection';
import { failure } from '../../errors/failure';
import { isRefusal } from '../../errors/http-failure';
import { identify } from '../identify';
import { kindOf } from '../kinds';
import { isOllamaNamed } from '../model-names';
import { ollamaEntries, type ServerModel } from '../models';
import { changeBehindGateway } from './load-behind-gateway';
import {
	CALL_MS,
	type Change,
	type ChangeOptions,
	type ModelAction,
	offeredModel,
	offeredModels,
	pollUntil,
	workOnModel,
} from './model-work';
import { optionalJson } from '../optional-json';
import { waitForRunningAnswers, tooSlow } from './running-answers';

/**
 * Loads a model into memory or unloads it, on llama-server's router, llama-swap and Ollama. Nothing happens if the
 * model is already in that state. Running answers are not cut off: Ollama finishes them itself, on the others this
 * waits for them.
 *
 * @throws {ServerError} if the server cannot do that, does not know the model, fails, or exceeds the limit; of kind
 *   `busy` if the model is answering and `wait` is off
 */
export async function changeModel(
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions,
) {
	return await workOnModel(connection, options, async (kind, asked) => {
		const { hasOllamaApi, modelRoot } = kindOf(kind);
		const change =
			hasOllamaApi === true
				? await changeOnOllama(connection, action, asked)
				: modelRoot === undefined
					? await changeOnRouter(connection, action, asked)
					: await changeBehindGateway(connection, action, { ...asked, kind });
		return { ...change, changed: change.before !== change.state };
	});
}

async function routerModel(connection: Connection, options: ChangeOptions): Promise<ServerModel> {
	const { answer, models } = await offeredModels(connection, options);
	const kind = identify({ models: answer });
	if (kindOf(kind).llamaApi !== 'router')
		throw failure('notSupported', connection.contextOf(answer.url, { model: options.model }), {
			message: 'This server cannot load or unload models on request',
			remedy:
				"Only Ollama, llama-server's router and llama-swap can. A llama-server is a router when it is started without a model: llama-server --models-dir FOLDER.",
		});
	return offeredModel(connection, models, options.model, kind);
}

async function changeOnRouter(
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions,
): Promise<Change> {
	const { id: model, state: before = 'unknown' } = await routerModel(connection, options);
	const isUp = before === 'loaded' || before === 'loading' || before === 'sleeping';
	const done: Change = { model, before, state: before };
	if (action === 'unload' && !isUp) return done;
	if (action === 'unload' && before === 'loaded' && options.cutAnswers !== true) {
		// Without `autoload=false`, this request would load a model that was unloaded meanwhile.
		const query = `?model=${encodeURIComponent(model.toWellFormed())}&autoload=false`;
		const urlOf = (path: string) => connection.url.root + path + query;
		done.sawNoAnswers = await waitForRunningAnswers(connection, urlOf, { ...options, model });
	}
	if (action === 'unload' || !isUp) await order(connection, action, { ...options, model });
	if (!options.wait)
		return {
			...done,
			state: isUp === (action === 'load') ? before : action === 'load' ? 'loading' : 'unloaded',
		};
	return { ...done, state: await settled(connection, action, { ...options, model }) };
}

async function order(
	connection: Connection,
	action: ModelAction,
	{ model, signal }: ChangeOptions,
): Promise<void> {
	const url = `${connection.url.root}/models/${action}`;
	const answer = await connection.call(url, { json: { model }, timeoutMs: CALL_MS, signal });
	if (!isRefusal(answer)) return;
	const refusal = connection.refusal(answer, { model });
	// Somebody else was faster: the model is already in the wanted state.
	if (!/is already running|is not running/.test(refusal.serverText ?? '')) throw refusal;
}

/** Polls the list until the state is final. */
async function settled(
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions,
): Promise<string> {
	const url = `${connection.url.root}/models/${action}`;
	const late = () => tooSlow(connection, action, url, options);
	const look = async () => {
		const { state, exitCode } = await routerModel(connection, options);
		if (action === 'load' && state === 'failed')
			throw failure('modelFailedToLoad', connection.contextOf(url, { model: options.model }), {
				...(exitCode === undefined
					? {}
					: {
							meaning: `The process for the model "${options.model}" ended with the exit code ${exitCode}`,
						}),
				facts: { exitCode },
			});
		const isFinal =
			action === 'load'
				? state === 'loaded' || state === 'sleeping'
				: state === 'unloaded' || state === 'downloaded' || state === 'failed';
		// A killed process may count as failed.
		return isFinal ? (state === 'failed' ? 'unloaded' : state) : undefined;
	};
	return await pollUntil(options, look, late);
}

/**
 * A generation without a prompt only loads the model; with `keep_alive` 0 it only unloads it
 * (docs/protocols/llama-server.md 8.2, Ollama's API).
 */
async function changeOnOllama(
	connection: Connection,
	action: ModelAction,
	options: ChangeOptions,
): Promise<Change> {
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
		// An embedding model: a request without input also only loads or unloads it.
		if (answer.status === 400 && /does not support generate/i.test(answer.text))
			answer = await connection.call(`${connection.url.root}/api/embed`, call);
		if (isRefusal(answer)) throw connection.refusal(answer, { model });
		// The answer comes before the memory is free (seen: 0.17.4). Loading the model in between would find it loaded, and
		// then lose it.
		if (action === 'unload')
			await pollUntil(
				options,
				async () => ((await isOnOllama(connection, options)) ? undefined : state),
				() => tooSlow(connection, action, url, options),
			);
	}
	return { model, before, state };
}

async function isOnOllama(
	connection: Connection,
	{ model, signal }: ChangeOptions,
): Promise<boolean> {
	const answer = await optionalJson(connection, '/api/ps', { timeoutMs: CALL_MS, signal });
	return [...(ollamaEntries(answer)?.keys() ?? [])].some((name) => isOllamaNamed(name, model));
}
