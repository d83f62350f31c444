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

const COMMAND_TIMEOUT_MS = 15_000;
const PULL_POLL_INTERVAL_MS = 2_000;
/** How long a router may take to list a download. */
const MAX_LISTING_DELAY_MS = 30_000;
const REMOVE_TIMEOUT_MS = 60_000;

const ACTIVE_STATES: ReadonlySet<string> = new Set(['loaded', 'loading', 'sleeping']);

export const routerActions: ModelActions = { load, unload, pull, remove };

async function fetchModels(server: ModelServer, signal?: AbortSignal): Promise<ServerModel[]> {
	const requestOptions = {
		url: `${server.getApiUrl()}/models`,
		signal,
		timeouts: toTimeouts(COMMAND_TIMEOUT_MS),
	};
	return (
		parseModels(await request(server, requestOptions, async (response) => await response.json())) ??
		[]
	);
}

/** @throws {ServerError} of type `modelNotFound` */
async function findModel(
	server: ModelServer,
	{ model, signal }: ModelActionOptions,
): Promise<ServerModel> {
	const models = await fetchModels(server, signal);
	// Only a router reports states, and has these routes.
	if (models.every(({ state }) => state === undefined)) throw createNotRouterError(server);
	const listed = models.find((candidate) => matchesModel(candidate, model));
	if (listed !== undefined) return listed;
	throw createServerError(
		'modelNotFound',
		toErrorContext(server, `${server.getApiUrl()}/models`, model),
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

function createNotRouterError(server: ModelServer): ServerError {
	return createServerError('featureDisabled', toErrorContext(server, server.url.root), {
		message:
			'This llama-server serves a single model and cannot load, unload, download or delete models',
		suggestion:
			'llama-server works as a router when it is started without a model: llama-server --models-dir FOLDER.',
	});
}

async function load(server: ModelServer, options: LoadOptions): Promise<ModelStateChange> {
	const { id: model, state: before = 'unknown' } = await findModel(server, options);
	const isActive = ACTIVE_STATES.has(before);
	if (!isActive) await sendCommand(server, 'load', { ...options, model });
	if (!options.wait) return { model, before, state: isActive ? before : 'loading' };
	return { model, before, state: await waitForFinalState(server, 'load', { ...options, model }) };
}

async function unload(server: ModelServer, options: LoadOptions): Promise<ModelStateChange> {
	const { id: model, state: before = 'unknown' } = await findModel(server, options);
	if (!ACTIVE_STATES.has(before)) return { model, before, state: before };
	const result: ModelStateChange = { model, before, state: 'unloaded' };
	const actionOptions = { ...options, model };
	if (before === 'loaded' && options.isForced !== true)
		result.wasIdle = await waitForRunningRequests(server, actionOptions);
	await sendCommand(server, 'unload', actionOptions);
	if (options.wait) result.state = await waitForFinalState(server, 'unload', actionOptions);
	return result;
}

async function sendCommand(
	server: ModelServer,
	action: 'load' | 'unload',
	{ model, signal }: LoadOptions,
): Promise<void> {
	const url = `${server.url.root}/models/${action}`;
	const requestOptions = {
		url,
		json: { model },
		model,
		signal,
		timeouts: toTimeouts(COMMAND_TIMEOUT_MS),
	};
	const result = await request(
		server,
		requestOptions,
		async (response) => await response.text(),
	).catch(captureError);
	if (typeof result === 'string') return;
	// Another client was faster: the model is already in this state.
	const isInState = /is already running|is not running/.test(result.serverText ?? '');
	if (!isInState) throw result;
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
	const pollState = async () => {
		const { state, exitCode } = await findModel(server, options);
		if (action === 'unload') return toUnloadedState(state);
		if (state !== 'failed') return state === 'loaded' || state === 'sleeping' ? state : undefined;
		throw createServerError('modelLoadFailed', context, {
			detail: `The process for the model "${model}" exited with code ${exitCode ?? 'unknown'}`,
			facts: { exitCode },
		});
	};
	const toTimeoutError = () =>
		createServerError('modelLoading', context, {
			about: { timeoutMs },
			message: `The model "${model}" was not ${action}ed within ${formatDuration(timeoutMs)}`,
			suggestion:
				'Raise the timeout of the node. Large models on slow disks take minutes to load, and a busy model stays loaded until its response is complete.',
		});
	return await pollUntil(options, pollState, toTimeoutError);
}

/** A killed process may count as failed. */
function toUnloadedState(state: string | undefined): string | undefined {
	if (state === 'failed') return 'unloaded';
	return state === 'unloaded' || state === 'downloaded' ? state : undefined;
}

/**
 * Waits until no request is running: a router kills the process of a model during its responses (seen: v0.5.0: a
 * stream just ends, other requests get 500).
 *
 * @returns false if the server shows neither slots nor metrics
 */
async function waitForRunningRequests(server: ModelServer, options: LoadOptions): Promise<boolean> {
	const { model, wait, timeoutMs } = options;
	let running: number | undefined;
	const pollIdle = async () => {
		running = await countRunningRequests(server, options);
		return running === undefined || running === 0 ? running === 0 : undefined;
	};
	const isIdle = await pollIdle();
	if (isIdle !== undefined) return isIdle;
	const createBusyError = (message: string, suggestion: string) =>
		createServerError('busy', toErrorContext(server, server.url.root, model), {
			message,
			suggestion,
			facts: { running },
		});
	if (!wait)
		throw createBusyError(
			`The model "${model}" is processing ${formatRequests(running)}; unloading it would cut off the responses`,
			'Turn on Wait Until Done to let the responses finish first, or unload the model later. Force Unload unloads it now.',
		);
	return await pollUntil(options, pollIdle, () =>
		createBusyError(
			`The model "${model}" is still processing ${formatRequests(running)} after ${formatDuration(timeoutMs)}, so it was not unloaded`,
			'Raise the timeout of the node, or stop the requests to the model. Force Unload unloads it now and cuts off the responses.',
		),
	);
}

function formatRequests(count = 0): string {
	return `${count} ${count === 1 ? 'request' : 'requests'}`;
}

/** Requests that a model processes or has queued; undefined if unknown. */
async function countRunningRequests(
	server: ModelServer,
	{ model, signal }: LoadOptions,
): Promise<number | undefined> {
	const query = `?model=${encodeURIComponent(model)}&autoload=false`;
	const response = await probe(server, `/metrics${query}`, { signal }).catch(() => undefined);
	const metrics = parseMetrics(
		response !== undefined && response.status < 300 ? response.text : '',
	);
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
	const requestOptions = {
		url,
		json: { model },
		model,
		signal,
		timeouts: toTimeouts(COMMAND_TIMEOUT_MS),
	};
	const pendingResponse = request(
		server,
		requestOptions,
		async (response) => await response.text(),
	);
	await pendingResponse.catch(
		rethrowWith((error) => (error.type === 'routeNotFound' ? createNotRouterError(server) : error)),
	);
	if (!wait) return { state: 'downloading' };
	const toTimeoutError = () =>
		createServerError('idleTimeout', toErrorContext(server, url, model), { about: { timeoutMs } });
	const pollOptions = {
		timeoutMs: timeoutMs > 0 ? timeoutMs : Infinity,
		pauseMs: PULL_POLL_INTERVAL_MS,
		signal,
	};
	return await pollUntil(pollOptions, createDownloadPoll(server, options), toTimeoutError);
}

/** Checks whether the download has ended. It may take a moment to appear in the list. */
function createDownloadPoll(server: ModelServer, { model, signal, onProgress }: PullOptions) {
	const startedAt = performance.now();
	let wasListed = false;
	return async (): Promise<PullResult | undefined> => {
		const models = await fetchModels(server, signal);
		// The router adds the quantization that it chose.
		const listed = models.find(
			(candidate) => matchesModel(candidate, model) || candidate.id.startsWith(`${model}:`),
		);
		if (listed?.state === 'downloading') {
			wasListed = true;
			await onProgress?.({ status: `downloading ${model}` });
			return undefined;
		}
		// A model that failed before the download was seen failed earlier.
		if (listed !== undefined)
			return wasListed || listed.state !== 'failed' ? { state: 'success' } : undefined;
		if (!wasListed && performance.now() - startedAt <= MAX_LISTING_DELAY_MS) return undefined;
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

/** Deletes a model that the router has downloaded. */
async function remove(server: ModelServer, { model, signal }: ModelActionOptions): Promise<void> {
	const url = `${server.url.root}/models?model=${encodeURIComponent(model)}`;
	const timeouts = toTimeouts(REMOVE_TIMEOUT_MS);
	const requestOptions = { method: 'DELETE', url, model, signal, timeouts } as const;
	const result = await request(
		server,
		requestOptions,
		async (response) => await response.text(),
	).catch(captureError);
	if (typeof result === 'string') return;
	if (result.type === 'routeNotFound') throw createNotRouterError(server);
	if (!/is not removable/i.test(result.serverText ?? '')) throw result;
	throw result.copyWith({
		type: 'featureDisabled',
		message: `The router did not delete the model "${model}"`,
		suggestion:
			'It deletes only models it downloaded itself, not those of --models-dir or --models-preset. Delete the file there.',
	});
}

function toTimeouts(totalMs: number) {
	return { firstTokenMs: 0, idleMs: 0, totalMs };
}
