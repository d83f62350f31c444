/** Names of Ollama's models, and actions on them, by the native API (docs/protocols/ollama.md 4.6). */
import { TASK_LIMITS } from '../../task-limits';
import type { ServerError } from '../../errors/server-error';
import { rethrowWith } from '../../errors/server-error';
import { toStreamError } from '../../errors/classify-error';
import { createServerError } from '../../errors/create-error';
import type { HttpResponse, RequestOptions } from '../../http/types';
import { toErrorContext } from '../../http/request-errors';
import { request } from '../../http/request';
import { StrayLines } from '../../http/stray-lines';
import type { JsonRecord } from '../../values/records';
import { asArray, isNonEmpty, isRecord, asNonEmptyString, asRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import { asFiniteNumber } from '../../values/numbers';
import type {
	ModelActionOptions,
	ModelActionResult,
	ModelActions,
	ModelServer,
	PullProgress,
	RunningAction,
} from './server-type';
import { tryProbeWithin } from '../probe';
import { sendCommand } from '../send-command';
import { pollUntil } from '../poll-until';
import { findRunningModel } from './ollama-models';

const REMOVE_TIMEOUT_MS = 60_000;

export const ollamaActions: ModelActions = { load, unload, pull, remove };

async function load(server: ModelServer, options: RunningAction) {
	const before = await getState(server, options);
	if (before === 'unloaded') await generateEmpty(server, options);
	return { before, state: 'loaded' };
}

async function unload(server: ModelServer, options: RunningAction): Promise<ModelActionResult> {
	const { model, timeoutMs, limit } = options;
	const before = await getState(server, options);
	const result = { before, state: 'unloaded' };
	if (before === 'unloaded') return result;
	await generateEmpty(server, options, { keep_alive: 0 });
	// The response arrives before the memory is free (seen: 0.17.4). Loading the model in between would find it loaded, and
	// then lose it.
	const toTimeoutError = () =>
		createServerError(
			'modelLoading',
			toErrorContext(server, { url: `${server.url.root}/api/generate`, model }),
			{ about: { modelActionIssue: { kind: 'inMemory', afterMs: timeoutMs } } },
		);
	const pollUnloaded = async () =>
		(await getState(server, options)) === 'unloaded' ? result : undefined;
	const pollOptions = { ...options, timeoutMs: limit.remainingMs };
	return await pollUntil(pollOptions, pollUnloaded, toTimeoutError);
}

/** @throws a `ServerError` if the time is over. */
async function getState(server: ModelServer, { model, signal, limit }: RunningAction) {
	const running = await tryProbeWithin(server, '/api/ps', { limit, signal });
	return findRunningModel(running?.json, model) === undefined ? 'unloaded' : 'loaded';
}

/** A generation without a prompt only loads the model; with `keep_alive` 0 it only unloads it. */
async function generateEmpty(
	server: ModelServer,
	{ model, signal, timeoutMs, limit }: RunningAction,
	fields: JsonRecord = {},
) {
	const json = { model, stream: false, ...fields };
	const path = await fetchEmptyPath(server, { model, signal, limit });
	const command = { model, signal, json, timeoutMs: timeoutMs && limit.remainingMs };
	await sendCommand(server, path, command);
}

/** An embedding model generates nothing: a request without input also only loads or unloads it. */
async function fetchEmptyPath(
	server: ModelServer,
	{ model, signal, limit }: Pick<RunningAction, 'model' | 'signal' | 'limit'>,
) {
	const shown = await tryProbeWithin(server, '/api/show', { limit, signal, json: { model } });
	const capabilities = asArray(asRecord(shown?.json).capabilities);
	const isForVectors = capabilities.includes('embedding') && !capabilities.includes('completion');
	return isForVectors ? '/api/embed' : '/api/generate';
}

/** Ollama expects a body with DELETE, too. */
async function remove(server: ModelServer, { model, signal }: ModelActionOptions) {
	const requestOptions: RequestOptions = {
		method: 'DELETE',
		url: `${server.url.root}/api/delete`,
		limits: TASK_LIMITS.command.received,
		json: { model },
		model,
		signal,
		timeouts: { firstTokenMs: 0, idleMs: 0, totalMs: REMOVE_TIMEOUT_MS },
	};
	await request(server, requestOptions, (response) => response.text()).catch(
		rethrowWith((error) => error.withFacts({ modelCommand: { kind: 'remove', isRouter: false } })),
	);
	return { deleted: true } as const;
}

/** Bytes of a layer, and how many of them had been downloaded before. */
interface Layer {
	total: number;
	before: number;
}

/** @throws a `ServerError`. */
async function pull(server: ModelServer, options: ModelActionOptions) {
	const { model, insecure = false, timeoutMs: idleMs, signal } = options;
	const requestOptions: RequestOptions = {
		url: `${server.url.root}/api/pull`,
		limits: TASK_LIMITS.pull.received,
		json: { model, ...(insecure ? { insecure } : {}), stream: true },
		streamFormat: 'lines',
		model,
		signal,
		timeouts: { firstTokenMs: idleMs, idleMs },
	};
	const layers = new Map<string, Layer>();
	await request(server, requestOptions, async (response) => {
		await followPull(server, { options, layers }, response);
	}).catch(
		rethrowWith((error) =>
			error.withFacts({ modelCommand: { kind: 'pull', hasBegun: layers.size > 0 } }),
		),
	);
	const all = [...layers.values()];
	const size = all.reduce((sum, { total }) => sum + total, 0);
	const downloaded = all.reduce((sum, { total, before }) => sum + total - before, 0);
	return { state: 'success', changed: downloaded > 0, size, downloaded };
}

/** A download, and what is known of its layers. */
interface FollowedPull {
	options: ModelActionOptions;
	/** By digest. */
	layers: Map<string, Layer>;
}

/**
 * Reads the progress to its end. Ollama reports errors as `error` in a line of a 200 response; only a last line with the
 * status `success` means that it is done. If a registry has lost a file, Ollama repeats the same line forever (seen:
 * 0.17.4), so only new lines count as progress.
 */
async function followPull(
	server: ModelServer,
	{ options: { model, onProgress }, layers }: FollowedPull,
	response: HttpResponse,
): Promise<void> {
	const context = toErrorContext(server, { url: response.url, model });
	let lastLine = '';
	const strayLines = new StrayLines();
	for await (const parts of response.parts()) {
		for (const { type, text: data } of parts) {
			if (type === 'line') strayLines.add(data);
			const line = type === 'line' ? undefined : parseJson(data);
			if (!isRecord(line)) continue;
			if (isNonEmpty(line.error)) throw toPullError(response, data);
			if (data !== lastLine) response.markContent();
			lastLine = data;
			const progress = parseProgress(line);
			if (progress === undefined) continue;
			recordProgress(layers, progress);
			await onProgress?.(progress);
			if (progress.status === 'success') return;
		}
	}
	throw createServerError('streamEndedEarly', context, {
		about: { modelActionIssue: { kind: 'downloadEnded' } },
		serverText: strayLines.text || lastLine,
	});
}

/** The error in a line of progress. */
function toPullError({ toError, errorContext }: HttpResponse, data: string): ServerError {
	const error = toStreamError(toError(data), errorContext);
	return error.type === 'streamError' ? error.copyWith({ type: 'serverError' }) : error;
}

function parseProgress(line: JsonRecord): PullProgress | undefined {
	const status = asNonEmptyString(line.status);
	if (status === undefined) return undefined;
	return {
		status,
		digest: asNonEmptyString(line.digest),
		total: asFiniteNumber(line.total),
		completed: asFiniteNumber(line.completed),
	};
}

/** Records a layer when it is first named. Go omits a `completed` of 0. */
function recordProgress(
	layers: Map<string, Layer>,
	{ digest, total, completed = 0 }: PullProgress,
) {
	if (digest === undefined || total === undefined || layers.has(digest)) return;
	layers.set(digest, { total, before: completed >= total ? total : 0 });
}
