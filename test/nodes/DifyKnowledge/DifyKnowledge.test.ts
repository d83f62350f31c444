import { binaryFile } from '../../support/n8n/binary-file';
import { DifyKnowledge } from '../../../nodes/DifyKnowledge/DifyKnowledge.node';
import { addDataset, addDocument } from '../../simulators/dify';
import {
	runDocument,
	byId,
	createEditorContext,
	startScene,
	executeOperation,
	executePrepared,
	prepare,
} from './setup';
import type { Scene } from './setup';
import { getLastBody, getWrites } from '../../lib/dify/knowledge/setup';
import { getNodeError } from '../dify';

describe('the lists of Dify Knowledge', () => {
	test('show the technique of a knowledge base and the status of a document, and are filtered', async () => {
		const scene = await startScene({ technique: 'economy' });
		addDataset(scene.sim.store, { name: 'Theirs', isOwn: false });
		addDocument(scene.sim.store, scene.dataset, { name: 'off.txt', enabled: false });
		const { searchKnowledgeBases, searchDocuments, searchEmbeddingModels } = new DifyKnowledge()
			.methods.listSearch;
		expect(
			(await searchKnowledgeBases.call(createEditorContext(scene))).results.map(({ name }) => name),
		).toEqual(['Theirs (empty)', 'Papers (keywords)']);
		expect((await searchKnowledgeBases.call(createEditorContext(scene), 'pap')).results).toEqual([
			{ name: 'Papers (keywords)', value: scene.dataset.id },
		]);
		const context = createEditorContext(scene, { difyDatasetId: byId(scene.dataset.id) });
		expect((await searchDocuments.call(context)).results.map(({ name }) => name)).toEqual([
			'off.txt (disabled)',
		]);
		await expect(searchDocuments.call(createEditorContext(scene))).rejects.toThrow(
			'The list requires a knowledge base',
		);
		expect(
			(await searchEmbeddingModels.call(createEditorContext(scene), 'mini')).results,
		).toHaveLength(1);
	});

	test('return the next page of a longer list', async () => {
		const scene = await startScene();
		for (let count = 0; count < 130; count++) addDataset(scene.sim.store);
		const { searchKnowledgeBases } = new DifyKnowledge().methods.listSearch;
		const first = await searchKnowledgeBases.call(createEditorContext(scene));
		expect([first.results.length, first.paginationToken]).toEqual([100, '2']);
		const second = await searchKnowledgeBases.call(createEditorContext(scene), '', '2');
		expect([second.results.length, second.paginationToken]).toEqual([31, undefined]);
	});
});

test('chunks: are created, listed, read, updated and deleted', async () => {
	const scene = await startScene({ technique: 'high_quality', form: 'hierarchical_model' });
	const document = addDocument(scene.sim.store, scene.dataset, { text: 'A. B.' });
	const documentId = byId(document.id);
	const [created] = await executeOperation(scene, 'chunk', 'create', {
		documentId,
		content: 'C.',
		options: { keywords: 'x, y' },
	});
	expect(created).toMatchObject({ content: 'C.', keywords: ['x', 'y'] });
	const chunkId = String(created!.id);
	expect(
		await executeOperation(scene, 'chunk', 'getAll', { documentId, keyword: '' }),
	).toHaveLength(2);
	expect(await executeOperation(scene, 'chunk', 'get', { documentId, chunkId })).toMatchObject([
		{ content: 'C.' },
	]);
	const options = { content: 'D.' };
	expect(
		await executeOperation(scene, 'chunk', 'update', { documentId, chunkId, options }),
	).toMatchObject([{ content: 'D.', enabled: true }]);
	expect(getLastBody(scene.sim, /segments/)).toMatchObject({
		segment: { content: 'D.', regenerate_child_chunks: true },
	});
	expect(await executeOperation(scene, 'chunk', 'delete', { documentId, chunkId })).toEqual([
		{ chunkId, deleted: true },
	]);
});

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
	binary: { data: binaryFile(text, name) },
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

test.each([
	['the name that Dify returned', { name: 'one (1).txt' }, 'one (1).txt'],
	['the name of the file if Dify returned none', {}, 'one.txt'],
	['the name of the file if Dify returned an empty one', { name: '' }, 'one.txt'],
])('the run of a pipeline is started with %s', async (_title, returned, name) => {
	const scene = await withPipeline([FILES]);
	const items = [file('one.txt', 'First.')];
	await executeOperation(scene, 'pipeline', 'run', RUN, { items });
	const [id] = scene.sim.store.files.keys();
	scene.sim.fail({ path: /file-upload$/, status: 201, body: JSON.stringify({ id, ...returned }) });
	expect(await executeOperation(scene, 'pipeline', 'run', RUN, { items })).toMatchObject([
		{ name },
	]);
	expect(getLastBody(scene.sim, /pipeline\/run$/)).toMatchObject({
		datasource_info_list: [{ reference: id, related_id: id, name }],
	});
});

