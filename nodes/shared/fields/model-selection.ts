/** The model of a node: its field, the searches in its list, and the model of an empty field. */
import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { MODEL_LABEL } from '../../../lib/exchange/request-fields';
import type { LocatorField } from '../../../lib/fields/field';
import type { ListOptions } from '../../../lib/servers/list-models';
import { listModels } from '../../../lib/servers/list-models';
import { PROBE_TIMEOUT_MS } from '../../../lib/servers/probe';
import { TimeLimit } from '../../../lib/servers/time-limit';
import { selectOnlyModel } from '../../../lib/servers/model-selection';
import { describeModel } from '../../../lib/servers/describe-model';
import { getDisplayNames } from '../../../lib/servers/model-names';
import type { ModelTask, ModelServer } from '../../../lib/servers/types/server-type';
import { createModelServer } from '../../../lib/servers/endpoint';
import { withResolvedHeaders } from '../../../lib/servers/credential';
import { withEditorCredentials } from '../../../lib/n8n/editor-credential';
import { toListEntries, createListError } from '../../../lib/n8n/list-entries';
import { asServerErrorOrThrow, ServerError } from '../../../lib/errors/server-error';
import { toErrorContext } from '../../../lib/http/request-errors';
import { RetryPolicy } from '../../../lib/http/retry-policy';
import { sleepWithAbort } from '../../../lib/http/sleep';
import type { Timeouts } from '../../../lib/http/timeouts';
import { keepWithin } from '../../../lib/kept';
import type { LruCache } from '../../../lib/lru-cache';
import { memoize, fetchOnce } from '../../../lib/lru-cache';
import { toListUrl } from '../../../lib/servers/server-urls';
import type { ServerModel } from '../../../lib/servers/server-model';
import { getProfile } from '../../../lib/servers/profile';

/** Subtitle of a node: the model's file name without folder and `.gguf`, or "loaded model". */
export const MODEL_SUBTITLE =
	'={{ String($parameter.model?.value ?? $parameter.model ?? "").split(/[\\/\\\\]/).pop().replace(/\\.gguf$/i, "") || "loaded model" }}';

interface ModelFieldOptions {
	/** The list search of the node. */
	search: string;
	/** The name that the empty field shows as an example. */
	example: string;
}

/**
 * The model, from the server's list or by its name.
 *
 * @param description - Without its final period.
 * @param options - Default: those of a chat model.
 */
export function modelField(
	description: string,
	{ search, example }: ModelFieldOptions = { search: 'searchModels', example: 'qwen3-8b' },
): LocatorField {
	return {
		kind: 'locator',
		label: MODEL_LABEL,
		search,
		placeholder: 'The loaded model, or select one…',
		description: `${description}. Leave empty to use the loaded model, or the only one.`,
		entered: [{ displayName: 'By Name', placeholder: `e.g. ${example}` }],
	};
}

/** List searches for models. If the list cannot be loaded, the error contains the reason and a suggestion. */
export const modelSearches = {
	searchModels: createModelSearch('chat'),
	searchClassifiers: createModelSearch('classification'),
	searchDecisionModels: createModelSearch('decisions'),
	searchAllModels: createModelSearch(),
	searchEmbeddingModels: createModelSearch('embeddings'),
	searchRerankers: createModelSearch('reranking'),
	searchImageModels: createModelSearch('images'),
	searchTranscriptionModels: createModelSearch('transcription'),
	searchSpeechModels: createModelSearch('speech'),
};

/** Single searches, for nodes that need only these. */
export const searchModels: ListSearch = modelSearches.searchModels;
export const searchEmbeddingModels: ListSearch = modelSearches.searchEmbeddingModels;
export const searchRerankers: ListSearch = modelSearches.searchRerankers;

/** A search of the editor in a list. Without a filter, it returns the whole list. */
type ListSearch = (this: ILoadOptionsFunctions, filter?: string) => Promise<INodeListSearchResult>;

function createModelSearch(modelTask?: ModelTask): ListSearch {
	return async function (this: ILoadOptionsFunctions, filter = ''): Promise<INodeListSearchResult> {
		try {
			const server = await openListedServer(this);
			const models = await listModels(server, { modelTask });
			const query = filter.trim().toLowerCase();
			const names = getDisplayNames(models.map(({ id }) => id));
			const matches = models.filter(({ id, aliases }) =>
				[id, ...aliases].some((name) => name.toLowerCase().includes(query)),
			);
			return {
				results: toListEntries(
					matches.map((model) => ({
						name: describeModel(model, names.get(model.id)),
						value: model.id,
					})),
				),
			};
		} catch (error) {
			throw createListError(this.getNode(), error);
		}
	};
}

