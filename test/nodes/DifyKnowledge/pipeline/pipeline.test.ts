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

const RUN = { binaryPropertyName: 'data', wait: 5, inputs: '{}' };

test('run: files of the items are uploaded, one run each, and waited for', async () => {
	const of = await withPipeline([FILES]);
	const items = [file('one.txt', 'First.'), file('two.txt', 'Second.')];
	const made = await manage(of, 'pipeline', 'run', RUN, { items });
	expect(made).toEqual(
		['one.txt', 'two.txt'].map((name, at) => ({
			documentId: [...of.base.documents.keys()][at],
			datasetId: of.base.id,
			name,
			batch: expect.any(String) as string,
			indexingStatus: 'completed',
			chunks: 1,
		})),
	);
	expect([...of.base.documents.values()].map(({ text }) => text)).toEqual(['First.', 'Second.']);
	expect(
		await manage(of, 'pipeline', 'run', { ...RUN, wait: 0 }, { items: [items[0]!] }),
	).toMatchObject([{ name: 'one.txt', indexingStatus: 'waiting' }]);
});

test('run: a pipeline without a node for files is refused before anything is made', async () => {
	const of = await withPipeline([WEB]);
	await expect(manage(of, 'pipeline', 'run', RUN, { items: [file('a.txt', 'x')] })).rejects.toThrow(
		'no datasource for files',
	);
	expect(writes(of.sim)).toEqual([]);
});

test('run: a document that cannot be indexed fails with the words of Dify, and names what was made', async () => {
	const of = await withPipeline([FILES]);
	of.base.pipeline!.documentFails = 'The embedding model is gone';
	const error = await manage(of, 'pipeline', 'run', RUN, { items: [file('a.txt', 'x')] }).then(
		() => undefined,
		(failed: Error & { description?: string }) => failed,
	);
	expect(error?.message).toBe('The embedding model is gone');
	// Another run would make it again.
	expect(error?.description).toContain([...of.base.documents.keys()][0]);
});

test('the list of datasources in the editor', async () => {
	const of = await withPipeline();
	const { searchDatasources } = new DifyKnowledge().methods.listSearch;
	const context = editor(of, { difyDatasetId: byId(of.base.id) });
	expect(await searchDatasources.call(context, 'fil')).toEqual({
		results: [{ name: 'File', value: 'files' }],
	});
});
