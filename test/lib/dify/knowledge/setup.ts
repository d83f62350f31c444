import { KnowledgeApi, type KnowledgeTimes } from '../../../../lib/dify/knowledge/api';
import { addDataset, knowledgeKey, type DifySim, type SimDataset } from '../../../servers/dify';
import type { SimRequest } from '../../../servers/dify/types';
import { clientOf, startSim } from '../client';

/** Pauses of a few milliseconds, in place of seconds. */
export const QUICK: KnowledgeTimes = { rateMs: 5, progress: [1], busy: [1] };

export interface Scene {
	sim: DifySim;
	api: KnowledgeApi;
	/** A base without documents. */
	base: SimDataset;
}

/** A simulator with one base, and the real client with its knowledge key. */
export async function scene(base: Partial<SimDataset> = {}): Promise<Scene> {
	const sim = await startSim({});
	return { sim, api: apiOf(sim), base: addDataset(sim.store, base) };
}

export function apiOf(sim: Pick<DifySim, 'url'>, times = QUICK): KnowledgeApi {
	return new KnowledgeApi(
		clientOf(sim, 'chat', { apiKey: knowledgeKey(), keyType: 'knowledge' }),
		times,
	);
}

/** Requests that change something. */
export function writes(sim: DifySim): SimRequest[] {
	return sim.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/retrieve'));
}

/** The body of the last request to a route. */
export function lastBody(sim: DifySim, path: RegExp): Record<string, unknown> {
	const found = sim.requests.findLast(
		(request) => path.test(request.path) && request.method !== 'GET',
	);
	if (found === undefined) throw new Error(`Nothing was sent to ${path.source}`);
	const data = found.upload?.fields.data;
	return (data === undefined ? found.json : JSON.parse(data)) as Record<string, unknown>;
}
