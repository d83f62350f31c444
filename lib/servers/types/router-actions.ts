/** Actions on the models of llama-server's router (docs/protocols/llama-server.md 2.10). */
import type { ErrorContext } from '../../errors/create-error';
import { asServerErrorOrThrow, rethrowWith, ServerError } from '../../errors/server-error';
import { createServerError } from '../../errors/create-error';
import { toErrorContext } from '../../http/request-errors';
import { asRecords } from '../../values/records';
import { tryProbeWithin } from '../probe';
import { sendCommand } from '../send-command';
import { toListUrl } from '../server-urls';
import { pollUntil } from '../poll-until';
import { hasFailed } from '../model-selection';
import { matchesModel } from '../model-names';
import { parseModels } from '../parse-models';
import { parseMetrics } from '../metrics';
import type {
	ModelActionOptions,
	ModelActionResult,
	ModelActions,
	ModelServer,
	RunningAction,
} from './server-type';

const COMMAND_TIMEOUT_MS = 15_000;
const PULL_POLL_INTERVAL_MS = 2_000;
/** How long a router may take to list a download. */
const MAX_LISTING_DELAY_MS = 30_000;
const REMOVE_TIMEOUT_MS = 60_000;

const ACTIVE_STATES: ReadonlySet<string> = new Set(['loaded', 'loading', 'sleeping']);

const UNLOADED_STATES = ['unloaded', 'downloaded'];

export const routerActions: ModelActions = { load, unload, pull, remove };

async function load(server: ModelServer, options: RunningAction) {
	const { id: model, state: before = 'unknown' } = await findModel(server, options);
	const actionOptions = { ...options, model };
	const isActive = ACTIVE_STATES.has(before);
	if (!isActive) await changeState(server, 'load', actionOptions);
	const state = isActive ? before : 'loading';
	return {
		model,
		before,
		state: options.wait ? await waitForFinalState(server, 'load', actionOptions) : state,
	};
}

async function unload(server: ModelServer, options: RunningAction) {
	const { id: model, state: before = 'unknown' } = await findModel(server, options);
	if (!ACTIVE_STATES.has(before)) return { model, before, state: before };
	const result: ModelActionResult = { model, before, state: 'unloaded' };
	const actionOptions = { ...options, model };
	if (before === 'loaded' && options.isForced !== true)
		result.wasIdle = await waitForRunningRequests(server, actionOptions);
	await changeState(server, 'unload', actionOptions);
	if (options.wait) result.state = await waitForFinalState(server, 'unload', actionOptions);
	return result;
}

/** @throws a `ServerError` of type `modelNotFound`. */
async function findModel(server: ModelServer, { model, signal, limit }: RunningAction) {
	const models = await fetchModels(server, limit.capMs(COMMAND_TIMEOUT_MS), signal);
	// Only a router reports states, and has these routes.
	if (models.every(({ state }) => state === undefined)) throw createNotRouterError(server, model);
	const listed = models.find((candidate) => matchesModel(candidate, model));
	if (listed !== undefined) return listed;
	const ids = models.map(({ id }) => id);
	const offered = models.filter((one) => !hasFailed(one)).map(({ id }) => id);
	const context = toErrorContext(server, { url: toListUrl(server), model });
	throw createServerError('modelNotFound', context, {
		about: { modelActionIssue: { kind: 'notOffered', offered } },
		facts: { models: ids },
	});
}

async function fetchModels(server: ModelServer, timeoutMs: number, signal?: AbortSignal) {
	const list = await sendCommand(server, toListUrl(server), { signal, timeoutMs });
	return parseModels(list) ?? [];
}

function createNotRouterError(server: ModelServer, model: string) {
	const context = toErrorContext(server, { url: server.url.root, model });
	return createServerError('featureDisabled', context, {
		about: { modelActionIssue: { kind: 'singleModel' } },
	});
}

async function changeState(server: ModelServer, action: 'load' | 'unload', options: RunningAction) {
	const command = toCommand(options, options.limit.capMs(COMMAND_TIMEOUT_MS));
	await sendCommand(server, `/models/${action}`, command).catch(async (error: unknown) => {
		const { report } = asServerErrorOrThrow(error);
		const isDone = report !== undefined && (await isInState(server, action, options));
		if (!isDone) throw error;
	});
}

/**
 * Whether the model is in the state of an action that the router rejected: another client was faster
 * (docs/protocols/llama-server.md 2.10).
 *
 * @returns false if the list does not say so
 */
async function isInState(
	server: ModelServer,
	action: 'load' | 'unload',
	options: RunningAction,
): Promise<boolean> {
	const listed = await findModel(server, options).catch(asServerErrorOrThrow);
	if (listed instanceof ServerError || listed.state === undefined) return false;
	return ACTIVE_STATES.has(listed.state) === (action === 'load');
}

function toCommand({ model, signal }: ModelActionOptions, timeoutMs: number) {
	return { model, signal, json: { model }, timeoutMs };
}