/** The server of a list. Extra headers that need the workflow are missing here, which an error of the list says. */
export async function openListedServer(context: ILoadOptionsFunctions): Promise<ModelServer> {
	const credentials = await withEditorCredentials(context).getCredentials('localLlamaApi');
	const resolved = withResolvedHeaders(credentials);
	const server = createModelServer(resolved, context);
	if (resolved === credentials) return server;
	const { getServerFacts } = server.errorContext;
	const errorContext: ModelServer['errorContext'] = {
		...server.errorContext,
		getServerFacts: (model) => ({ ...getServerFacts?.(model), lacksHeaders: true }),
	};
	return Object.defineProperty(server, 'errorContext', { value: errorContext });
}

/** Settings of which the model may be missing. */
interface ModelSettings {
	/** Empty if none is selected. */
	model: string;
	/** How long to wait for the list, as for the first token. */
	timeouts?: Partial<Timeouts>;
	retries?: number;
}

/** Where a model is looked up. */
export interface ModelLookup {
	server: ModelServer;
	/** What the model is for. */
	modelTask: ModelTask;
	signal?: AbortSignal;
}

const getResolvedModels = memoize<ModelServer, LruCache<Promise<string>>>(() =>
	keepWithin('resolvedModels'),
);

/**
 * Adds the model to settings: the selected one, otherwise the loaded one, or the only one for the task. Its list is
 * requested once for all items of an execution, with the retries of the request.
 *
 * @throws a `ServerError` listing the models, if there are several.
 */
export async function withResolvedModel<T extends ModelSettings>(
	settings: T,
	{ server, modelTask, signal }: ModelLookup,
): Promise<T> {
	if (settings.model !== '') return settings;
	const { timeouts, retries = 0 } = settings;
	const limit = new TimeLimit(timeouts?.firstTokenMs ?? 0);
	const busyKey = JSON.stringify([server.id, '']);
	const policy = new RetryPolicy({ maxRetries: retries, isIdempotent: true, busyKey });
	const resolve = async () => {
		for (;;) {
			const timeoutMs = limit.capMs(PROBE_TIMEOUT_MS);
			policy.onSend();
			const model = await resolveOnlyModel(server, { modelTask, signal, timeoutMs }).catch(
				asServerErrorOrThrow,
			);
			if (!(model instanceof ServerError)) return model;
			const { remainingMs } = limit;
			const delayMs = policy.takeDelayMsOrThrow(model, {
				remainingMs,
				onLoading: server.onLoading,
			});
			await sleepWithAbort(delayMs, signal);
		}
	};
	const resolveAndReport = async () => {
		const model = await resolve().catch((error: unknown) => {
			server.onLoaded?.(error instanceof ServerError ? error : undefined);
			throw error;
		});
		server.onLoaded?.();
		return model;
	};
	return {
		...settings,
		model: await fetchOnce(getResolvedModels(server), modelTask, resolveAndReport),
	};
}

/** A classification is what decision models are for. */
function preferDecisions(models: readonly ServerModel[], modelTask: ModelTask) {
	const deciding = models.filter(({ decisions }) => decisions === true);
	return modelTask === 'classification' && deciding.length > 0 ? deciding : models;
}

const NAME_OPTIONAL_TASKS = new Set<ModelTask>(['images', 'transcription', 'speech']);

async function resolveOnlyModel(
	server: ModelServer,
	options: ListOptions & { modelTask: ModelTask },
) {
	const { modelTask, signal } = options;
	const context = toErrorContext(server, { url: toListUrl(server) });
	if (!NAME_OPTIONAL_TASKS.has(modelTask))
		return selectOnlyModel(preferDecisions(await listModels(server, options), modelTask), context);
	// A server with one model for images or audio needs no name, and may have no list.
	const models = await listModels(server, options).catch(asServerErrorOrThrow);
	signal?.throwIfAborted();
	if (models instanceof ServerError) return '';
	const { listQueries } = await getProfile(server).fetchType(signal);
	return models.length === 1 || listQueries !== undefined ? selectOnlyModel(models, context) : '';
}
