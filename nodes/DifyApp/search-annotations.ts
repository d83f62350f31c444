import { listAnnotations } from '../../lib/dify/app/annotations';
import { nonEmptyText } from '../../lib/values';
import { editorList } from '../shared/dify/editor';

const MOST = 200;

/** The annotations of the app, for the list in the editor. */
export const searchAnnotations = editorList(async ({ client, filter }) => {
	const found = await listAnnotations(client, filter, MOST);
	return {
		results: found.map(({ id, question, answer }) => ({
			name: nonEmptyText(question) ?? String(id),
			value: String(id),
			description: nonEmptyText(answer),
		})),
	};
});
