/** Actions on the models of llama-server's router (docs/protocols/llama-server.md 2.10). */
import { createServerError } from '../../errors/create-error';
import { formatDuration } from '../../errors/texts';
import { captureError, type ServerError, rethrowWith } from '../../errors/server-error';
import { toErrorContext } from '../../http/request-errors';
import { request } from '../../http/request';
import { asRecords } from '../../values';
import { probe, tryProbeJson } from '../probe';
import { parseMetrics } from '../metrics';
import { matchesModel, suggestModels } from '../model-names';
import { parseModels, type ServerModel } from '../models';
import { pollUntil } from '../poll';
import type {
	ModelStateChange,
	PullResult,
	ModelServer,
	LoadOptions,
	ModelActions,
	PullOptions,
	ModelActionOptions,
} from './server-type';

const CALL_MS = 15_000;
const PULL_PAUSE_MS = 2_000;
/** How long a router may take to list a download. */
const APPEARS_MS = 30_000;
const REMOVE_LIMIT_MS = 60_000;

const UP: ReadonlySet<string> = new Set(['loaded', 'loading', 'sleeping']);

export const routerActions: ModelActions = { load, unload, pull, remove };

async function listedModels(server: ModelServer, signal?: AbortSignal): Promise<ServerModel[]> {
	const ask = { url: `${server.url.api}/models`, signal, timeouts: within(CALL_MS) };
	return parseModels(await request(server, ask, async (answer) => await answer.json())) ?? [];
}

/** @throws {ServerError} of kind `modelNotFound` */
async function routerModel(
	server: ModelServer,
	{ model, signal }: ModelActionOptions,
): Promise<ServerModel> {
	const models = await listedModels(server, signal);
	// Only a router tells states, and has these routes.
	if (models.every(({ state }) => state === undefined)) throw noRouter(server);
	const listed = models.find((one) => matchesModel(one, model));
	if (listed !== undefined) return listed;
	throw createServerError(
		'modelNotFound',
		toErrorContext(server, `${server.url.api}/models`, model),
		{
			message: `The server does not offer the model "${model}"`,
			suggestion: suggestModels(
				models.map(({ id }) => id),
				'put its GGUF file into the folder of --models-dir and restart the router.',
			),
			facts: { models: models.map(({ id }) => id) },
		},
	);
}

function noRouter(server: ModelServer): ServerError {
	return createServerError('featureDisabled', toErrorContext(server, server.url.root), {
		message:
			'This llama-server serves a single model and cannot load, unload, download or delete models',
		suggestion:
			'llama-server works as a router when it is started without a model: llama-server --models-dir FOLDER.',
	});
}

async function load(server: ModelServer, options: LoadOptions): Promise<ModelStateChange> {
	const { id: model, state: before = 'unknown' } = await routerModel(server, options);
	const isUp = UP.has(before);
	if (!isUp) await sendCommand(server, 'load', { ...options, model });
	if (!options.wait) return { model, before, state: isUp ? before : 'loading' };
	return { model, before, state: await waitForFinalState(server, 'load', { ...options, model }) };
}

async function unload(server: ModelServer, options: LoadOptions): Promise<ModelStateChange> {
	const { id: model, state: before = 'unknown' } = await routerModel(server, options);
	if (!UP.has(before)) return { model, before, state: before };
	const done: ModelStateChange = { model, before, state: 'unloaded' };
	const change = { ...options, model };
	if (before === 'loaded' && options.isForced !== true)
		done.wasIdle = await waitForRunningRequests(server, change);
	await sendCommand(server, 'unload', change);
	if (options.wait) done.state = await waitForFinalState(server, 'unload', change);
	return done;
}

async function sendCommand(
	server: ModelServer,
	action: 'load' | 'unload',
	{ model, signal }: LoadOptions,
): Promise<void> {
	const url = `${server.url.root}/models/${action}`;
	const ask = { url, json: { model }, model, signal, timeouts: within(CALL_MS) };
	const outcome = await request(server, ask, async (answer) => await answer.text()).catch(
		captureError,
	);
	if (typeof outcome === 'string') return;
	// Somebody else was faster: the model already is in this state.
	const isDone = /is already running|is not running/.test(outcome.failed.serverText ?? '');
	if (!isDone) throw outcome.failed;
}

/** Polls the list until the state is final. */
async function waitForFinalState(
	server: ModelServer,
	action: 'load' | 'unload',
	options: LoadOptions,
): Promise<string> {
	const { model, timeoutMs } = options;
	const url = `${server.url.root}/models/${action}`;
	const context = toErrorContext(server, url, model);
	const seen = async () => {
		const { state, exitCode } = await routerModel(server, options);
		if (action === 'unload') return unloadedState(state);
		if (state !== 'failed') return state === 'loaded' || state === 'sleeping' ? state : undefined;
		throw createServerError('modelLoadFailed', context, {
			detail: `The process for the model "${model}" exited with code ${exitCode ?? 'unknown'}`,
			facts: { exitCode },
		});
	};
	const late = () =>
		createServerError('modelLoading', context, {
			about: { timeoutMs },
			message: `The model "${model}" was not ${action}ed within ${formatDuration(timeoutMs)}`,
			suggestion:
				'Raise the timeout of the node. Large models on slow disks take minutes to load, and a busy model stays loaded until its response is complete.',
		});
	return await pollUntil(options, seen, late);
}

/** A killed process may count as failed. */
function unloadedState(state: string | undefined): string | undefined {
	if (state === 'failed') return 'unloaded';
	return state === 'unloaded' || state === 'downloaded' ? state : undefined;
}

