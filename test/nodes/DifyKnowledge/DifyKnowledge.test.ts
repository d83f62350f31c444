import { DifyKnowledge } from '../../../nodes/DifyKnowledge/DifyKnowledge.node';
import { addDataset, addDocument } from '../../simulators/dify';
import { byId, editor, scene } from './setup';

describe('The lists of Dify Knowledge', () => {
	test('the lists of the editor', async () => {
		const of = await scene({ technique: 'economy' });
		addDataset(of.sim.store, { name: 'Theirs', isOwn: false });
		addDocument(of.sim.store, of.base, { name: 'off.txt', enabled: false });
		const { searchKnowledgeBases, searchDocuments, searchEmbeddingModels } = new DifyKnowledge()
			.methods.listSearch;
		expect((await searchKnowledgeBases.call(editor(of))).results.map(({ name }) => name)).toEqual([
			'Theirs (empty)',
			'Papers (keywords)',
		]);
		expect((await searchKnowledgeBases.call(editor(of), 'pap')).results).toEqual([
			{ name: 'Papers (keywords)', value: of.base.id },
		]);
		const here = editor(of, { difyDatasetId: byId(of.base.id) });
		expect((await searchDocuments.call(here)).results.map(({ name }) => name)).toEqual([
			'off.txt (disabled)',
		]);
		await expect(searchDocuments.call(editor(of))).rejects.toThrow(
			'The list requires a knowledge base',
		);
		expect((await searchEmbeddingModels.call(editor(of), 'mini')).results).toHaveLength(1);
	});

	test('a longer list returns its next page', async () => {
		const of = await scene();
		for (let count = 0; count < 130; count++) addDataset(of.sim.store);
		const { searchKnowledgeBases } = new DifyKnowledge().methods.listSearch;
		const first = await searchKnowledgeBases.call(editor(of));
		expect([first.results.length, first.paginationToken]).toEqual([100, '2']);
		const second = await searchKnowledgeBases.call(editor(of), '', '2');
		expect([second.results.length, second.paginationToken]).toEqual([31, undefined]);
	});
});
