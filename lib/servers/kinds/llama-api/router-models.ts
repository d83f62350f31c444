/** Models of llama-server's router (docs/protocols/llama-server.md 2.10). */
import { isRefusal } from '../../../errors/http-failure';
import type { Connection } from '../../../http/connection';
import { isModelNamed } from '../../model-names';
import { readProps, type ServerModel } from '../../models';
import { CALL_MS, notOffered, offeredModels } from '../../offered-models';
import { optionalJson } from '../../optional-json';
import { pollUntil } from '../../poll';
import { optional } from '../../../values';
import type {
	Change,
	ChangeOptions,
	ModelAction,
	ModelQuestion,
	Pulled,
	PullOptions,
} from '../work';
import { modelQuery, modelQueryWithoutLoading } from './routes';
import { tooSlow, waitForRunningAnswers } from './running-answers';

const PULL_PAUSE_MS = 2_000;
/** How long a router may take to list a download. */
const APPEARS_MS = 30_000;
const REMOVE_LIMIT_MS = 60_000;

export const MISSING_ON_ROUTER = () =>
	'put its GGUF file into the folder of --models-dir and restart the router.';

const UP: ReadonlySet<string> = new Set(['loaded', 'loading', 'sleeping']);

/** @throws {ServerError} of kind `modelNotFound` */
async function routerModel(connection: Connection, options: ChangeOptions): Promise<ServerModel> {
	const models = await offeredModels(connection, options);
	const listed = models.find((one) => isModelNamed(one, options.model));
	if (listed !== undefined) return listed;
	const others = models.map(({ id }) => id);
	throw notOffered(connection, options.model, others, MISSING_ON_ROUTER);
}

export async function loadOnRouter(
	connection: Connection,
	options: ChangeOptions,
): Promise<Change> {
	const { id: model, state: before = 'unknown' } = await routerModel(connection, options);
	const change = { ...options, model };
	const isUp = UP.has(before);
	if (!isUp) await order(connection, 'load', change);
	if (!options.wait) return { model, before, state: isUp ? before : 'loading' };
	return { model, before, state: await settled(connection, 'load', change) };
}

export async function unloadOnRouter(
	connection: Connection,
	options: ChangeOptions,
): Promise<Change> {
	const { id: model, state: before = 'unknown' } = await routerModel(connection, options);
	const change = { ...options, model };
	if (!UP.has(before)) return { model, before, state: before };
	const done: Change = { model, before, state: 'unloaded' };
	if (before === 'loaded' && options.cutAnswers !== true) {
		const query = modelQueryWithoutLoading(model);
		const urlOf = (path: string) => connection.url.root + path + query;
		done.sawNoAnswers = await waitForRunningAnswers(connection, urlOf, change);
	}
	await order(connection, 'unload', change);
	if (options.wait) done.state = await settled(connection, 'unload', change);
	return done;
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
	// Somebody else was faster: the model already is in this state.
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
		const listed = await routerModel(connection, options);
		if (action === 'unload') return unloadedState(listed.state);
		if (listed.state === 'failed') throw failedToLoad(connection, url, options.model, listed);
		return listed.state === 'loaded' || listed.state === 'sleeping' ? listed.state : undefined;
	};
	return await pollUntil(options, look, late);
}

/** A killed process may count as failed. */
function unloadedState(state: string | undefined): string | undefined {
	if (state === 'failed') return 'unloaded';
	return state === 'unloaded' || state === 'downloaded' ? state : undefined;
}

function failedToLoad(
	connection: Connection,
	url: string,
	model: string,
	{ exitCode }: ServerModel,
) {
	const meaning =
		exitCode === undefined
			? undefined
			: `The process for the model "${model}" ended with the exit code ${exitCode}`;
	return connection.failure('modelFailedToLoad', {
		url,
		model,
		...optional({ meaning }),
		facts: { exitCode },
	});
}

/** The router downloads in the background; its list shows the state. */
export async function pullOnRouter(connection: Connection, options: PullOptions): Promise<Pulled> {
	const { model, wait, signal, idleMs } = options;
	const url = `${connection.url.root}/models`;
	await connection.accepted(url, { json: { model }, timeoutMs: CALL_MS, signal, about: { model } });
	if (!wait) return { state: 'downloading' };
	const limitMs = idleMs > 0 ? idleMs : Infinity;
	const late = () => connection.failure('idleLimit', { url, model, about: { limitMs: idleMs } });
	return await pollUntil(
		{ limitMs, pauseMs: PULL_PAUSE_MS, signal },
		downloadLook(connection, options),
		late,
	);
}

/** Looks whether the download has ended. It may take a moment to appear in the list. */
function downloadLook(connection: Connection, options: PullOptions) {
	const { model } = options;
	const startedAt = performance.now();
	let wasSeen = false;
	return async (): Promise<Pulled | undefined> => {
		const state = await downloadState(connection, options);
		if (state === 'downloading') {
			wasSeen = true;
			await options.onProgress?.({ status: `downloading ${model}` });
			return undefined;
		}
		if (state === undefined) {
			const isGone = wasSeen || performance.now() - startedAt > APPEARS_MS;
			if (isGone) throw notDownloaded(connection, model);
			return undefined;
		}
		// A model that failed before the download was seen failed earlier.
		return wasSeen || state !== 'failed' ? { state: 'success' } : undefined;
	};
}

async function downloadState(
	connection: Connection,
	options: PullOptions,
): Promise<string | undefined> {
	const { model } = options;
	const models = await offeredModels(connection, options);
	// The router adds the quantization that it chose.
	const listed = models.find((one) => isModelNamed(one, model) || one.id.startsWith(`${model}:`));
	return listed === undefined ? undefined : (listed.state ?? 'downloaded');
}

function notDownloaded(connection: Connection, model: string) {
	return connection.failure('serverError', {
		url: `${connection.url.root}/models`,
		model,
		message: `The router could not download the model "${model}"`,
		remedy:
			'Give the name of a repository on Hugging Face, such as USER/REPOSITORY:Q4_K_M. The log of the router says more.',
	});
}

/** Deletes what the router has downloaded. */
export async function removeOnRouter(
	connection: Connection,
	{ model, signal }: ModelQuestion,
): Promise<void> {
	const url = `${connection.url.root}/models${modelQuery(model)}`;
	const answer = await connection.call(url, {
		method: 'DELETE',
		timeoutMs: REMOVE_LIMIT_MS,
		signal,
	});
	if (/is not removable/i.test(answer.text))
		throw connection.refusal(answer, { model }).reworded({
			kind: 'notSupported',
			message: `The router does not delete the model "${model}"`,
			remedy:
				'It deletes what it has downloaded itself, and nothing of --models-dir or --models-preset. Delete the file there.',
		});
	if (answer.status >= 300) throw connection.refusal(answer, { model });
}

const LIST_LIMIT_MS = 10_000;

/** Adds what `/props` tells about the model of a llama-server. What the list says of inputs counts first. */
export async function withProps(
	connection: Connection,
	models: ServerModel[],
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const [only] = models;
	if (only === undefined || models.length > 1) return models;
	const props = await optionalJson(connection, '/props', { timeoutMs: LIST_LIMIT_MS, signal });
	if (props === undefined) return [only];
	const { vision, audio, video } = only;
	return [{ ...only, state: 'loaded', ...readProps(props), ...optional({ vision, audio, video }) }];
}
