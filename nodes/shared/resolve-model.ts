import { captureError, ServerError } from '../../lib/errors/server-error';
import { toErrorContext } from '../../lib/http/request-errors';
import { RetryPolicy } from '../../lib/http/retry-policy';
import { sleepWithAbort } from '../../lib/http/sleep';
import type { Timeouts } from '../../lib/http/timeouts';
import { memoize, fetchOnce } from '../../lib/lru-cache';
import { listModelsFor } from '../../lib/servers/list-models';
import { selectOnlyModel } from '../../lib/servers/model-names';
import { getProfile } from '../../lib/servers/profile';
import type { ModelServer, ModelTask } from '../../lib/servers/types/server-type';

interface ModelSettings {
	model: string;
	timeouts?: Partial<Timeouts>;
	retries?: number;
}

const modelCache = memoize<ModelServer, Map<ModelTask, Promise<string>>>(() => new Map());

/**
 * Adds the model to settings: the selected one, otherwise the loaded one, or the only one for the task. Its list is
 * requested once for all items of an execution, with the retries of the request.
 *
 * @throws {ServerError} listing the models, if there are several
 */
export async function withResolvedModel<T extends ModelSettings>(
	settings: T,
	server: ModelServer,
	task: ModelTask,
	signal?: AbortSignal,
): Promise<T> {
	if (settings.model !== '') return settings;
	const resolve = async () =>
		await retryTransient(
			settings,
			server,
			signal,
			async () => await resolveOnlyModel(server, task, signal),
		);
	return { ...settings, model: await fetchOnce(modelCache(server), task, resolve) };
}

async function retryTransient<T>(
	{ timeouts, retries = 0 }: ModelSettings,
	{ onLoading }: ModelServer,
	signal: AbortSignal | undefined,
	request: () => Promise<T>,
): Promise<T> {
	const endsAt = performance.now() + (timeouts?.firstTokenMs || Infinity);
	const policy = new RetryPolicy(retries, true);
	for (;;) {
		const result = await request().catch(captureError);
		if (!(result instanceof ServerError)) return result;
		const delayMs = policy.nextDelayMs(result, endsAt - performance.now(), onLoading);
		await sleepWithAbort(delayMs, signal);
	}
}

const NAME_OPTIONAL_TASKS: ReadonlySet<ModelTask> = new Set(['images', 'transcription', 'speech']);

async function resolveOnlyModel(
	server: ModelServer,
	task: ModelTask,
	signal: AbortSignal | undefined,
): Promise<string> {
	const context = toErrorContext(server, `${server.getApiUrl()}/models`);
	if (!NAME_OPTIONAL_TASKS.has(task))
		return selectOnlyModel(await listModelsFor(server, task, signal), context);
	// A server with one model for images or audio needs no name, and may have no list.
	const models = await listModelsFor(server, task, signal).catch(captureError);
	signal?.throwIfAborted();
	if (models instanceof ServerError) return '';
	const { listQueries } = await getProfile(server).getType(signal);
	return models.length === 1 || listQueries !== undefined ? selectOnlyModel(models, context) : '';
}
