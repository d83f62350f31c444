import { addDocument } from '../../../simulators/dify';
import { lastBody } from '../../../lib/dify/knowledge/setup';
import { byId, manage, scene } from '../setup';

describe('Chunks', () => {
	test('create, list, get, update, delete', async () => {
		const of = await scene({ technique: 'high_quality', form: 'hierarchical_model' });
		const known = addDocument(of.sim.store, of.base, { text: 'A. B.' });
		const documentId = byId(known.id);
		const [made] = await manage(of, 'chunk', 'create', {
			documentId,
			content: 'C.',
			options: { keywords: 'x, y' },
		});
		expect(made).toMatchObject({ content: 'C.', keywords: ['x', 'y'] });
		const chunkId = String(made!.id);
		expect(await manage(of, 'chunk', 'getAll', { documentId, keyword: '' })).toHaveLength(2);
		expect(await manage(of, 'chunk', 'get', { documentId, chunkId })).toMatchObject([
			{ content: 'C.' },
		]);
		const options = { content: 'D.' };
		expect(await manage(of, 'chunk', 'update', { documentId, chunkId, options })).toMatchObject([
			{ content: 'D.', enabled: true },
		]);
		expect(lastBody(of.sim, /segments/)).toMatchObject({
			segment: { content: 'D.', regenerate_child_chunks: true },
		});
		expect(await manage(of, 'chunk', 'delete', { documentId, chunkId })).toMatchObject([
			{ existed: true },
		]);
	});
});
