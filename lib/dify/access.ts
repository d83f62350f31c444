import { explainAppTypeError } from './app/app-mode';
import type { DifyClient } from './client';
import { fetchOnce } from '../lru-cache';
import type { JsonRecord } from '../values';

/** What the credential of an item gives access to: an app, or the knowledge bases of a workspace. */
export interface DifyAccess {
	client: DifyClient;
	/** An object by GET, which is read once in this execution. */
	once(path: string): Promise<JsonRecord>;
	/** Form, file upload and limits of the app. */
	appParameters(): Promise<JsonRecord>;
}

/** Access of one credential, with cached answers of this execution. */
export class CachedDifyAccess {
	private readonly asked = new Map<string, Promise<JsonRecord>>();

	constructor(readonly client: DifyClient) {}

	/** Access for an item, until the signal aborts. */
	within(signal: AbortSignal): DifyAccess {
		const client = this.client.withSignal(signal);
		const once = async (path: string) =>
			await fetchOnce(this.asked, path, async () => await client.get(path));
		const appParameters = async () =>
			await once('/parameters').catch(async (error: unknown) => {
				throw await explainAppTypeError(client, error);
			});
		return { client, once, appParameters };
	}
}
