import { addDocument } from '../../../simulators/dify';
import { getLastBody } from '../../../lib/dify/knowledge/setup';
import { byId, executeOperation, startScene } from '../setup';

describe('chunks', () => {
	test('are created, listed, read, updated and deleted', async () => {
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
		expect(await executeOperation(scene, 'chunk', 'delete', { documentId, chunkId })).toMatchObject(
			[{ existed: true }],
		);
	});
});
