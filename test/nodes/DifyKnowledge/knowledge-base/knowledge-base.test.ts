import { addDocument } from '../../../simulators/dify';
import { lastBody } from '../../../lib/dify/knowledge/setup';
import { byId, executeIn, manage, prepare, scene } from '../setup';

describe('Knowledge bases', () => {
	test('knowledge bases: create, get, get many, update, delete', async () => {
		const of = await scene();
		const [made] = await manage(of, 'knowledgeBase', 'create', {
			name: 'New',
			options: { technique: 'economy' },
		});
		expect(made).toMatchObject({
			name: 'New',
			permission: 'all_team_members',
			indexing_technique: 'economy',
		});
		const difyDatasetId = byId(String(made!.id));
		await expect(manage(of, 'knowledgeBase', 'create', { name: 'New' })).rejects.toThrow(
			'The dataset name already exists',
		);
		expect(
			await manage(of, 'knowledgeBase', 'create', { name: 'New', options: { ifExists: 'use' } }),
		).toMatchObject([{ id: made!.id }]);
		expect(await manage(of, 'knowledgeBase', 'get', { difyDatasetId })).toMatchObject([
			{ name: 'New' },
		]);
		expect(await manage(of, 'knowledgeBase', 'getAll', { keyword: 'ne' })).toHaveLength(1);
		const options = { name: 'Newer' };
		expect(await manage(of, 'knowledgeBase', 'update', { difyDatasetId, options })).toMatchObject([
			{ name: 'Newer' },
		]);
		await expect(manage(of, 'knowledgeBase', 'delete', { difyDatasetId })).rejects.toThrow(
			'not confirmed',
		);
		expect(await manage(of, 'knowledgeBase', 'delete', { difyDatasetId, confirm: true })).toEqual([
			{ datasetId: made!.id, deleted: true, existed: true },
		]);
	});

	test('the placeholder of an empty knowledge base is not sent back', async () => {
		const of = await scene({
			technique: null,
			retrieval: { search_method: 'hybrid_search' },
		});
		const update = async (options: object) =>
			await manage(of, 'knowledgeBase', 'update', { options });
		await update({ description: 'Newer' });
		expect(of.base.retrieval).toMatchObject({ search_method: 'hybrid_search' });
	});

	test('a knowledge base with vectors whose method was overwritten by the placeholder uses vector search', async () => {
		const of = await scene({
			technique: 'high_quality',
			retrieval: { search_method: 'keyword_search' },
		});
		addDocument(of.sim.store, of.base, { text: 'The llama.' });
		await manage(of, 'knowledgeBase', 'retrieve', { query: 'llama' });
		expect(lastBody(of.sim, /retrieve$/)).toMatchObject({
			retrieval_model: { search_method: 'semantic_search' },
		});
	});

	test.each(['equals', '=', ''])(
		'the operator Equals (Number), stored as "%s"',
		async (operator) => {
			const of = await scene({
				technique: 'high_quality',
				fields: [{ id: 'm', name: 'year', type: 'number' }],
			});
			addDocument(of.sim.store, of.base, { text: 'The llama.' });
			const metadataFilters = { condition: [{ field: 'year', operator, value: '2026' }] };
			await manage(of, 'knowledgeBase', 'retrieve', {
				query: 'llama',
				metadataFilters,
				options: { filterLogic: 'and' },
			});
			const sent = lastBody(of.sim, /retrieve$/) as {
				retrieval_model: { metadata_filtering_conditions: object };
			};
			expect(sent.retrieval_model.metadata_filtering_conditions).toMatchObject({
				conditions: [{ name: 'year', comparison_operator: '=', value: 2026 }],
			});
		},
	);

	test('retrieve: Simplify keeps the summary and the files of a record', async () => {
		const of = await scene({ technique: 'high_quality' });
		const segment = { id: 's', content: 'llama wool', document: { id: 'd', name: 'a.txt' } };
		const files = [{ id: 'f', name: 'a.png' }];
		const record = { segment, score: 0.5, summary: 'About wool', files };
		const body = JSON.stringify({ query: { content: 'llama' }, records: [record] });
		of.sim.fail({ path: /\/retrieve$/, status: 200, body, contentType: 'application/json' });
		const [hit] = await manage(of, 'knowledgeBase', 'retrieve', { query: 'llama', options: {} });
		expect(hit).toMatchObject({ content: 'llama wool', summary: 'About wool', files });
	});

	test('retrieve: hits, raw records, filters; D107 for a node and for a tool', async () => {
		const of = await scene({
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
		expect(
			await manage(of, 'knowledgeBase', 'retrieve', { ...retrieve, topK: 1, simplify: false }),
		).toMatchObject([{ segment: { content: expect.stringContaining('llama') as string } }]);
		const condition = (value: string) => ({
			metadataFilters: { condition: [{ field: 'author', operator: 'is', value }] },
		});
		expect(
			await manage(of, 'knowledgeBase', 'retrieve', { ...retrieve, ...condition('Ann') }),
		).toMatchObject([
			{ content: 'llama wool', title: 'llama.txt', score: 1, metadata: { author: 'Ann' } },
		]);
		await expect(
			manage(of, 'knowledgeBase', 'retrieve', { ...retrieve, ...condition('') }),
		).rejects.toThrow('has no value');
		const queryOf = (length: number) => ({
			query: `llama ${'and so on '.repeat(40)}`.slice(0, length),
		});
		expect(await manage(of, 'knowledgeBase', 'retrieve', queryOf(250))).toHaveLength(2);
		await expect(manage(of, 'knowledgeBase', 'retrieve', queryOf(251))).rejects.toThrow(
			'at most 250 characters',
		);
		const hintsFor = async (length: number) => {
			const tool = prepare(
				of,
				{ resource: 'knowledgeBase', operation: 'retrieve', ...queryOf(length) },
				{ type: 'n8n-nodes-local-llama.difyKnowledgeTool' },
			);
			expect(await executeIn(tool)).toHaveLength(2);
			return tool.hints.map(({ message }) => message);
		};
		expect(await hintsFor(250)).toEqual([]);
		expect(await hintsFor(251)).toEqual([expect.stringContaining('truncated to 250 characters')]);
	});
});
