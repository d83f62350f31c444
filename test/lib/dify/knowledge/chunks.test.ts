import { createChunk, updateChunk } from '../../../../lib/dify/knowledge/chunks';
import { chunkRoutes } from '../../../../lib/dify/knowledge/routes';
import { addDocument, type SimDocument } from '../../../servers/dify';
import { calls, failureOf } from '../client';
import { lastBody, scene } from './setup';

async function withDocument(over: Partial<SimDocument> = {}) {
	const made = await scene({
		technique: 'high_quality',
		...(over.form ? { form: over.form } : {}),
	});
	const document = addDocument(made.sim.store, made.base, { text: 'One.\n\nTwo.', ...over });
	return { ...made, document, place: { dataset_id: made.base.id, document_id: document.id } };
}

describe('chunks', () => {
	test('create, list, get, update, delete', async () => {
		const { api, place, document } = await withDocument();
		expect((await api.list(chunkRoutes.list, place, 'all')).map(({ content }) => content)).toEqual([
			'One.',
			'Two.',
		]);
		expect(await api.list(chunkRoutes.list, { ...place, keyword: 'two' }, 'all')).toHaveLength(1);
		const { chunks, remarks } = await createChunk(api, place, {
			content: 'Three.',
			keywords: ['three'],
		});
		expect(chunks).toMatchObject([{ content: 'Three.', keywords: ['three'], status: 'completed' }]);
		expect(remarks).toEqual([]);
		const at = { ...place, segment_id: String(chunks[0]!.id) };
		expect(await updateChunk(api, at, { content: 'Drei.' })).toMatchObject({ content: 'Drei.' });
		expect(await api.call(chunkRoutes.get, at)).toMatchObject({
			content: 'Drei.',
			keywords: ['three'],
		});
		expect(await api.call(chunkRoutes.delete, at)).toBe(true);
		expect(await api.call(chunkRoutes.delete, at)).toBe(false);
		expect(document.segments).toHaveLength(2);
	});

	test('D102: a document that is being indexed is told as that, not as missing', async () => {
		const { api, place } = await withDocument({ status: 'indexing', stuckAt: 'indexing' });
		expect(await failureOf(createChunk(api, place, { content: 'x' }))).toMatchObject({
			status: 404,
			kind: 'documentBusy',
		});
	});

	test('D103: an error without a code is readable', async () => {
		const { sim, api, place } = await withDocument();
		const body = '{"error":"Segments is required"}';
		sim.fail({ path: /segments$/, status: 400, contentType: 'application/json', body });
		const failed = await failureOf(createChunk(api, place, { content: 'x' }));
		expect(failed).toMatchObject({ status: 400, serverText: 'Segments is required' });
		expect((await failureOf(createChunk(api, place, { content: ' ' }))).message).toBe(
			'The chunk has no content',
		);
	});

	test('D104: a chunk whose vector failed is marked, and warned of', async () => {
		const { sim, api, place } = await withDocument();
		sim.store.knowledge.failChunk = (content) => content === 'b';
		const { chunks, remarks } = await createChunk(api, place, { content: 'b' });
		expect(chunks.map(({ status }) => status)).toEqual(['error']);
		expect(remarks).toEqual([
			`Dify could not index chunk ${String(chunks[0]!.id)}, so it is not found: Connection refused`,
		]);
	});

	test('D105: a chunk whose answer is lost is not sent again', async () => {
		const { sim, api, place } = await withDocument();
		sim.fail({ path: /segments$/, how: 'reset' });
		await failureOf(createChunk(api, place, { content: 'x' }));
		expect(calls(sim, /segments$/)).toBe(1);
	});

	test('D106: the answer of a Q&A chunk is sent along, which Dify would erase', async () => {
		const { sim, api, place, document } = await withDocument({ form: 'qa_model' });
		document.segments[0]!.answer = '42';
		const at = { ...place, segment_id: document.segments[0]!.id };
		await updateChunk(api, at, { keywords: ['k'] });
		expect(lastBody(sim, /segments\//)).toMatchObject({
			segment: { content: 'One.', answer: '42', keywords: ['k'] },
		});
		expect(document.segments[0]!.answer).toBe('42');
		expect((await failureOf(createChunk(api, place, { content: 'q' }))).message).toContain(
			'needs an answer',
		);
	});

	test('a disabled chunk is changed only together with enabling it', async () => {
		const { api, place, document } = await withDocument();
		const at = { ...place, segment_id: document.segments[0]!.id };
		expect(await updateChunk(api, at, { content: 'New.', enabled: false })).toMatchObject({
			content: 'New.',
			enabled: false,
		});
		expect((await failureOf(updateChunk(api, at, { content: 'x' }))).message).toContain(
			'is disabled',
		);
		expect(await updateChunk(api, at, { content: 'On.', enabled: true })).toMatchObject({
			content: 'On.',
			enabled: true,
		});
		expect((await failureOf(updateChunk(api, at, {}))).message).toBe('Nothing is to be changed');
	});
});
