/** Names of Ollama's models, and actions on them, by its own API (docs/protocols/ollama.md 4.6). */
import { createServerError } from '../../errors/create-error';
import { formatDuration } from '../../errors/texts';
import { captureError, type ServerError } from '../../errors/server-error';
import type { HttpResponse, RequestOptions } from '../../http/types';
import { toErrorContext } from '../../http/request-errors';
import { request } from '../../http/request';
import { parseJson } from '../../json';
import {
	asFiniteNumber,
	isNonEmpty,
	isRecord,
	type JsonRecord,
	asNonEmptyString,
	omitUndefined,
	asRecords,
	asString,
	toText,
} from '../../values';
import { pollUntil } from '../poll';
import type {
	ModelStateChange,
	LoadOptions,
	ModelActions,
	PullProgress,
	PullResult,
	PullOptions,
	ModelServer,
	ModelActionOptions,
} from './server-type';
import { tryProbeObject } from '../probe';
import { matchesModelId } from '../model-names';

const REMOVE_LIMIT_MS = 60_000;

export const ollamaActions: ModelActions = { load, unload, pull, remove };

async function load(server: ModelServer, options: LoadOptions): Promise<ModelStateChange> {
	const { model } = options;
	if (await isLoaded(server, options)) return { model, before: 'loaded', state: 'loaded' };
	await generateEmpty(server, options, {});
	return { model, before: 'unloaded', state: 'loaded' };
}

async function unload(server: ModelServer, options: LoadOptions): Promise<ModelStateChange> {
	const { model, timeoutMs } = options;
	if (!(await isLoaded(server, options))) return { model, before: 'unloaded', state: 'unloaded' };
	await generateEmpty(server, options, { keep_alive: 0 });
	// The answer comes before the memory is free (seen: 0.17.4). Loading the model in between would find it loaded, and
	// then lose it.
	const late = () =>
		createServerError(
			'modelLoading',
			toErrorContext(server, `${server.url.root}/api/generate`, model),
			{
				about: { timeoutMs },
				message: `The model "${model}" is still in memory after ${formatDuration(timeoutMs)}`,
				suggestion:
					'Raise the timeout of the node. A model stays loaded until its current response is complete.',
			},
		);
	const isGone = async () => ((await isLoaded(server, options)) ? undefined : true);
	await pollUntil(options, isGone, late);
	return { model, before: 'loaded', state: 'unloaded' };
}

async function isLoaded(server: ModelServer, { model, signal }: LoadOptions): Promise<boolean> {
	return (await fetchRunningModel(server, model, signal)) !== undefined;
}

/** A generation without a prompt only loads the model; with `keep_alive` 0 it only unloads it. */
async function generateEmpty(
	server: ModelServer,
	{ model, timeoutMs, signal }: LoadOptions,
	fields: JsonRecord,
): Promise<void> {
	const timeouts = { firstTokenMs: 0, idleMs: 0, totalMs: timeoutMs };
	const json = { model, stream: false, ...fields };
	const send = async (path: string) => {
		const ask: RequestOptions = { url: server.url.root + path, json, model, signal, timeouts };
		return await request(server, ask, async (answer) => await answer.json());
	};
	const refused = await send('/api/generate').then(
		() => undefined,
		(error: unknown) => captureError(error).failed,
	);
	if (refused === undefined) return;
	// An embedding model: a request without input also only loads or unloads it.
	if (!/does not support generate/i.test(refused.serverText ?? '')) throw refused;
	await send('/api/embed');
}

/** Ollama expects a body with DELETE, too. */
async function remove(server: ModelServer, { model, signal }: ModelActionOptions): Promise<void> {
	const ask: RequestOptions = {
		method: 'DELETE',
		url: `${server.url.root}/api/delete`,
		json: { model },
		model,
		signal,
		timeouts: { firstTokenMs: 0, idleMs: 0, totalMs: REMOVE_LIMIT_MS },
	};
	await request(server, ask, async (answer) => await answer.text());
}

/** Bytes of a layer, and how many of them had been downloaded before. */
interface Layer {
	total: number;
	before: number;
}

/** @throws {ServerError} */
async function pull(server: ModelServer, options: PullOptions): Promise<PullResult> {
	const { model, insecure = false, timeoutMs: idleMs, signal } = options;
	const ask: RequestOptions = {
		url: `${server.url.root}/api/pull`,
		json: { model, ...(insecure ? { insecure } : {}), stream: true },
		streamFormat: 'lines',
		model,
		signal,
		timeouts: { firstTokenMs: idleMs, idleMs },
	};
	const reading = request(server, ask, async (answer) => await followPull(server, options, answer));
	const layers = await reading.catch((error: unknown) => {
		throw explainRegistryError(captureError(error).failed, model);
	});
	const size = layers.reduce((sum, { total }) => sum + total, 0);
	const downloaded = layers.reduce((sum, { total, before }) => sum + total - before, 0);
	return { state: 'success', changed: downloaded > 0, size, downloaded };
}

