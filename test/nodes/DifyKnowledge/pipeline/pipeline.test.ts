import { getWrites } from '../../../lib/dify/knowledge/setup';
import { byId, createEditorContext, executeOperation, startScene, type Scene } from '../setup';
import { DifyKnowledge } from '../../../../nodes/DifyKnowledge/DifyKnowledge.node';

const FILES = { node_id: 'files', datasource_type: 'local_file', title: 'File', credentials: [] };
const WEB = {
	node_id: 'web',
	datasource_type: 'website_crawl',
	title: 'Firecrawl',
	credentials: [],
};

const withPipeline = async (datasources: Array<typeof FILES> = [FILES, WEB]): Promise<Scene> =>
	await startScene({ pipeline: { datasources } });

const file = (name: string, text: string) => ({
	json: {},
	binary: {
		data: { data: Buffer.from(text).toString('base64'), mimeType: 'text/plain', fileName: name },
	},
});

const RUN = { binaryPropertyName: 'data', inputs: '{}' };

test('each item uploads its file and starts one run', async () => {
	const scene = await withPipeline([FILES]);
	const items = [file('one.txt', 'First.'), file('two.txt', 'Second.')];
	const created = await executeOperation(scene, 'pipeline', 'run', RUN, { items });
	expect(created).toEqual(
		['one.txt', 'two.txt'].map((name, at) => ({
			documentId: [...scene.dataset.documents.keys()][at],
			datasetId: scene.dataset.id,
			name,
			batch: expect.any(String) as string,
			indexingStatus: 'waiting',
		})),
	);
	expect([...scene.dataset.documents.values()].map(({ text }) => text)).toEqual([
		'First.',
		'Second.',
	]);
});

test('a pipeline without a file node is rejected before any upload', async () => {
	const scene = await withPipeline([WEB]);
	await expect(
		executeOperation(scene, 'pipeline', 'run', RUN, { items: [file('a.txt', 'x')] }),
	).rejects.toThrow('no datasource for files');
	expect(getWrites(scene.sim)).toEqual([]);
});

test('the list in the editor has only datasources that accept files', async () => {
	const scene = await withPipeline();
	const { searchDatasources } = new DifyKnowledge().methods.listSearch;
	const context = createEditorContext(scene, { difyDatasetId: byId(scene.dataset.id) });
	expect(await searchDatasources.call(context, 'fil')).toEqual({
		results: [{ name: 'File', value: 'files' }],
	});
});