test('a pipeline without a file node is rejected before any upload', async () => {
	const scene = await withPipeline([WEB]);
	await expect(
		executeOperation(scene, 'pipeline', 'run', RUN, { items: [file('a.txt', 'x')] }),
	).rejects.toThrow('no datasource for files');
	expect(getWrites(scene.sim)).toEqual([]);
});

test('several datasources for files are named, and none is chosen before one is selected', async () => {
	const other = { ...FILES, node_id: 'other', title: 'Other file' };
	const scene = await withPipeline([FILES, WEB, other]);
	const items = [file('a.txt', 'x')];
	const error = await getNodeError(executeOperation(scene, 'pipeline', 'run', RUN, { items }));
	expect(error.message).toBe(
		'The pipeline has several datasources for files, and none is selected',
	);
	expect(error.description).toContain('Available: File (files), Other file (other).');
	expect(getWrites(scene.sim)).toEqual([]);
	const datasourceNode = { __rl: true, mode: 'list', value: 'other' };
	const [run] = await executeOperation(
		scene,
		'pipeline',
		'run',
		{ ...RUN, datasourceNode },
		{ items },
	);
	expect(run).toMatchObject({ name: 'a.txt' });
});

test('the list in the editor has only datasources that accept files', async () => {
	const scene = await withPipeline();
	const { searchDatasources } = new DifyKnowledge().methods.listSearch;
	const context = createEditorContext(scene, { difyDatasetId: byId(scene.dataset.id) });
	expect(await searchDatasources.call(context, 'fil')).toEqual({
		results: [{ name: 'File', value: 'files' }],
	});
});

const TEXT = { name: 'llama.txt', text: 'Llamas live in the Andes.' };

describe('documents', () => {
	test('a document is created from text, updated from a file with its name, and skipped on request', async () => {
		const scene = await startScene();
		const [created] = await runDocument(scene, 'upsertText', {
			...TEXT,
			options: { wait: 10 },
		});
		expect(created).toEqual({
			action: 'created',
			documentId: [...scene.dataset.documents.keys()][0],
			datasetId: scene.dataset.id,
			name: 'llama.txt',
			batch: expect.any(String) as string,
			indexingStatus: 'completed',
			chunks: 1,
		});
		const items = [file('llama.txt', '# A file')];
		const parameters = { binaryPropertyName: 'data', options: { wait: 10 } };
		expect(await runDocument(scene, 'upsertFile', parameters, { items })).toMatchObject([
			{ action: 'updated', documentId: created!.documentId },
		]);
		expect(scene.dataset.documents.get(String(created!.documentId))!.text).toBe('# A file');
		expect(
			await runDocument(scene, 'upsertText', {
				...TEXT,
				options: { ifExists: 'skip' },
			}),
		).toMatchObject([{ action: 'skipped' }]);
	});

	test('without waiting, the item is returned immediately, with the batch', async () => {
		const scene = await startScene();
		scene.sim.store.worker = 'down';
		const [created] = await runDocument(scene, 'upsertText', {
			...TEXT,
			options: { wait: 0 },
		});
		expect(created).toMatchObject({
			action: 'created',
			indexingStatus: 'waiting',
			batch: expect.any(String) as string,
		});
		const parameters = {
			documentId: byId(String(created!.documentId)),
			options: { batch: created!.batch },
		};
		expect(await runDocument(scene, 'getStatus', { ...parameters, wait: 0 })).toMatchObject([
			{ indexingStatus: 'waiting', chunks: 0 },
		]);
		scene.sim.store.worker = 'up';
		expect(await runDocument(scene, 'getStatus', { ...parameters, wait: 10 })).toMatchObject([
			{ indexingStatus: 'completed', chunksDone: 1, chunks: 1 },
		]);
		const { documentId } = parameters;
		expect(await runDocument(scene, 'getStatus', { documentId, wait: 0 })).toMatchObject([
			{ indexingStatus: 'completed', chunksDone: 1, chunks: 1 },
		]);
	});

	test('chunk rules are sent completely, with \\n as a line break', async () => {
		const scene = await startScene();
		const options = { separator: '\\n###\\n', maxTokens: 100, wait: 5 };
		await runDocument(scene, 'upsertText', { ...TEXT, options });
		expect(getLastBody(scene.sim, /create-by-text$/)).toMatchObject({
			process_rule: {
				mode: 'custom',
				rules: {
					pre_processing_rules: [
						{ id: 'remove_extra_spaces', enabled: true },
						{ id: 'remove_urls_emails', enabled: false },
					],
					segmentation: { separator: '\n###\n', max_tokens: 100, chunk_overlap: 50 },
				},
			},
		});
		const parentScene = await startScene();
		await runDocument(parentScene, 'upsertText', {
			...TEXT,
			options: { childSeparator: '.', wait: 5 },
		});
		expect(getLastBody(parentScene.sim, /create-by-text$/)).toMatchObject({
			doc_form: 'hierarchical_model',
			process_rule: {
				mode: 'hierarchical',
				rules: {
					parent_mode: 'paragraph',
					segmentation: { separator: '\n\n', max_tokens: 500, chunk_overlap: 0 },
					subchunk_segmentation: { separator: '.', max_tokens: 200, chunk_overlap: 0 },
				},
			},
		});
		const contradiction = { ...TEXT, options: { chunking: 'automatic', maxTokens: 100 } };
		await expect(runDocument(scene, 'upsertText', contradiction)).rejects.toThrow(
			'the other chunk options have no effect',
		);
		const excess = { ...TEXT, options: { maxTokens: 5000 } };
		await expect(runDocument(scene, 'upsertText', excess)).rejects.toThrow(
			'must be between 50 and 4,000',
		);
	});

	test.each([
		['no chunk options', {}, 500],
		['automatic chunks', { chunking: 'automatic' }, 500],
		['custom chunks', { chunking: 'custom', maxTokens: 100 }, 100],
	])('a parent-child document has parents and children: %s', async (_name, chunks, maxTokens) => {
		const scene = await startScene();
		const options = { form: 'hierarchical_model', wait: 5, ...chunks };
		await runDocument(scene, 'upsertText', { ...TEXT, options });
		expect(getLastBody(scene.sim, /create-by-text$/)).toMatchObject({
			process_rule: {
				mode: 'hierarchical',
				rules: {
					parent_mode: 'paragraph',
					segmentation: { max_tokens: maxTokens },
					subchunk_segmentation: { separator: '\n', max_tokens: 200 },
				},
			},
		});
	});

	test('are read, listed, disabled and deleted', async () => {
		const scene = await startScene();
		const document = addDocument(scene.sim.store, scene.dataset, { name: 'a.txt' });
		const documentId = byId(document.id);
		expect(await runDocument(scene, 'get', { documentId })).toMatchObject([
			{ id: document.id, name: 'a.txt' },
		]);
		const parameters = { documentIds: `${document.id}, ${document.id}`, statusAction: 'disable' };
		expect(await runDocument(scene, 'setStatus', parameters)).toHaveLength(2);
		expect(await runDocument(scene, 'getAll', { options: { status: 'disabled' } })).toHaveLength(1);
		await expect(
			runDocument(scene, 'setStatus', { documentIds: '', statusAction: 'enable' }),
		).rejects.toThrow('This item has no documentId');
		expect(await runDocument(scene, 'delete', { documentId })).toEqual([
			{ documentId: document.id, deleted: true },
		]);
	});
});

