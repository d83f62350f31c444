import { failure } from '../../errors/failure';
import type { ServerError } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { type KindName, kindOf } from '../kinds';
import { isModelNamed, pathOfModel } from '../model-names';
import {
	CALL_MS,
	unsupported,
	offeredModels,
	pollUntil,
	workOnModel,
	type ModelWork,
} from './model-work';
import { followWork, type Progress } from './work-progress';

export interface PullOptions extends ModelWork {
	/** Only a router can go on without waiting: others abort the download with the connection. */
	wait: boolean;
	/** Ollama: allow a registry without TLS. */
	insecure?: boolean;
	/** Milliseconds without progress after which it fails; 0: no limit. */
	idleMs: number;
	/** Milliseconds between polls of a router's list. */
	pauseMs?: number;
	onProgress?(progress: Progress): Promise<void> | void;
}

interface Pulled {
	/** `success`, or `downloading` without waiting. */
	state: string;
	/** Whether anything was downloaded; undefined if unknown. */
	changed?: boolean;
	/** Bytes of the model, and bytes downloaded now. */
	size?: number;
	downloaded?: number;
}

const PAUSE_MS = 2_000;
/** How long a router may take to list a download. */
const APPEARS_MS = 30_000;

/**
 * Downloads a model onto the server: Ollama, llama-server's router, speaches.
 *
 * @throws {ServerError}
 */
export async function pullModel(connection: Connection, options: PullOptions) {
	return await workOnModel(connection, options, async (kind, asked): Promise<Pulled> => {
		const { hasOllamaApi, llamaApi, installsModels } = kindOf(kind);
		if (hasOllamaApi === true) return await pullOnOllama(connection, asked);
		if (llamaApi === 'router') return await pullOnRouter(connection, asked);
		// speaches without models cannot be identified.
		if (installsModels === true || kind === 'other')
			return await installModel(connection, kind, asked);
		throw await cannotPull(connection, kind, asked);
	});
}

async function pullOnOllama(connection: Connection, options: PullOptions): Promise<Pulled> {
	const { model, insecure = false, idleMs, signal, onProgress } = options;
	const json = { model, ...(insecure ? { insecure } : {}) };
	const { layers } = await followWork(connection, {
		path: '/api/pull',
		json,
		model,
		signal,
		idleMs,
		onProgress,
	});
	const size = layers.reduce((sum, { total }) => sum + total, 0);
	const downloaded = layers.reduce((sum, { total, before }) => sum + total - before, 0);
	return { state: 'success', changed: downloaded > 0, size, downloaded };
}

/** The router downloads in the background; its list shows the state. */
async function pullOnRouter(connection: Connection, options: PullOptions): Promise<Pulled> {
	const { model, wait, signal, pauseMs = PAUSE_MS, idleMs } = options;
	const url = `${connection.url.root}/models`;
	await connection.accepted(url, { json: { model }, timeoutMs: CALL_MS, signal, about: { model } });
	if (!wait) return { state: 'downloading' };
	const startedAt = performance.now();
	let wasSeen = false;
	const look = async () => {
		const state = await stateOnRouter(connection, options);
		const isDownloading = state === 'downloading';
		if (state !== undefined && !isDownloading && (wasSeen || state !== 'failed'))
			return { state: 'success' };
		if (state === undefined && (wasSeen || performance.now() - startedAt > APPEARS_MS))
			throw failure('serverError', connection.contextOf(url, { model }), {
				message: `The router could not download the model "${model}"`,
				remedy:
					'Give the name of a repository on Hugging Face, such as USER/REPOSITORY:Q4_K_M. The log of the router says more.',
			});
		wasSeen ||= isDownloading;
		if (isDownloading) await options.onProgress?.({ status: `downloading ${model}` });
		return undefined;
	};
	return await pollUntil({ limitMs: idleMs > 0 ? idleMs : Infinity, pauseMs, signal }, look, () =>
		failure('idleLimit', connection.contextOf(url, { model }), { about: { limitMs: idleMs } }),
	);
}

async function stateOnRouter(
	connection: Connection,
	options: PullOptions,
): Promise<string | undefined> {
	const { models } = await offeredModels(connection, options);
	const { model } = options;
	// The router adds the quantization that it chose.
	const found = models.find((one) => isModelNamed(one, model) || one.id.startsWith(`${model}:`));
	return found === undefined ? undefined : (found.state ?? 'downloaded');
}

/** Waits for one request: 201 after installing, or 200 if the model was already there. */
async function installModel(
	connection: Connection,
	kind: KindName,
	options: PullOptions,
): Promise<Pulled> {
	const { model, signal, idleMs } = options;
	const url = `${connection.url.api}/models/${pathOfModel(model)}`;
	const answer = await connection.call(url, { method: 'POST', timeoutMs: idleMs, signal });
	if (kind === 'other' && (answer.status === 404 || answer.status === 405))
		throw await cannotPull(connection, kind, options);
	if (answer.status >= 300) throw connection.refusal(answer, { model });
	return { state: 'success', changed: answer.status === 201 };
}

async function cannotPull(
	connection: Connection,
	kind: KindName,
	{ signal }: PullOptions,
): Promise<ServerError> {
	return await unsupported(
		connection,
		kind,
		'download models',
		"Ollama, llama-server's router and speaches",
		signal,
	);
}
