import { addDocument } from '../../simulators/dify';
import { getLastBody } from '../../lib/dify/knowledge/setup';
import { UNKNOWN_ID } from '../../lib/dify/client';
import { runBase, byId, executeOperation, executePrepared, prepare, startScene } from './setup';

describe('knowledge bases', () => {
	test('are created once per name, read, listed, updated, and deleted after confirmation', async () => {
		const scene = await startScene();
		const [created] = await runBase(scene, 'create', {
			name: 'New',
			options: { technique: 'economy' },
		});
		expect(created).toMatchObject({
			name: 'New',
			permission: 'all_team_members',
			indexing_technique: 'economy',
		});
		const difyDatasetId = byId(String(created!.id));
		await expect(runBase(scene, 'create', { name: 'New' })).rejects.toThrow(
			'The dataset name already exists',
		);
		expect(
			await runBase(scene, 'create', {
				name: 'New',
				options: { ifExists: 'use' },
			}),
		).toMatchObject([{ id: created!.id }]);
		expect(await runBase(scene, 'get', { difyDatasetId })).toMatchObject([{ name: 'New' }]);
		expect(await runBase(scene, 'getAll', { keyword: 'ne' })).toHaveLength(1);
		const options = { name: 'Newer' };
		expect(await runBase(scene, 'update', { difyDatasetId, options })).toMatchObject([
			{ name: 'Newer' },
		]);
		await expect(runBase(scene, 'delete', { difyDatasetId })).rejects.toThrow('not confirmed');
		expect(await runBase(scene, 'delete', { difyDatasetId, confirm: true })).toEqual([
			{ datasetId: created!.id, deleted: true },
		]);
	});

	test('the existing one of exactly this name is used among those that the name finds', async () => {
		const scene = await startScene();
		for (const name of ['News', 'New', 'Newer']) await runBase(scene, 'create', { name });
		const options = { ifExists: 'use' };
		for (const name of ['News', 'New', 'Newer'])
			expect(await runBase(scene, 'create', { name, options })).toMatchObject([{ name }]);
	});

	test.each([
		{ resource: 'knowledgeBase', fields: {} },
		{ resource: 'document', fields: {} },
		{ resource: 'chunk', fields: { documentId: byId(UNKNOWN_ID) } },
	])(
		'$resource: a text that is too long to be searched for is an error before anything is sent',
		async ({ resource, fields }) => {
			const scene = await startScene();
			const search = async (keyword: string) =>
				await executeOperation(scene, resource, 'getAll', { ...fields, keyword });
			await expect(search('水'.repeat(445))).rejects.toThrow(
				'The field "Search" is too long for a search',
			);
			expect(scene.sim.requests).toEqual([]);
			await search('水'.repeat(444)).catch(() => undefined);
			expect(scene.sim.requests).not.toEqual([]);
		},
	);

	test.each(['', '  '])('a query of %j is an error before anything is sent', async (query) => {
		const scene = await startScene();
		await expect(runBase(scene, 'retrieve', { query })).rejects.toThrow(
			'The field "Query" is empty',
		);
		expect(scene.sim.requests).toEqual([]);
	});

	test('the placeholder of an empty knowledge base is not sent back', async () => {
		const scene = await startScene({
			technique: null,
			retrieval: { search_method: 'hybrid_search' },
		});
		const update = async (options: object) => await runBase(scene, 'update', { options });
		await update({ description: 'Newer' });
		expect(scene.dataset.retrieval).toMatchObject({ search_method: 'hybrid_search' });
	});

	test('an external knowledge base is not searched, and the error says why', async () => {
		const scene = await startScene({ provider: 'external', name: 'Wiki' });
		await expect(runBase(scene, 'retrieve', { query: 'llama' })).rejects.toMatchObject({
			message: expect.stringContaining('"Wiki" is external'),
			description: expect.stringContaining('Its texts are in another system'),
		});
		expect(scene.sim.requests.filter(({ path }) => path.endsWith('/retrieve'))).toEqual([]);
	});

	test('a knowledge base with vectors whose method was overwritten by the placeholder uses vector search', async () => {
		const scene = await startScene({
			technique: 'high_quality',
			retrieval: { search_method: 'keyword_search' },
		});
		addDocument(scene.sim.store, scene.dataset, { text: 'The llama.' });
		await runBase(scene, 'retrieve', { query: 'llama' });
		expect(getLastBody(scene.sim, /retrieve$/)).toMatchObject({
			retrieval_model: { search_method: 'semantic_search' },
		});
	});

	test.each(['equals', '=', ''])(
		'the operator Equals (Number) works if it is stored as "%s"',
		async (operator) => {
			const scene = await startScene({
				technique: 'high_quality',
				fields: [{ id: 'm', name: 'year', type: 'number' }],
			});
			addDocument(scene.sim.store, scene.dataset, { text: 'The llama.' });
			const metadataFilters = { condition: [{ field: 'year', operator, value: '2026' }] };
			await runBase(scene, 'retrieve', {
				query: 'llama',
				metadataFilters,
				options: { filterLogic: 'and' },
			});
			const body = getLastBody(scene.sim, /retrieve$/) as {
				retrieval_model: { metadata_filtering_conditions: object };
			};
			expect(body.retrieval_model.metadata_filtering_conditions).toMatchObject({
				conditions: [{ name: 'year', comparison_operator: '=', value: 2026 }],
			});
		},
	);

	test('Simplify keeps the summary and the files of a retrieved record', async () => {
		const scene = await startScene({ technique: 'high_quality' });
		const segment = { id: 's', content: 'llama wool', document: { id: 'd', name: 'a.txt' } };
		const files = [{ id: 'f', name: 'a.png' }];
		const record = { segment, score: 0.5, summary: 'About wool', files };
		const body = JSON.stringify({ query: { content: 'llama' }, records: [record] });
		scene.sim.fail({ path: /\/retrieve$/, status: 200, body, contentType: 'application/json' });
		const [hit] = await runBase(scene, 'retrieve', {
			query: 'llama',
			options: {},
		});
		expect(hit).toMatchObject({ content: 'llama wool', summary: 'About wool', files });
	});

	test('are searched with a limit and filters; only a tool truncates a long query', async () => {
		const scene = await startScene({
			technique: 'high_quality',
			fields: [{ id: 'f', name: 'author', type: 'string' }],
		});
		addDocument(scene.sim.store, scene.dataset, {
			name: 'llama.txt',
			text: 'llama wool',
			values: new Map([['author', { id: 'f', value: 'Ann' }]]),
		});
		addDocument(scene.sim.store, scene.dataset, { name: 'moon.txt', text: 'llama moon' });
		const retrieve = { query: 'llama', options: {} };
		expect(await runBase(scene, 'retrieve', retrieve)).toHaveLength(2);
		expect(
			await runBase(scene, 'retrieve', {
				...retrieve,
				topK: 1,
				simplify: false,
			}),
		).toMatchObject([{ segment: { content: expect.stringContaining('llama') as string } }]);
		const condition = (value: string) => ({
			metadataFilters: { condition: [{ field: 'author', operator: 'is', value }] },
		});
		expect(
			await runBase(scene, 'retrieve', {
				...retrieve,
				...condition('Ann'),
			}),
		).toMatchObject([
			{ content: 'llama wool', title: 'llama.txt', score: 1, metadata: { author: 'Ann' } },
		]);
		await expect(runBase(scene, 'retrieve', { ...retrieve, ...condition('') })).rejects.toThrow(
			'has no value',
		);
		const createQuery = (length: number) => ({
			query: `llama ${'and so on '.repeat(40)}`.slice(0, length),
		});
		expect(await runBase(scene, 'retrieve', createQuery(250))).toHaveLength(2);
		await expect(runBase(scene, 'retrieve', createQuery(251))).rejects.toThrow(
			'at most 250 characters',
		);
		const getToolHints = async (length: number) => {
			const tool = prepare(
				scene,
				{ resource: 'knowledgeBase', operation: 'retrieve', ...createQuery(length) },
				{ type: 'n8n-nodes-local-llama.difyKnowledgeTool' },
			);
			expect(await executePrepared(tool)).toHaveLength(2);
			return tool.hints.map(({ message }) => message);
		};
		expect(await getToolHints(250)).toEqual([]);
		expect(await getToolHints(251)).toEqual([
			expect.stringContaining('truncated to 250 characters'),
		]);
	});
});
