import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { listAnnotations } from '../../lib/dify/annotations';
import { nonEmptyText } from '../../lib/values';
import { editorClient } from '../shared/dify/apps';
import { listError } from '../shared/list-error';

const MOST = 200;

/** The annotations of the app, for the list in the editor. */
export async function searchAnnotations(this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult> {
	try {
		const found = await listAnnotations(await editorClient(this), filter ?? '', MOST);
		return {
			results: found.map(({ id, question, answer }) => ({
				name: nonEmptyText(question) ?? String(id),
				value: String(id),
				description: nonEmptyText(answer),
			})),
		};
	} catch (error) {
		throw listError(this.getNode(), error);
	}
}