/**
 * Waits until no answer is running: a router kills the process of a model in the middle of its answers (seen: v0.5.0: a
 * stream just ends, other requests get 500).
 *
 * @returns false if the server shows neither slots nor metrics
 */
async function waitForRunningRequests(server: ModelServer, options: LoadOptions): Promise<boolean> {
	const { model, wait, timeoutMs } = options;
	let running: number | undefined;
	const seen = async () => {
		running = await countRunningRequests(server, options);
		return running === undefined || running === 0 ? running === 0 : undefined;
	};
	const first = await seen();
	if (first !== undefined) return first;
	const busy = (message: string, suggestion: string) =>
		createServerError('busy', toErrorContext(server, server.url.root, model), {
			message,
			suggestion,
			facts: { running },
		});
	if (!wait)
		throw busy(
			`The model "${model}" is processing ${requests(running)}; unloading it would cut off the responses`,
			'Turn on Wait Until Done to let the responses finish first, or unload the model later. Force Unload unloads it now.',
		);
	return await pollUntil(options, seen, () =>
		busy(
			`The model "${model}" is still processing ${requests(running)} after ${formatDuration(timeoutMs)}, so it was not unloaded`,
			'Raise the timeout of the node, or stop the requests to the model. Force Unload unloads it now and cuts off the responses.',
		),
	);
}

function requests(count = 0): string {
	return `${count} ${count === 1 ? 'request' : 'requests'}`;
}

/** Requests that a model works on or has queued; undefined if unknown. */
async function countRunningRequests(
	server: ModelServer,
	{ model, signal }: LoadOptions,
): Promise<number | undefined> {
	const query = `?model=${encodeURIComponent(model)}&autoload=false`;
	const shown = await probe(server, `/metrics${query}`, { signal }).catch(() => undefined);
	const metrics = parseMetrics(shown !== undefined && shown.status < 300 ? shown.text : '');
	const processing = metrics['llamacpp:requests_processing'];
	if (processing !== undefined) return processing + (metrics['llamacpp:requests_deferred'] ?? 0);
	const slots = await tryProbeJson(server, `/slots${query}`, { signal });
	if (!Array.isArray(slots)) return undefined;
	return asRecords(slots).filter(({ is_processing: isBusy }) => isBusy === true).length;
}

/** The router downloads in the background; its list shows the state. */
async function pull(server: ModelServer, options: PullOptions): Promise<PullResult> {
	const { model, wait, signal, timeoutMs } = options;
	const url = `${server.url.root}/models`;
	const ask = { url, json: { model }, model, signal, timeouts: within(CALL_MS) };
	const asking = request(server, ask, async (answer) => await answer.text());
	await asking.catch(
		rethrowWith((failed) => (failed.type === 'routeNotFound' ? noRouter(server) : failed)),
	);
	if (!wait) return { state: 'downloading' };
	const late = () =>
		createServerError('idleTimeout', toErrorContext(server, url, model), { about: { timeoutMs } });
	const polling = {
		timeoutMs: timeoutMs > 0 ? timeoutMs : Infinity,
		pauseMs: PULL_PAUSE_MS,
		signal,
	};
	return await pollUntil(polling, createDownloadPoll(server, options), late);
}

/** Looks whether the download has ended. It may take a moment to appear in the list. */
function createDownloadPoll(server: ModelServer, { model, signal, onProgress }: PullOptions) {
	const startedAt = performance.now();
	let wasSeen = false;
	return async (): Promise<PullResult | undefined> => {
		const models = await listedModels(server, signal);
		// The router adds the quantization that it chose.
		const listed = models.find((one) => matchesModel(one, model) || one.id.startsWith(`${model}:`));
		if (listed?.state === 'downloading') {
			wasSeen = true;
			await onProgress?.({ status: `downloading ${model}` });
			return undefined;
		}
		// A model that failed before the download was seen failed earlier.
		if (listed !== undefined)
			return wasSeen || listed.state !== 'failed' ? { state: 'success' } : undefined;
		if (!wasSeen && performance.now() - startedAt <= APPEARS_MS) return undefined;
		throw createServerError(
			'serverError',
			toErrorContext(server, `${server.url.root}/models`, model),
			{
				message: `The router could not download the model "${model}"`,
				suggestion:
					'Enter the name of a Hugging Face repository, such as USER/REPOSITORY:Q4_K_M. Check the router log for details.',
			},
		);
	};
}

/** Deletes what the router has downloaded. */
async function remove(server: ModelServer, { model, signal }: ModelActionOptions): Promise<void> {
	const url = `${server.url.root}/models?model=${encodeURIComponent(model)}`;
	const timeouts = within(REMOVE_LIMIT_MS);
	const ask = { method: 'DELETE', url, model, signal, timeouts } as const;
	const outcome = await request(server, ask, async (answer) => await answer.text()).catch(
		captureError,
	);
	if (typeof outcome === 'string') return;
	const { failed } = outcome;
	if (failed.type === 'routeNotFound') throw noRouter(server);
	if (!/is not removable/i.test(failed.serverText ?? '')) throw failed;
	throw failed.copyWith({
		type: 'featureDisabled',
		message: `The router did not delete the model "${model}"`,
		suggestion:
			'It deletes only models it downloaded itself, not those of --models-dir or --models-preset. Delete the file there.',
	});
}

function within(totalMs: number) {
	return { firstTokenMs: 0, idleMs: 0, totalMs };
}
