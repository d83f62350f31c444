import { failure } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { pauseFor } from '../../http/waiting';
import { askServerKindAgain } from '../identify';
import { traitsOf } from '../kinds';
import type { ServerKind } from '../kinds/kind';
import { isModelNamed, requireModel } from '../model-names';
import { readModels } from '../models';
import { followWork, type Progress } from './work-progress';

export interface PullOptions {
	model: string;
	/** A router can be left alone with it; others end a download with the connection. */
	wait: boolean;
	/** Ollama: take a registry without TLS. */
	insecure?: boolean;
	/** Longest time in which nothing changes. 0: none. */
	idleMs: number;
	signal?: AbortSignal;
	/** Between looks at a router's list. */
	pauseMs?: number;
	onProgress?(progress: Progress): Promise<void> | void;
}

export interface Pulled {
	model: string;
	server: ServerKind;
	/** `success`, or `downloading` where nobody waited. */
	state: string;
	/** Whether anything was downloaded; undefined where the server does not tell. */
	changed?: boolean;
	/** Bytes of the model, and those that were downloaded now. */
	size?: number;
	downloaded?: number;
	tookMs: number;
}

const CALL_MS = 15_000;
const PAUSE_MS = 2_000;
/** Until a router shows a download in its list. */
const APPEARS_MS = 30_000;

/**
 * Downloads a model onto the server: Ollama, llama-server's router, speaches.
 *
 * @throws {ServerError}
 */
export async function pullModel(connection: Connection, options: PullOptions): Promise<Pulled> {
	const startedAt = performance.now();
	const model = options.model.trim();
	requireModel(model);
	const kind = await askServerKindAgain(connection, { signal: options.signal, limitMs: CALL_MS });
	const done = await pullOn(connection, kind, { ...options, model });
	return { model, server: kind, ...done, tookMs: Math.round(performance.now() - startedAt) };
}

type Outcome = Omit<Pulled, 'model' | 'server' | 'tookMs'>;

async function pullOn(connection: Connection, kind: ServerKind, options: PullOptions): Promise<Outcome> {
	const { hasOllamaApi, llamaApi, installsModels } = traitsOf(kind);
	if (hasOllamaApi === true) return await pullOnOllama(connection, options);
	if (llamaApi === 'router') return await pullOnRouter(connection, options);
	// speaches without a model cannot be told from others.
	if (installsModels === true || kind === 'other') return await installModel(connection, kind, options);
	throw cannot(connection, kind);
}

async function pullOnOllama(connection: Connection, options: PullOptions): Promise<Outcome> {
	const { model, insecure = false, idleMs, signal, onProgress } = options;
	const json = { model, ...(insecure ? { insecure } : {}) };
	const { layers } = await followWork(connection, { path: '/api/pull', json, model, signal, idleMs, onProgress });
	const size = layers.reduce((sum, { total }) => sum + total, 0);
	const downloaded = layers.reduce((sum, { total, before }) => sum + total - before, 0);
	return { state: 'success', changed: downloaded > 0, size, downloaded };
}

/** The download goes on by itself; the list shows its state. */
async function pullOnRouter(connection: Connection, options: PullOptions): Promise<Outcome> {
	const { model, wait, signal, pauseMs = PAUSE_MS, idleMs } = options;
	const url = `${connection.url.root}/models`;
	const answer = await connection.call(url, { json: { model }, timeoutMs: CALL_MS, signal });
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	if (!wait) return { state: 'downloading' };
	const startedAt = performance.now();
	let wasSeen = false;
	for (;;) {
		const state = await stateOnRouter(connection, options);
		const isDownloading = state === 'downloading';
		if (state !== undefined && !isDownloading && (wasSeen || state !== 'failed')) return { state: 'success' };
		const waited = performance.now() - startedAt;
		if (state === undefined && (wasSeen || waited > APPEARS_MS))
			throw failure('serverError', connection.contextOf(url, { model }), {
				message: `The router could not download the model "${model}"`,
				remedy:
					'Give the name of a repository on Hugging Face, such as USER/REPOSITORY:Q4_K_M. The log of the router says more.',
			});
		if (idleMs > 0 && waited > idleMs)
			throw failure('idleLimit', connection.contextOf(url, { model }), { about: { limitMs: idleMs } });
		wasSeen ||= isDownloading;
		if (isDownloading) await options.onProgress?.({ status: `downloading ${model}` });
		await pauseFor(pauseMs, signal);
	}
}

async function stateOnRouter(connection: Connection, { model, signal }: PullOptions): Promise<string | undefined> {
	const answer = await connection.call(`${connection.url.api}/models`, { timeoutMs: CALL_MS, signal });
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	const models = readModels(answer.json) ?? [];
	// The router adds the quantization that it chose.
	const found = models.find((one) => isModelNamed(one, model) || one.id.startsWith(`${model}:`));
	return found === undefined ? undefined : (found.state ?? 'downloaded');
}

/** One request that is answered when the model is there: 201, or 200 where it was there before. */
async function installModel(
	connection: Connection,
	kind: ServerKind,
	{ model, signal, idleMs }: PullOptions,
): Promise<Outcome> {
	const url = `${connection.url.api}/models/${model.split('/').map(encodeURIComponent).join('/')}`;
	const answer = await connection.call(url, { method: 'POST', timeoutMs: idleMs, signal });
	if (kind === 'other' && (answer.status === 404 || answer.status === 405)) throw cannot(connection, kind);
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	return { state: 'success', changed: answer.status === 201 };
}

function cannot(connection: Connection, kind: ServerKind): ServerError {
	return failure('notSupported', connection.contextOf(connection.url.root), {
		message: `${traitsOf(kind).label} cannot download models on request`,
		remedy: "Only Ollama, llama-server's router and speaches can.",
	});
}
