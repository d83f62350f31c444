import { AppApi } from '../../lib/dify/app/api';
import { annotationRoutes } from '../../lib/dify/app/routes';
import { nonEmptyText } from '../../lib/values';
import { editorList } from '../shared/dify/editor';

const MOST = 200;

/** The annotations of the app, for the list in the editor. */
export const searchAnnotations = editorList(async ({ client, filter }) => {
	const api = new AppApi(client);
	const annotations = await api.list(annotationRoutes.list, { keyword: filter }, MOST);
	return {
		results: annotations.map(({ id, question, answer }) => ({
			name: nonEmptyText(question) ?? String(id),
			value: String(id),
			description: nonEmptyText(answer),
		})),
	};
});
