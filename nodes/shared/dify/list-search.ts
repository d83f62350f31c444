import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import type { DifyClient } from '../../../lib/dify/client';
import { createDifyClient } from '../../../lib/dify/credentials';
import { createLocalError } from '../../../lib/dify/errors';
import { parseOptionalUuid } from '../../../lib/dify/ids';
import { isRecord, tryOrUndefined } from '../../../lib/values';
import { toListEntries, createListError } from '../list-entries';

/** The client for lists and forms in the editor. */
export async function createEditorClient(context: ILoadOptionsFunctions): Promise<DifyClient> {
	return createDifyClient(await context.getCredentials('difyApi'), context.helpers);
}

export interface ListSearchCall {
	context: ILoadOptionsFunctions;
	client: DifyClient;
	/** The search text, trimmed. */
	filter: string;
	/** Cursor of the next page. */
	token: string | undefined;
}

/** A list search in the editor, with suggestions in errors. */
export function createListSearch(list: (call: ListSearchCall) => Promise<INodeListSearchResult>) {
	return async function (
		this: ILoadOptionsFunctions,
		filter = '',
		token?: string,
	): Promise<INodeListSearchResult> {
		try {
			const { results, ...rest } = await list({
				context: this,
				client: await createEditorClient(this),
				filter: filter.trim(),
				token,
			});
			return { ...rest, results: toListEntries(results) };
		} catch (error) {
			throw createListError(this.getNode(), error);
		}
	};
}

/** Filters by name, for lists that Dify cannot search. */
export function filterByName(
	results: INodeListSearchResult['results'],
	filter: string,
): INodeListSearchResult {
	const query = filter.toLowerCase();
	return { results: results.filter(({ name }) => name.toLowerCase().includes(query)) };
}

/** The user in the editor. @throws {ServerError} if empty or an expression about an item, which the editor lacks */
export function readEditorUser(context: ILoadOptionsFunctions): string {
	const user = readEditorValue(context, 'user');
	if (typeof user === 'string' && user.trim() !== '') return user;
	throw createLocalError(
		'missingUser',
		'The list requires a user',
		"Enter a fixed value in User to list that user's conversations, or enter the conversation by ID.",
	);
}

/** The value of a field in the editor, if any; for a resource locator, its inner value. */
export function readEditorValue(context: ILoadOptionsFunctions, name: string): unknown {
	const value: unknown = tryOrUndefined(() => context.getNodeParameter(name, ''));
	return isRecord(value) && '__rl' in value ? value.value : value;
}

/** The knowledge base of the node in the editor. @throws {ServerError} if none is selected */
export function readEditorDatasetId(context: ILoadOptionsFunctions): string {
	const id = parseOptionalUuid(readEditorValue(context, 'difyDatasetId'), 'knowledge base ID');
	if (id !== undefined) return id;
	throw createLocalError(
		'invalidId',
		'The list requires a knowledge base',
		'Select the knowledge base first.',
	);
}
