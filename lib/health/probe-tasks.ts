/** Finds out what a server without a model list is for. No model gets a request. */
import { randomUUID } from 'node:crypto';
import type { UploadBody } from '../http/types';
import { CHAT_ROUTE, getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { isRecord } from '../values';
import { getJsonObject, isPage, runProbe, type CheckOptions, type ProbeResult } from './probe';

/** By task, as in sentences. */
const ENDPOINTS: Readonly<Record<string, ReadonlyArray<readonly ['api' | 'root', string]>>> = {
	chats: [['api', CHAT_ROUTE]],
	completions: [['api', '/completions']],
	embeddings: [['api', '/embeddings']],
	reranking: [
		['api', '/rerank'],
		['root', '/rerank'],
	],
	transcription: [['api', '/audio/transcriptions']],
	speech: [['api', '/audio/speech']],
	images: [['api', '/images/generations']],
};

/** `/info` may name the type of the only model: the other endpoints reject every request. */
const TASKS_BY_MODEL_TYPE: Readonly<Record<string, string>> = {
	embedding: 'embeddings',
	reranker: 'reranking',
};

/** The beginning of a JSON object: every parser rejects it. */
const BROKEN_BODY: UploadBody = {
	content: Buffer.from('{'),
	contentType: 'application/json',
	length: 1,
};

const REJECTING_STATUSES: ReadonlySet<number> = new Set([400, 405, 422]);

/** Whether the API of the server may exist without a model list. */
export function isListMissing({ status }: Pick<ProbeResult, 'status'>): boolean {
	return status === 404 || status === 405 || status === 501;
}

/**
 * The tasks whose endpoints reject a GET, or a POST with a broken body, while a random path is not found.
 *
 * @throws {ServerError} only of type `aborted`
 */
export async function probeTasks(server: ModelServer, options: CheckOptions): Promise<string[]> {
	const api = getProfile(server).getApiUrl();
	const bases = { api, root: server.url.root };
	const endpoints = Object.entries(ENDPOINTS).flatMap(([task, routes]) =>
		routes.map(([base, path]) => ({ task, url: bases[base] + path })),
	);
	const infoProbe = runProbe(server, `${server.url.root}/info`, options);
	const found = new Set<string>();
	for (const upload of [undefined, BROKEN_BODY]) {
		const pending = endpoints.filter(({ task }) => !found.has(task));
		const randomProbe = runProbe(server, `${api}/${randomUUID()}`, { ...options, upload });
		const probes = pending.map(async ({ task, url }) => {
			const isEndpoint = isRejection(await runProbe(server, url, { ...options, upload }));
			return isEndpoint ? [task] : [];
		});
		const tasks = (await Promise.all(probes)).flat();
		if ((await randomProbe).status !== 404) break;
		for (const task of tasks) found.add(task);
	}
	const task = getOnlyTask(await infoProbe);
	const tasks = Object.keys(ENDPOINTS).filter((name) => found.has(name));
	return task !== undefined && found.has(task) ? [task] : tasks;
}

function isRejection(probe: ProbeResult): boolean {
	return REJECTING_STATUSES.has(probe.status) && !isPage(probe) && probe.finalUrl === probe.url;
}

function getOnlyTask(info: ProbeResult): string | undefined {
	const { model_type: modelType } = getJsonObject(info);
	const [name = ''] = isRecord(modelType) ? Object.keys(modelType) : [];
	return TASKS_BY_MODEL_TYPE[name];
}
