import { DifyKnowledge } from '../../../nodes/DifyKnowledge/DifyKnowledge.node';
import { addDataset, addDocument } from '../../simulators/dify';
import { byId, createEditorContext, startScene } from './setup';

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
