import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { difyClient } from '../../../lib/dify/credentials';
import { localError } from '../../../lib/dify/failure';
import { isRecord, quietly } from '../../../lib/values';
import { listError } from '../list-error';

/** The client for lists and forms in the editor. */
export async function editorClient(context: ILoadOptionsFunctions): Promise<DifyClient> {
	return difyClient(await context.getCredentials('difyApi'), context.helpers);
}

/** What a list in the editor is made of. */
export interface ListCall {
	context: ILoadOptionsFunctions;
	client: DifyClient;
	/** What was typed, trimmed. */
	filter: string;
	/** Where the list goes on. */
	token: string | undefined;
}

/** A list in the editor, whose failure says what to do. */
export function editorList(list: (call: ListCall) => Promise<INodeListSearchResult>) {
	return async function (this: ILoadOptionsFunctions, filter = '', token?: string): Promise<INodeListSearchResult> {
		try {
			return await list({ context: this, client: await editorClient(this), filter: filter.trim(), token });
		} catch (error) {
			throw listError(this.getNode(), error);
		}
	};
}

/** Those whose name fits, where Dify itself does not search. */
export function fitting(results: INodeListSearchResult['results'], filter: string): INodeListSearchResult {
	const wanted = filter.toLowerCase();
	return { results: results.filter(({ name }) => name.toLowerCase().includes(wanted)) };
}

/** @throws {ServerError} when the user is an expression about an item: in the editor there is none */
export function editorUser(context: ILoadOptionsFunctions): string {
	const user = editorValue(context, 'user');
	if (typeof user === 'string' && user.trim() !== '') return user;
	throw localError(
		'missingUser',
		'The list needs a user',
		'Type a fixed value into User to see the conversations of that user, or give the conversation by ID.',
	);
}

/** A field of the node as far as it has a value in the editor; of a resource locator, what it points to. */
export function editorValue(context: ILoadOptionsFunctions, name: string): unknown {
	const value: unknown = quietly(() => context.getNodeParameter(name, ''));
	return isRecord(value) && '__rl' in value ? value.value : value;
}
