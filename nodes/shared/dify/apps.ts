import type { DifyClient } from '../../../lib/dify/client';
import { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import { fetchOnce } from '../../../lib/lru-cache';
import type { JsonRecord } from '../../../lib/values';

/** What the credential of an item gives access to: an app, or the knowledge bases of a workspace. */
export interface DifyAccess {
	client: DifyClient;
	api: KnowledgeApi;
	/** Form, file upload and limits of the app; cached. */
	appParameters(): Promise<JsonRecord>;
}

/** Access of one credential, with cached answers of this execution. */
export class DifyApp {
	private readonly knowledge: KnowledgeApi;
	private readonly asked = new Map<string, Promise<JsonRecord>>();

	constructor(readonly client: DifyClient) {
		this.knowledge = new KnowledgeApi(client);
	}

	/** Access for an item, until the signal aborts. */
	within(signal: AbortSignal): DifyAccess {
		const api = this.knowledge.withSignal(signal);
		const { client } = api;
		const path = '/parameters';
		return {
			client,
			api,
			appParameters: async () =>
				await fetchOnce(this.asked, path, async () => await client.get(path)),
		};
	}
}
