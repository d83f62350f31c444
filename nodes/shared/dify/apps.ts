import type { DifyClient } from '../../../lib/dify/client';
import { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import type { JsonRecord } from '../../../lib/values';

/** What the credential of an item gives access to: an app, or the knowledge bases of a workspace. */
export interface DifyAccess {
	client: DifyClient;
	api: KnowledgeApi;
	/** Form, file upload and limits of the app; asked for once. */
	appParameters(): Promise<JsonRecord>;
}

/** What is behind a credential, and what was asked about it in this execution. */
export class DifyApp {
	private readonly knowledge: KnowledgeApi;
	private asked: Promise<JsonRecord> | undefined;

	constructor(readonly client: DifyClient) {
		this.knowledge = new KnowledgeApi(client);
	}

	/** Access for an item, until the signal aborts. */
	within(signal: AbortSignal): DifyAccess {
		const api = this.knowledge.within(signal);
		return { client: api.client, api, appParameters: async () => await this.parameters(api.client) };
	}

	private async parameters(client: DifyClient): Promise<JsonRecord> {
		const asked = (this.asked ??= client.get('/parameters'));
		// A failure is not remembered: the next item may fare better.
		asked.catch(() => {
			if (this.asked === asked) this.asked = undefined;
		});
		return await asked;
	}
}
