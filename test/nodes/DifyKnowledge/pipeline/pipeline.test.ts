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
	await scene('1.14', {
		pipeline: { datasources, gives: [{ source_url: 'http://a', title: 'A page' }] },
	});

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

test('run: what Upload File and Run Datasource Node gave', async () => {
	const of = await withPipeline();
	const [uploaded] = await manage(of, 'pipeline', 'uploadFile', RUN, {
		items: [file('up.txt', 'Uploaded.')],
	});
	expect(uploaded).toEqual({
		reference: expect.any(String) as string,
		related_id: uploaded!.reference,
		name: 'up.txt',
		size: 9,
		mimeType: 'text/plain',
	});
	const taken = { ...RUN, pipelineTake: 'items' };
	const files = {
		...taken,
		datasourceNode: byId('files'),
		datasourceItems: JSON.stringify([uploaded]),
	};
	expect(await manage(of, 'pipeline', 'run', files)).toMatchObject([{ name: 'up.txt', chunks: 1 }]);
	const web = { datasourceNode: byId('web'), inputs: '{"url":"http://a"}' };
	const [page] = await manage(of, 'pipeline', 'runDatasource', web);
	expect(page).toMatchObject({ url: 'http://a', title: 'A page' });
	expect(
		await manage(of, 'pipeline', 'run', { ...taken, ...web, datasourceItems: page }),
	).toMatchObject([{ name: 'A page' }]);
});

test('run: wrong items and files for a website are refused before anything is made', async () => {
	const of = await withPipeline();
	const items = { ...RUN, pipelineTake: 'items', datasourceNode: byId('web') };
	for (const wrong of ['nothing', '[]', '[1]'])
		await expect(
			manage(of, 'pipeline', 'run', { ...items, datasourceItems: wrong }),
		).rejects.toThrow('must be a JSON object, or a list of objects');
	const binary = { ...items, pipelineTake: 'binary' };
	await expect(
		manage(of, 'pipeline', 'run', binary, { items: [file('a.txt', 'x')] }),
	).rejects.toThrow('takes no files');
	expect(writes(of.sim)).toEqual([]);
});

test('run: a draft comes out as a preview', async () => {
	const of = await withPipeline([FILES]);
	of.base.pipeline!.preview = { chunks: ['a'] };
	const draft = { ...RUN, pipelineVersion: 'draft' };
	expect(await manage(of, 'pipeline', 'run', draft, { items: [file('a.txt', 'x')] })).toMatchObject(
		[{ preview: true, status: 'succeeded', outputs: { chunks: ['a'] } }],
	);
});

test('run: a document that cannot be indexed fails with the words of Dify, and names what was made', async () => {
	const of = await withPipeline([FILES]);
	of.base.pipeline!.documentFails = 'The embedding model is gone';
	const error = await manage(of, 'pipeline', 'run', RUN, { items: [file('a.txt', 'x')] }).then(
		() => undefined,
		(failed: Error & { description?: string }) => failed,
	);
	expect(error?.description).toContain('The embedding model is gone');
	// Another run would make it again.
	expect(error?.description).toContain([...of.base.documents.keys()][0]);
});

test('get datasources, and their list in the editor', async () => {
	const of = await withPipeline();
	expect(await manage(of, 'pipeline', 'getDatasources')).toEqual([FILES, WEB]);
	const { searchDatasources } = new DifyKnowledge().methods.listSearch;
	const context = editor(of, { difyDatasetId: byId(of.base.id), pipelineVersion: 'draft' });
	expect(await searchDatasources.call(context, 'fire')).toEqual({
		results: [{ name: 'Firecrawl (website crawl)', value: 'web' }],
	});
	expect(of.sim.requests.at(-1)!.query.toString()).toBe('');
});
