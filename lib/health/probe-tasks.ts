import { CHAT_ROUTE } from '../servers/server-urls';
import type { ModelServer } from '../servers/types/server-type';
import { asRecord } from '../values/records';
import { randomUUID } from 'node:crypto';
import type { UploadBody } from '../http/types';
import type { CheckOptions } from './check-options';
import type { ProbeResult } from './run-probe';
import { runProbe, getJsonObject, isPage } from './run-probe';
import { getOwn } from '../values/own-properties';

/** By task, as in sentences. */
const PATH_BY_TASK = {
	chats: CHAT_ROUTE,
	completions: '/completions',
	embeddings: '/embeddings',
	reranking: '/rerank',
	transcription: '/audio/transcriptions',
	speech: '/audio/speech',
	images: '/images/generations',
};

/** `/info` may name the type of the only model: the other endpoints reject every request. */
const TASKS_BY_MODEL_TYPE: Readonly<Record<string, string>> = {
	embedding: 'embeddings',
	reranker: 'reranking',
};

/** The beginning of a JSON object: every parser rejects it. */
const BROKEN_BODY: UploadBody = {
	content: [Buffer.from('{')],
	contentType: 'application/json',
	length: 1,
};

/**
 * The tasks whose endpoints reject a GET, or a POST with a broken body, while a random path is not found.
 *
 * @throws a `ServerError` only of type `aborted`
 */
export async function probeTasks(server: ModelServer, options: CheckOptions): Promise<string[]> {
	const api = server.getApiUrl();
	const endpoints = Object.entries(PATH_BY_TASK).map(([task, path]) => ({ task, url: api + path }));
	// Text Embeddings Inference
	endpoints.push({ task: 'reranking', url: PATH_BY_TASK.reranking });
	const infoProbe = runProbe(server, '/info', options);
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
	const [modelType = ''] = Object.keys(asRecord(getJsonObject(await infoProbe).model_type));
	const task = getOwn(TASKS_BY_MODEL_TYPE, modelType);
	const tasks = Object.keys(PATH_BY_TASK).filter((name) => found.has(name));
	return task !== undefined && found.has(task) ? [task] : tasks;
}

function isRejection(probe: ProbeResult) {
	return [400, 405, 422].includes(probe.status) && !isPage(probe) && probe.finalUrl === probe.url;
}
