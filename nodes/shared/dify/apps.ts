import type { IExecuteFunctions, ILoadOptionsFunctions } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { difyClient } from '../../../lib/dify/credentials';
import type { JsonRecord } from '../../../lib/values';

/** One app behind a credential, and what was asked about it in this execution. */
export class DifyApp {
	private asked: Promise<JsonRecord> | undefined;

	constructor(readonly client: DifyClient) {}

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

/** The apps of an execution: items may have different credentials. */
export class DifyApps {
	private readonly apps = new Map<string, DifyApp>();

	constructor(private readonly context: IExecuteFunctions) {}

	async of(itemIndex: number): Promise<DifyApp> {
		const data = await this.context.getCredentials('difyApi', itemIndex);
		const key = JSON.stringify(data);
		const known = this.apps.get(key);
		if (known !== undefined) return known;
		const app = new DifyApp(difyClient(data, this.context.helpers));
		this.apps.set(key, app);
		return app;
	}
}

/** The client for lists and forms in the editor. */
export async function editorClient(context: ILoadOptionsFunctions): Promise<DifyClient> {
	return difyClient(await context.getCredentials('difyApi'), context.helpers);
}
