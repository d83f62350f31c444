import { explainAppTypeError } from './app';
import type { DifyClient } from './client';
import { fetchOnce } from '../lru-cache';
import type { JsonRecord } from '../values';

/** Access of an item's credential: to an app, or to the knowledge bases of a workspace. */
export interface DifyAccess {
	client: DifyClient;
	/** GETs an object once per execution. */
	getCached(path: string): Promise<JsonRecord>;
	/** Form, file upload and limits of the app. */
	appParameters(): Promise<JsonRecord>;
}

/** Access of one credential, with a response cache for this execution. */
export class CachedDifyAccess {
	private readonly cache = new Map<string, Promise<JsonRecord>>();

	constructor(readonly client: DifyClient) {}

	/** Access for an item, until the signal aborts. */
	withSignal(signal: AbortSignal): DifyAccess {
		const client = this.client.withSignal(signal);
		const getCached = async (path: string) =>
			await fetchOnce(this.cache, path, async () => await client.get(path));
		const appParameters = async () =>
			await getCached('/parameters').catch(async (error: unknown) => {
				throw await explainAppTypeError(client, error);
			});
		return { client, getCached, appParameters };
	}
}