test('a document at another origin is fetched only if the option allows it', async () => {
	const fileServer = await startScene();
	const scene = await startScene();
	scene.sim.store.filesUrl = fileServer.sim.url.replace(/\/v1$/, '');
	const { origin } = new URL(fileServer.sim.url);
	const document = addDocument(scene.sim.store, scene.dataset, { name: 'a.txt' });
	fileServer.sim.fail({ path: /file-preview/, status: 200, body: 'the file' });
	const download = async (options: object) =>
		await runDocument(scene, 'download', {
			documentId: byId(document.id),
			outputField: 'data',
			options,
		});
	const error = await getNodeError(download({}));
	expect(error.message).toBe('The file of the document could not be downloaded');
	expect(error.description).toContain(
		`it is stored at ${origin}, not on the Dify server of the credential`,
	);
	expect(error.description).toContain('Fetch Files From');
	expect(fileServer.sim.requests).toEqual([]);
	const [facts] = await download({ fetchFilesFrom: origin });
	expect(facts).toMatchObject({ bytes: 8 });
	expect(fileServer.sim.requests[0]!.headers.authorization).toBeUndefined();
});

test('a document is downloaded from its URL without the key', async () => {
	const scene = await startScene();
	const document = addDocument(scene.sim.store, scene.dataset, { name: 'a.txt' });
	scene.sim.fail({
		path: /file-preview/,
		status: 200,
		contentType: 'text/plain',
		body: 'the file',
	});
	const fake = prepare(scene, {
		resource: 'document',
		operation: 'download',
		documentId: byId(document.id),
		outputField: 'data',
	});
	const [item] = await executePrepared(fake);
	expect(item!.json).toEqual({
		documentId: document.id,
		fileName: 'a.txt',
		mimeType: 'text/plain',
		bytes: 8,
	});
	expect(Buffer.from(item!.binary!.data!.data, 'base64').toString()).toBe('the file');
	const download = scene.sim.requests.find(({ url }) => url.includes('file-preview'))!;
	expect(download.headers.authorization).toBeUndefined();
	scene.sim.fail({ path: /file-preview/, status: 403, body: 'expired' });
	await expect(executePrepared(fake)).rejects.toThrow();
	scene.sim.fail({ path: /\/download$/, status: 200, body: '{"url":""}' });
	await expect(executePrepared(fake)).rejects.toThrow(
		'Dify returned no download URL for the document',
	);
});
