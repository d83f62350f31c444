import { addDocument } from '../../../simulators/dify';
import { byId, manage, scene } from '../setup';

describe('Metadata', () => {
	test('metadata: fields, values', async () => {
		const of = await scene();
		const known = addDocument(of.sim.store, of.base);
		await manage(of, 'metadata', 'createField', { name: 'year', type: 'number' });
		const values = {
			value: [
				{ field: 'year', value: '2020' },
				{ field: 'read', value: 7 },
			],
		};
		const documentId = byId(known.id);
		await expect(manage(of, 'metadata', 'set', { documentId, values })).rejects.toThrow(
			'no metadata field "read"',
		);
		expect(
			await manage(of, 'metadata', 'set', { documentId, values, options: { createFields: true } }),
		).toEqual([{ documentId: known.id, metadata: { year: 2020, read: 7 } }]);
		expect(await manage(of, 'metadata', 'getFields')).toMatchObject([
			{ name: 'year', type: 'number', builtInEnabled: false },
			{ name: 'read', type: 'number' },
		]);
	});
});