/** Polls the list until the state is final. */
async function waitForFinalState(
	server: ModelServer,
	action: 'load' | 'unload',
	options: RunningAction,
) {
	const { model, timeoutMs, limit } = options;
	const context = toErrorContext(server, { url: `${server.url.root}/models/${action}`, model });
	const pollState = async () => {
		const { state, exitCode } = await findModel(server, options);
		// A killed process may count as failed.
		if (action === 'unload')
			return state === 'failed' ? 'unloaded' : UNLOADED_STATES.find((final) => final === state);
		if (state !== 'failed') return state === 'loaded' || state === 'sleeping' ? state : undefined;
		throw createServerError('modelLoadFailed', context, {
			about: { modelActionIssue: { kind: 'exited', exitCode } },
			facts: { exitCode },
		});
	};
	const toTimeoutError = () =>
		createServerError('modelLoading', context, {
			about: { modelActionIssue: { kind: 'notDone', action, afterMs: timeoutMs } },
		});
	const pollOptions = { ...options, timeoutMs: limit.remainingMs };
	return await pollUntil(pollOptions, pollState, toTimeoutError);
}

/**
 * Waits until no request is running: a router kills the process of a model during its responses (seen: v0.5.0: a
 * stream just ends, other requests get 500).
 *
 * @returns false if the server shows neither slots nor metrics.
 */
async function waitForRunningRequests(server: ModelServer, options: RunningAction) {
	const { model, wait, timeoutMs, limit } = options;
	let running: number | undefined;
	const createBusyError = (afterMs?: number) =>
		createServerError('busy', toErrorContext(server, { url: server.url.root, model }), {
			about: { modelActionIssue: { kind: 'busy', requests: running, afterMs } },
			facts: { running },
		});
	const pollIdle = async () => {
		running = await countRunningRequests(server, options);
		if (!running) return running === 0;
		if (wait) return undefined;
		throw createBusyError();
	};
	const pollOptions = { ...options, timeoutMs: limit.remainingMs };
	return await pollUntil(pollOptions, pollIdle, () => createBusyError(timeoutMs));
}

/** Requests that a model processes or has queued; undefined if unknown. */
async function countRunningRequests(server: ModelServer, { model, signal, limit }: RunningAction) {
	const query = `?model=${encodeURIComponent(model)}&autoload=false`;
	const response = await tryProbeWithin(server, `/metrics${query}`, { limit, signal });
	const metrics = parseMetrics(response?.status === 200 ? response.text : '');
	const processing = metrics['llamacpp:requests_processing'];
	if (processing !== undefined) return processing + (metrics['llamacpp:requests_deferred'] ?? 0);
	const slots = await tryProbeWithin(server, `/slots${query}`, { limit, signal });
	return Array.isArray(slots?.json)
		? asRecords(slots.json).filter(({ is_processing: isBusy }) => isBusy === true).length
		: undefined;
}

/** The router downloads in the background; its list shows the state. */
async function pull(server: ModelServer, options: ModelActionOptions) {
	const { model, wait, signal, timeoutMs } = options;
	const requestMs = Math.min(COMMAND_TIMEOUT_MS, timeoutMs || Infinity);
	await sendCommand(server, '/models', toCommand(options, requestMs)).catch(
		rethrowWith((error) =>
			error.type === 'routeNotFound' ? createNotRouterError(server, model) : error,
		),
	);
	if (!wait) return { state: 'downloading' };
	const context = toErrorContext(server, { url: `${server.url.root}/models`, model });
	return await pollUntil(
		{ timeoutMs: timeoutMs || Infinity, pauseMs: PULL_POLL_INTERVAL_MS, signal },
		createDownloadPoll(server, { ...options, requestMs }, context),
		() => createServerError('idleTimeout', context, { about: { timeoutMs } }),
	);
}

interface Download extends ModelActionOptions {
	/** Timeout of each request, in milliseconds. */
	requestMs: number;
}

/** Checks whether the download has ended. It may take a moment to appear in the list. */
function createDownloadPoll(
	server: ModelServer,
	{ model, signal, onProgress, requestMs }: Download,
	context: ErrorContext,
) {
	const startedAt = performance.now();
	let wasListed = false;
	return async () => {
		const models = await fetchModels(server, requestMs, signal);
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
		throw createServerError('serverError', context, {
			about: { modelActionIssue: { kind: 'notDownloaded' } },
		});
	};
}

/** Deletes a model that the router has downloaded. */
async function remove(server: ModelServer, options: ModelActionOptions) {
	const { model } = options;
	const path = `/models?model=${encodeURIComponent(model)}`;
	const command = { ...options, method: 'DELETE', timeoutMs: REMOVE_TIMEOUT_MS } as const;
	await sendCommand(server, path, command).catch(
		rethrowWith((error) => {
			if (error.type === 'routeNotFound') return createNotRouterError(server, model);
			return error.withFacts({ modelCommand: { kind: 'remove', isRouter: true } });
		}),
	);
	return { deleted: true } as const;
}
