import { OLDEST_AND_NEWEST } from '../../../servers/dify';
import { byId, manage, scene } from '../setup';

describe.each(OLDEST_AND_NEWEST)('Tags with Dify %s', (version) => {
	test('tags and models', async () => {
		const of = await scene(version);
		const id = '7a000000-0000-4000-8000-00000000000f';
		of.sim.store.knowledge.tags.set(id, { id, name: 'news' });
		const tagId = byId(id);
		expect(await manage(of, 'tag', 'bind', { tagId })).toEqual([
			{ datasetId: of.base.id, tagId: id, bound: true },
		]);
		expect(await manage(of, 'tag', 'getOfBase')).toEqual([{ id, name: 'news' }]);
		expect(await manage(of, 'tag', 'unbind', { tagId })).toMatchObject([{ bound: false }]);
		if (version === '1.12')
			await expect(manage(of, 'tag', 'getAll')).rejects.toThrow('defect in its tags');
		else {
			expect(await manage(of, 'tag', 'getAll')).toMatchObject([{ name: 'news' }]);
			expect(await manage(of, 'tag', 'create', { name: 'two' })).toMatchObject([{ name: 'two' }]);
			expect(await manage(of, 'tag', 'rename', { tagId, name: 'old' })).toMatchObject([
				{ name: 'old' },
			]);
		}
		expect(await manage(of, 'tag', 'delete', { tagId })).toMatchObject([{ existed: true }]);
		expect(
			await manage(of, 'model', 'getAll', { modelType: 'rerank', onlyActive: true }),
		).toMatchObject([{ model: 'minilm-rank', status: 'active' }]);
	});
});
