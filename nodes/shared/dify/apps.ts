import type { ILoadOptionsFunctions } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { difyClient } from '../../../lib/dify/credentials';
import { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import type { JsonRecord } from '../../../lib/values';

/** One app behind a credential, and what was asked about it in this execution. */
export class DifyApp {
	readonly knowledge: KnowledgeApi;
	private asked: Promise<JsonRecord> | undefined;

	constructor(readonly client: DifyClient) {
		this.knowledge = new KnowledgeApi(client);
	}

	/** Form, file upload and limits of the app; asked for once. */
	async parameters(signal?: AbortSignal): Promise<JsonRecord> {
		const asked = (this.asked ??= this.client.get('/parameters', {}, { signal }));
		// A failure is not remembered: the next item may fare better.
		asked.catch(() => {
			if (this.asked === asked) this.asked = undefined;
		});
		return await asked;
	}
}

/** The client for lists and forms in the editor. */
export async function editorClient(context: ILoadOptionsFunctions): Promise<DifyClient> {
	return difyClient(await context.getCredentials('difyApi'), context.helpers);
}
