import { addDocument } from '../../../simulators/dify';
import { byId, executeOperation, startScene } from '../setup';

describe('metadata', () => {
	test('of a document is set, and missing fields are created on request', async () => {
		const scene = await startScene();
		const document = addDocument(scene.sim.store, scene.dataset);
		await executeOperation(scene, 'metadata', 'createField', { name: 'year', type: 'number' });
		const values = {
			value: [
				{ field: 'year', value: '2020' },
				{ field: 'read', value: 7 },
			],
		};
		const documentId = byId(document.id);
		await expect(
			executeOperation(scene, 'metadata', 'set', { documentId, values }),
		).rejects.toThrow('no metadata field "read"');
		expect(
			await executeOperation(scene, 'metadata', 'set', {
				documentId,
				values,
				options: { createFields: true },
			}),
		).toEqual([{ documentId: document.id, metadata: { year: 2020, read: 7 } }]);
		expect(await executeOperation(scene, 'metadata', 'getFields')).toMatchObject([
			{ name: 'year', type: 'number', builtInEnabled: false },
			{ name: 'read', type: 'number' },
		]);
	});
});