/**
 * Reads the progress to its end. Ollama tells a failure as an `error` in a line of a 200 answer; only a last line with
 * the status `success` means that it is done. If a registry has lost a file, Ollama repeats the same line forever (seen:
 * 0.17.4), so only new lines count as progress.
 */
async function followPull(
	server: ModelServer,
	{ model, onProgress }: PullOptions,
	answer: HttpResponse,
): Promise<Layer[]> {
	const layers = new Map<string, Layer>();
	const context = toErrorContext(server, answer.url, model);
	let last = '';
	for await (const lines of answer.events())
		for (const data of lines) {
			const line = parseJson(data);
			if (!isRecord(line)) continue;
			if (isNonEmpty(line.error))
				throw createServerError('serverError', context, { serverText: textOf(line.error) });
			if (data !== last) answer.markContent();
			last = data;
			const progress = progressIn(line);
			if (progress === undefined) continue;
			recordProgress(layers, progress);
			await onProgress?.(progress);
			if (progress.status === 'success') return [...layers.values()];
		}
	throw createServerError('streamEndedEarly', context, {
		message: `Ollama stopped before the download of the model "${model}" was complete`,
		suggestion:
			'Try again: the downloaded data is kept. Check the server log, and any proxies that end long responses.',
		serverText: answer.getNonEventLines().join('\n') || last,
	});
}

function textOf(error: unknown): string {
	return isRecord(error) ? (asNonEmptyString(error.message) ?? toText(error)) : toText(error);
}

function progressIn(line: JsonRecord): PullProgress | undefined {
	const status = asNonEmptyString(line.status);
	if (status === undefined) return undefined;
	const [digest, total] = [asNonEmptyString(line.digest), asFiniteNumber(line.total)];
	return { status, ...omitUndefined({ digest, total, completed: asFiniteNumber(line.completed) }) };
}

/** Records a layer when it is first named. Go omits a `completed` of 0. */
function recordProgress(
	layers: Map<string, Layer>,
	{ digest, total, completed = 0 }: PullProgress,
): void {
	if (digest === undefined || total === undefined || layers.has(digest)) return;
	layers.set(digest, { total, before: completed >= total ? total : 0 });
}

/** What the registry answered, in words that say what to do. */
function explainRegistryError(failed: ServerError, model: string): ServerError {
	const { serverText, type } = failed;
	if (serverText === undefined || type === 'streamEndedEarly') return failed;
	if (/invalid model name/i.test(serverText))
		return failed.copyWith({
			type: 'badRequest',
			message: `"${model}" is not a valid model name`,
			suggestion:
				'A name consists of letters, digits, dots and hyphens, with an optional tag after a colon: qwen3:8b, hf.co/USER/REPOSITORY:Q4_K_M.',
		});
	if (/file does not exist|manifest unknown|not found/i.test(serverText))
		return failed.copyWith({
			type: 'modelNotFound',
			message: `The registry has no model "${model}"`,
			suggestion:
				'Check the name and the tag on ollama.com/library, for example qwen3:8b or hf.co/USER/REPOSITORY:Q4_K_M.',
		});
	if (type !== 'serverError') return failed;
	return failed.copyWith({
		message: `Ollama could not download the model "${model}"`,
		suggestion:
			'The server message gives the reason. Ollama needs access to the registry (HTTPS_PROXY in its environment) and free disk space.',
	});
}

/** Where Ollama fetches models that are named without a registry (types/model/name.go). */
const DEFAULT_REGISTRY = /^(?:https?:\/\/)?(?:registry\.ollama\.ai\/)?(?:library\/)?/;

/** Whether two names mean the same model: without regard to case, with or without registry and `library`. */
export function isSameOllamaName(id: string, name: string): boolean {
	const [one = '', other = ''] = [id, name].map((full) =>
		full.toLowerCase().replace(DEFAULT_REGISTRY, ''),
	);
	return matchesModelId(one, other) || matchesModelId(other, one);
}

/** What Ollama tells of a model that is in memory. */
export async function fetchRunningModel(
	server: ModelServer,
	model: string,
	signal?: AbortSignal,
): Promise<JsonRecord | undefined> {
	const running = await tryProbeObject(server, '/api/ps', { signal });
	return asRecords(running?.models).find(({ name }) =>
		isSameOllamaName(asString(name) ?? '', model),
	);
}
