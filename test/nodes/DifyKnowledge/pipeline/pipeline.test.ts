import { writes } from '../../../lib/dify/knowledge/setup';
import { byId, editor, manage, scene, type Scene } from '../setup';
import { DifyKnowledge } from '../../../../nodes/DifyKnowledge/DifyKnowledge.node';

const FILES = { node_id: 'files', datasource_type: 'local_file', title: 'File', credentials: [] };
const WEB = {
	node_id: 'web',
	datasource_type: 'website_crawl',
	title: 'Firecrawl',
	credentials: [],
};

const withPipeline = async (datasources: Array<typeof FILES> = [FILES, WEB]): Promise<Scene> =>
	await scene({ pipeline: { datasources } });

const file = (name: string, text: string) => ({
	json: {},
	binary: {
		data: { data: Buffer.from(text).toString('base64'), mimeType: 'text/plain', fileName: name },
	},
});

const RUN = { binaryPropertyName: 'data', inputs: '{}' };

test('run: files of the items are uploaded, one run each', async () => {
	const of = await withPipeline([FILES]);
	const items = [file('one.txt', 'First.'), file('two.txt', 'Second.')];
	const made = await manage(of, 'pipeline', 'run', RUN, { items });
	expect(made).toEqual(
		['one.txt', 'two.txt'].map((name, at) => ({
			documentId: [...of.base.documents.keys()][at],
			datasetId: of.base.id,
			name,
			batch: expect.any(String) as string,
			indexingStatus: 'waiting',
		})),
	);
	expect([...of.base.documents.values()].map(({ text }) => text)).toEqual(['First.', 'Second.']);
});

test('run: a pipeline without a node for files is rejected before any upload', async () => {
	const of = await withPipeline([WEB]);
	await expect(manage(of, 'pipeline', 'run', RUN, { items: [file('a.txt', 'x')] })).rejects.toThrow(
		'no datasource for files',
	);
	expect(writes(of.sim)).toEqual([]);
});

test('the list of datasources in the editor', async () => {
	const of = await withPipeline();
	const { searchDatasources } = new DifyKnowledge().methods.listSearch;
	const context = editor(of, { difyDatasetId: byId(of.base.id) });
	expect(await searchDatasources.call(context, 'fil')).toEqual({
		results: [{ name: 'File', value: 'files' }],
	});
});
