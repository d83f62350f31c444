import type { INodeExecutionData } from 'n8n-workflow';

import { DifyKnowledge } from '../../../nodes/DifyKnowledge/DifyKnowledge.node';
import { addDataset, addDocument, SIM_VERSIONS } from '../../servers/dify';
import { unzipped } from '../../servers/dify/zip';
import { lastBody, writes } from '../../lib/dify/knowledge/setup';
import { nodeErrorOf } from '../dify';
import { byId, editor, executeIn, manage, prepare, scene } from './setup';

const TEXT = { name: 'llama.txt', text: 'Llamas live in the Andes.' };

describe.each(SIM_VERSIONS)('Dify Knowledge with Dify %s', (version) => {
	test('knowledge bases: create, get, get many, update, delete', async () => {
		const of = await scene(version);
		const [made] = await manage(of, 'knowledgeBase', 'create', { name: 'New', options: { technique: 'economy' } });
		expect(made).toMatchObject({ name: 'New', permission: 'all_team_members', indexing_technique: 'economy' });
		const difyDatasetId = byId(String(made!.id));
		await expect(manage(of, 'knowledgeBase', 'create', { name: 'New' })).rejects.toThrow('The name is taken in Dify');
		expect(await manage(of, 'knowledgeBase', 'create', { name: 'New', options: { ifExists: 'use' } })).toMatchObject([
			{ id: made!.id },
		]);
		expect(await manage(of, 'knowledgeBase', 'get', { difyDatasetId })).toMatchObject([{ name: 'New' }]);
		expect(await manage(of, 'knowledgeBase', 'getAll', { keyword: 'ne' })).toHaveLength(1);
		const options = { name: 'Newer', defaultTopK: 7 };
		expect(await manage(of, 'knowledgeBase', 'update', { difyDatasetId, options })).toMatchObject([
			{ name: 'Newer', retrieval_model_dict: { search_method: 'keyword_search', top_k: 7 } },
		]);
		await expect(manage(of, 'knowledgeBase', 'delete', { difyDatasetId })).rejects.toThrow('not confirmed');
		expect(await manage(of, 'knowledgeBase', 'delete', { difyDatasetId, confirm: true })).toEqual([
			{ datasetId: made!.id, deleted: true, existed: true },
		]);
	});

	test('a base without documents keeps its search method, which Dify does not tell', async () => {
		const of = await scene(version, { technique: null, retrieval: { search_method: 'hybrid_search' } });
		const update = async (options: object) => await manage(of, 'knowledgeBase', 'update', { options });
		await expect(update({ defaultTopK: 7 })).rejects.toThrow('does not tell its search method');
		expect(of.base.retrieval).toMatchObject({ search_method: 'hybrid_search' });
		await update({ description: 'Newer' });
		expect(of.base.retrieval).toMatchObject({ search_method: 'hybrid_search' });
		await update({ defaultTopK: 7, defaultSearchMethod: 'semantic_search' });
		expect(of.base.retrieval).toMatchObject({ search_method: 'semantic_search', top_k: 7 });
	});

	test('a base with vectors whose method was overwritten by the mask is searched by its vectors', async () => {
		const of = await scene(version, { technique: 'high_quality', retrieval: { search_method: 'keyword_search' } });
		addDocument(of.sim.store, of.base, { text: 'The llama.' });
		await manage(of, 'knowledgeBase', 'retrieve', { query: 'llama' });
		expect(lastBody(of.sim, /retrieve$/)).toMatchObject({ retrieval_model: { search_method: 'semantic_search' } });
	});

	test.each(['equals', '=', ''])('the operator Equals (Number), stored as "%s"', async (operator) => {
		const of = await scene(version, {
			technique: 'high_quality',
			fields: [{ id: 'm', name: 'year', type: 'number' }],
		});
		addDocument(of.sim.store, of.base, { text: 'The llama.' });
		const metadataFilters = { condition: [{ field: 'year', operator, value: '2026' }] };
		await manage(of, 'knowledgeBase', 'retrieve', { query: 'llama', metadataFilters, filterLogic: 'and' });
		const sent = lastBody(of.sim, /retrieve$/) as { retrieval_model: { metadata_filtering_conditions: object } };
		expect(sent.retrieval_model.metadata_filtering_conditions).toMatchObject({
			conditions: [{ name: 'year', comparison_operator: '=', value: 2026 }],
		});
	});

	test('documents: create or update from text and file, D85', async () => {
		const of = await scene(version);
		const [made] = await manage(of, 'document', 'upsertText', { ...TEXT, wait: 10 });
		expect(made).toEqual({
			action: 'created',
			documentId: [...of.base.documents.keys()][0],
			datasetId: of.base.id,
			name: 'llama.txt',
			batch: expect.any(String) as string,
			indexingStatus: 'completed',
			chunks: 1,
		});
		const items = [
			{
				json: {},
				binary: {
					data: { data: Buffer.from('# A file').toString('base64'), mimeType: 'text/plain', fileName: 'llama.txt' },
				},
			},
		];
		const parameters = { binaryPropertyName: 'data', wait: 10 };
		expect(await manage(of, 'document', 'upsertFile', parameters, { items })).toMatchObject([
			{ action: 'updated', documentId: made!.documentId },
		]);
		expect(of.base.documents.get(String(made!.documentId))!.text).toBe('# A file');
		expect(await manage(of, 'document', 'upsertText', { ...TEXT, options: { ifExists: 'skip' } })).toMatchObject([
			{ action: 'skipped' },
		]);
	});

	test('D81: a name that is changed is told at the node and in the item', async () => {
		const of = await scene(version);
		const items = [{ json: {}, binary: { data: { data: 'eA==', mimeType: 'text/plain', fileName: 'a/b:c?.md' } } }];
		const fake = prepare(
			of,
			{ resource: 'document', operation: 'upsertFile', binaryPropertyName: 'data', wait: 5 },
			{ items },
		);
		const [item] = await executeIn(fake);
		expect(item!.json).toMatchObject({ name: 'a_b_c_.md', warnings: [expect.stringContaining('a_b_c_.md')] });
		expect(fake.hints.map(({ message }) => message)).toEqual(item!.json.warnings);
	});

	test('D93: without a wait, the item comes at once, with the batch', async () => {
		const of = await scene(version);
		of.sim.store.worker = 'down';
		const [made] = await manage(of, 'document', 'upsertText', { ...TEXT, wait: 0 });
		expect(made).toMatchObject({ action: 'created', indexingStatus: 'waiting', batch: expect.any(String) as string });
		const where = { documentId: byId(String(made!.documentId)), options: { batch: made!.batch } };
		expect(await manage(of, 'document', 'getStatus', { ...where, wait: 0 })).toMatchObject([
			{ indexingStatus: 'waiting', chunks: 0 },
		]);
		of.sim.store.worker = 'up';
		expect(await manage(of, 'document', 'getStatus', { ...where, wait: 10 })).toMatchObject([
			{ indexingStatus: 'completed', chunks: 1 },
		]);
	});

	test('rules for chunks: whole, with line breaks that are typed as \\n', async () => {
		const of = await scene(version);
		const options = { separator: '\\n###\\n', maxTokens: 100 };
		await manage(of, 'document', 'upsertText', { ...TEXT, wait: 5, options });
		expect(lastBody(of.sim, /create-by-text$/)).toMatchObject({
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
		const parents = await scene(version);
		await manage(parents, 'document', 'upsertText', { ...TEXT, wait: 5, options: { childSeparator: '.' } });
		expect(lastBody(parents.sim, /create-by-text$/)).toMatchObject({
			doc_form: 'hierarchical_model',
			process_rule: {
				mode: 'hierarchical',
				rules: { parent_mode: 'paragraph', subchunk_segmentation: { separator: '.' } },
			},
		});
		const wrong = { ...TEXT, options: { chunking: 'automatic', maxTokens: 100 } };
		await expect(manage(of, 'document', 'upsertText', wrong)).rejects.toThrow('the other options of chunks do nothing');
		const long = { ...TEXT, options: { maxTokens: 5000 } };
		await expect(manage(of, 'document', 'upsertText', long)).rejects.toThrow('must be between 50 and 4,000');
	});

	test('documents: get, get many, update, set status, delete', async () => {
		const of = await scene(version);
		const known = addDocument(of.sim.store, of.base, { name: 'a.txt' });
		const documentId = byId(known.id);
		expect(await manage(of, 'document', 'get', { documentId })).toMatchObject([{ id: known.id, name: 'a.txt' }]);
		expect(await manage(of, 'document', 'updateText', { documentId, text: 'New.', wait: 5 })).toMatchObject([
			{ action: 'updated', documentId: known.id, name: 'a.txt' },
		]);
		const parameters = { documentIds: `${known.id}, ${known.id}`, statusAction: 'disable' };
		expect(await manage(of, 'document', 'setStatus', parameters)).toHaveLength(2);
		expect(await manage(of, 'document', 'getAll', { options: { status: 'disabled' } })).toHaveLength(1);
		await expect(manage(of, 'document', 'setStatus', { documentIds: '', statusAction: 'enable' })).rejects.toThrow(
			'is empty',
		);
		expect(await manage(of, 'document', 'delete', { documentId })).toMatchObject([{ deleted: true, existed: true }]);
		expect(await manage(of, 'document', 'delete', { documentId })).toMatchObject([{ deleted: true, existed: false }]);
	});

	test('retrieve: hits, raw records, filters; D107 for a node and for a tool', async () => {
		const of = await scene(version, {
			technique: 'high_quality',
			fields: [{ id: 'f', name: 'author', type: 'string' }],
		});
		addDocument(of.sim.store, of.base, {
			name: 'llama.txt',
			text: 'llama wool',
			values: new Map([['author', { id: 'f', value: 'Ann' }]]),
		});
		addDocument(of.sim.store, of.base, { name: 'moon.txt', text: 'llama moon' });
		const retrieve = { query: 'llama', options: {} };
		expect(await manage(of, 'knowledgeBase', 'retrieve', retrieve)).toHaveLength(2);
		expect(await manage(of, 'knowledgeBase', 'retrieve', { ...retrieve, topK: 1, simplify: false })).toMatchObject([
			{ segment: { content: expect.stringContaining('llama') as string } },
		]);
		const condition = (value: string) => ({
			metadataFilters: { condition: [{ field: 'author', operator: 'is', value }] },
		});
		expect(await manage(of, 'knowledgeBase', 'retrieve', { ...retrieve, ...condition('Ann') })).toMatchObject([
			{ content: 'llama wool', title: 'llama.txt', score: 1, metadata: { author: 'Ann' } },
		]);
		await expect(manage(of, 'knowledgeBase', 'retrieve', { ...retrieve, ...condition('') })).rejects.toThrow(
			'has no value',
		);
		const long = { query: `llama ${'and so on '.repeat(40)}` };
		await expect(manage(of, 'knowledgeBase', 'retrieve', long)).rejects.toThrow('Dify takes 250');
		const tool = prepare(
			of,
			{ resource: 'knowledgeBase', operation: 'retrieve', ...long },
			{ type: 'n8n-nodes-local-llama.difyKnowledgeTool' },
		);
		expect(await executeIn(tool)).toHaveLength(2);
		expect(tool.hints[0]?.message).toContain('cut to 250 characters');
		const options = { rerankModel: { __rl: true, mode: 'list', value: 'p/p/p|m' } };
		await manage(of, 'knowledgeBase', 'retrieve', { ...retrieve, options });
		expect(lastBody(of.sim, /retrieve$/)).toMatchObject({
			retrieval_model: { reranking_model: { reranking_provider_name: 'p/p/p', reranking_model_name: 'm' } },
		});
	});

	test('chunks and child chunks', async () => {
		const of = await scene(version, { technique: 'high_quality', form: 'hierarchical_model' });
		const known = addDocument(of.sim.store, of.base, { text: 'A. B.' });
		const documentId = byId(known.id);
		const [made] = await manage(of, 'chunk', 'create', { documentId, content: 'C.', options: { keywords: 'x, y' } });
		expect(made).toMatchObject({ content: 'C.', keywords: ['x', 'y'] });
		const chunkId = String(made!.id);
		expect(await manage(of, 'chunk', 'getAll', { documentId, keyword: '' })).toHaveLength(2);
		expect(await manage(of, 'chunk', 'get', { documentId, chunkId })).toMatchObject([{ content: 'C.' }]);
		const options = { content: 'D.', enabled: false };
		expect(await manage(of, 'chunk', 'update', { documentId, chunkId, options })).toMatchObject([
			{ content: 'D.', enabled: false },
		]);
		const [child] = await manage(of, 'childChunk', 'create', { documentId, chunkId, content: 'E' });
		const childChunkId = String(child!.id);
		expect(await manage(of, 'childChunk', 'update', { documentId, chunkId, childChunkId, content: 'F' })).toMatchObject(
			[{ content: 'F' }],
		);
		expect(await manage(of, 'childChunk', 'get', { documentId, chunkId, childChunkId })).toMatchObject([
			{ content: 'F' },
		]);
		expect(await manage(of, 'childChunk', 'getAll', { documentId, chunkId, keyword: '' })).toHaveLength(2);
		expect(await manage(of, 'childChunk', 'delete', { documentId, chunkId, childChunkId })).toMatchObject([
			{ existed: true },
		]);
		expect(await manage(of, 'chunk', 'delete', { documentId, chunkId })).toMatchObject([{ existed: true }]);
	});

	test('metadata: fields, values, built-in ones', async () => {
		const of = await scene(version);
		const known = addDocument(of.sim.store, of.base);
		const [field] = await manage(of, 'metadata', 'createField', { name: 'year', type: 'number' });
		const fieldId = byId(String(field!.id));
		const values = {
			value: [
				{ field: 'year', value: '2020', type: 'auto' },
				{ field: 'read', value: '2026-01-31', type: 'time' },
			],
		};
		const documentId = byId(known.id);
		await expect(manage(of, 'metadata', 'set', { documentId, values })).rejects.toThrow('no metadata field "read"');
		expect(await manage(of, 'metadata', 'set', { documentId, values, options: { createFields: true } })).toEqual([
			{ documentId: known.id, metadata: { year: 2020, read: 1769817600 } },
		]);
		expect(await manage(of, 'metadata', 'setBuiltIn', { enabled: true })).toMatchObject([{ builtInEnabled: true }]);
		expect(await manage(of, 'metadata', 'getFields')).toMatchObject([
			{ name: 'year', type: 'number', builtInEnabled: true },
			{ name: 'read', type: 'time' },
		]);
		expect(await manage(of, 'metadata', 'renameField', { fieldId, name: 'published' })).toMatchObject([
			{ name: 'published' },
		]);
		expect(await manage(of, 'metadata', 'deleteField', { fieldId })).toMatchObject([{ existed: true }]);
	});

	test('tags and models', async () => {
		const of = await scene(version);
		const id = '7a000000-0000-4000-8000-00000000000f';
		of.sim.store.knowledge.tags.set(id, { id, name: 'news' });
		const tagId = byId(id);
		expect(await manage(of, 'tag', 'bind', { tagId })).toEqual([{ datasetId: of.base.id, tagId: id, bound: true }]);
		expect(await manage(of, 'tag', 'getOfBase')).toEqual([{ id, name: 'news' }]);
		expect(await manage(of, 'tag', 'unbind', { tagId })).toMatchObject([{ bound: false }]);
		if (version === '1.12') await expect(manage(of, 'tag', 'getAll')).rejects.toThrow('defect in its tags');
		else {
			expect(await manage(of, 'tag', 'getAll')).toMatchObject([{ name: 'news' }]);
			expect(await manage(of, 'tag', 'create', { name: 'two' })).toMatchObject([{ name: 'two' }]);
			expect(await manage(of, 'tag', 'rename', { tagId, name: 'old' })).toMatchObject([{ name: 'old' }]);
		}
		expect(await manage(of, 'tag', 'delete', { tagId })).toMatchObject([{ existed: true }]);
		expect(await manage(of, 'model', 'getAll', { modelType: 'rerank', onlyActive: true })).toMatchObject([
			{ model: 'minilm-rank', status: 'active' },
		]);
	});

	test('an item that fails goes on as an item with the error', async () => {
		const of = await scene(version);
		const perItem = [{ documentId: byId('nothing') }, { documentId: byId(addDocument(of.sim.store, of.base).id) }];
		const setup = { items: [{ json: {} }, { json: {} }], perItem, continueOnFail: true };
		const [failed, good] = await manage(of, 'document', 'get', {}, setup);
		expect(failed).toMatchObject({ error: { message: 'The document ID is not valid: "nothing"' } });
		expect(good).toMatchObject({ indexing_status: 'completed' });
		const error = await nodeErrorOf(manage(of, 'document', 'get', { documentId: byId('nothing') }));
		expect(error.description).toContain('UUID');
		await expect(manage(of, 'document', 'nonsense')).rejects.toThrow('has no operation "nonsense"');
	});

	test('the lists of the editor', async () => {
		const of = await scene(version, { technique: 'economy' });
		addDataset(of.sim.store, { name: 'Theirs', isOwn: false });
		addDocument(of.sim.store, of.base, { name: 'off.txt', enabled: false });
		const { searchKnowledgeBases, searchDocuments, searchEmbeddingModels, searchRerankModels } = new DifyKnowledge()
			.methods.listSearch;
		expect((await searchKnowledgeBases.call(editor(of))).results.map(({ name }) => name)).toEqual([
			'Theirs (empty)',
			'Papers (keywords)',
		]);
		expect((await searchKnowledgeBases.call(editor(of), 'pap')).results).toEqual([
			{ name: 'Papers (keywords)', value: of.base.id },
		]);
		const here = editor(of, { difyDatasetId: byId(of.base.id) });
		expect((await searchDocuments.call(here)).results.map(({ name }) => name)).toEqual(['off.txt (disabled)']);
		await expect(searchDocuments.call(editor(of))).rejects.toThrow('The list needs a knowledge base');
		expect((await searchEmbeddingModels.call(editor(of), 'mini')).results).toHaveLength(1);
		expect((await searchRerankModels.call(editor(of))).results[0]!.name).toBe('minilm-rank (OpenAI-API-compatible)');
	});

	test('a list that goes on gives its next page', async () => {
		const of = await scene(version);
		for (let count = 0; count < 130; count++) addDataset(of.sim.store);
		const { searchKnowledgeBases } = new DifyKnowledge().methods.listSearch;
		const first = await searchKnowledgeBases.call(editor(of));
		expect([first.results.length, first.paginationToken]).toEqual([100, '2']);
		const second = await searchKnowledgeBases.call(editor(of), '', '2');
		expect([second.results.length, second.paginationToken]).toEqual([31, undefined]);
	});
});

test('the lists of tags and metadata fields', async () => {
	const of = await scene('1.14', { fields: [{ id: 'f', name: 'year', type: 'number' }] });
	const { searchTags, searchMetadataFields } = new DifyKnowledge().methods.listSearch;
	of.sim.store.knowledge.tags.set('t', { id: 't', name: 'news' });
	expect((await searchTags.call(editor(of))).results).toEqual([{ name: 'news', value: 't' }]);
	const here = editor(of, { difyDatasetId: byId(of.base.id) });
	expect((await searchMetadataFields.call(here, 'YEAR')).results).toEqual([{ name: 'year (number)', value: 'f' }]);
	expect(writes(of.sim)).toEqual([]);
});

test('a document is downloaded without the key, as its address says', async () => {
	const of = await scene('1.14');
	const known = addDocument(of.sim.store, of.base, { name: 'a.txt' });
	of.sim.fail({ path: /file-preview/, status: 200, contentType: 'text/plain', body: 'the file' });
	const fake = prepare(of, {
		resource: 'document',
		operation: 'download',
		documentId: byId(known.id),
		outputField: 'data',
	});
	const [item] = await executeIn(fake);
	expect(item!.json).toEqual({ documentId: known.id, fileName: 'a.txt', mimeType: 'text/plain', bytes: 8 });
	expect(Buffer.from(item!.binary!.data!.data, 'base64').toString()).toBe('the file');
	const fetched = of.sim.requests.find(({ url }) => url.includes('file-preview'))!;
	expect(fetched.headers.authorization).toBeUndefined();
	of.sim.fail({ path: /file-preview/, status: 403, body: 'expired' });
	await expect(executeIn(fake)).rejects.toThrow();
});

describe('documents as a ZIP', () => {
	const zip = (documentIds: unknown) => ({
		resource: 'document',
		operation: 'downloadZip',
		documentIds,
		outputField: 'files',
	});
	const filesIn = ({ binary }: INodeExecutionData) =>
		unzipped(Buffer.from(binary!.files!.data, 'base64')).map(({ name, content }) => [
			name,
			Buffer.from(content).toString(),
		]);

	test('the files of several documents, each once', async () => {
		const of = await scene('1.14');
		const [one, two] = ['a.txt', 'ä:b.txt'].map((name) => addDocument(of.sim.store, of.base, { name, text: name }));
		const items = await executeIn(prepare(of, zip(`${one!.id}, ${two!.id}, ${one!.id.toUpperCase()}`)));
		expect(items).toHaveLength(1);
		const [item] = items;
		const bytes = Buffer.from(item!.binary!.files!.data, 'base64').length;
		expect(item).toMatchObject({
			json: { documentIds: [one!.id, two!.id], fileName: 'documents.zip', mimeType: 'application/zip', bytes },
			pairedItem: { item: 0 },
		});
		expect(item!.binary!.files).toMatchObject({ fileName: 'documents.zip', mimeType: 'application/zip' });
		expect(filesIn(item!)).toEqual([
			['a.txt', 'a.txt'],
			['ä:b.txt', 'ä:b.txt'],
		]);
	});

	test('more than a hundred in several ZIPs, one after the other', async () => {
		const of = await scene('1.14');
		const ids = Array.from({ length: 230 }, () => addDocument(of.sim.store, of.base).id);
		const items = await executeIn(prepare(of, zip(ids)));
		expect(items.map(({ json }) => [json.fileName, (json.documentIds as string[]).length])).toEqual([
			['documents-1.zip', 100],
			['documents-2.zip', 100],
			['documents-3.zip', 30],
		]);
		expect(items.flatMap(({ json }) => json.documentIds)).toEqual(ids);
		expect(items.flatMap(filesIn)).toHaveLength(230);
	});

	test.each([
		['', /Document IDs.*is empty/],
		['abc', /document ID/],
	])('asks for nothing where the IDs are wrong: %j', async (ids, message) => {
		const of = await scene('1.14');
		await expect(executeIn(prepare(of, zip(ids)))).rejects.toThrow(message);
		expect(of.sim.requests).toEqual([]);
	});

	test('an older Dify is told by its version', async () => {
		const of = await scene('1.12');
		const { id } = addDocument(of.sim.store, of.base);
		await expect(executeIn(prepare(of, zip([id])))).rejects.toMatchObject({
			message: 'Downloading documents as a ZIP needs Dify 1.14 or newer, this is 1.12.1',
			description: expect.stringContaining('this is 1.12.1') as string,
		});
	});
});
