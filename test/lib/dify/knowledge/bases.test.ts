import { baseNamed, createBase, updateBase } from '../../../../lib/dify/knowledge/bases';
import { baseRoutes } from '../../../../lib/dify/knowledge/routes';
import { addDataset } from '../../../servers/dify';
import { failureOf } from '../client';
import { lastBody, scene, writes } from './setup';

describe('knowledge bases', () => {
	test('D69: a name of 41 characters is refused before anything is sent', async () => {
		const { sim, api } = await scene();
		const failed = await failureOf(createBase(api, { name: 'x'.repeat(41) }));
		expect(failed).toMatchObject({
			kind: 'invalidParam',
			message: 'The name has 41 characters, but Dify takes 40',
		});
		expect(await failureOf(createBase(api, { name: '  ' }))).toMatchObject({
			kind: 'invalidParam',
		});
		expect(sim.requests).toEqual([]);
	});

	test('D70, D75: a name that is taken is told the same way on create (409) and update (400)', async () => {
		const { api, base } = await scene({ name: 'Papers' });
		expect(await failureOf(createBase(api, { name: 'Papers' }))).toMatchObject({
			kind: 'nameTaken',
			status: 409,
		});
		const other = await createBase(api, { name: 'Other' });
		const failed = await failureOf(updateBase(api, String(other.id), { name: 'Papers' }));
		expect(failed).toMatchObject({ kind: 'nameTaken', status: 400 });
		expect((await baseNamed(api, 'Papers'))?.id).toBe(base.id);
		expect(await baseNamed(api, 'papers')).toBeUndefined();
	});

	test('D71: an embedding model makes the technique High Quality, which Dify needs to see it', async () => {
		const { sim, api } = await scene();
		const embeddingModel = {
			provider: 'langgenius/openai_api_compatible/openai_api_compatible',
			model: 'minilm',
		};
		const made = await createBase(api, { name: 'Vectors', embeddingModel });
		expect(lastBody(sim, /datasets$/)).toMatchObject({
			indexing_technique: 'high_quality',
			embedding_model: 'minilm',
		});
		expect(made).toMatchObject({ indexing_technique: 'high_quality', embedding_model: 'minilm' });
		expect(
			await failureOf(createBase(api, { name: 'x', technique: 'economy', embeddingModel })),
		).toMatchObject({
			message: 'The technique Economy uses no embedding model',
		});
	});

	test('D72: bases of colleagues are in the list', async () => {
		const { sim, api } = await scene({ name: 'Mine' });
		addDataset(sim.store, { name: 'Theirs', isOwn: false });
		expect((await api.list(baseRoutes.list, {}, 'all')).map(({ name }) => name)).toEqual([
			'Theirs',
			'Mine',
		]);
		expect(
			(await api.list(baseRoutes.list, { keyword: 'THEI' }, 'all')).map(({ name }) => name),
		).toEqual(['Theirs']);
	});

	test('D73: all pages by the total, however full they are', async () => {
		const { sim, api } = await scene();
		for (let count = 1; count < 250; count++) addDataset(sim.store);
		expect(await api.list(baseRoutes.list, {}, 250)).toHaveLength(250);
		expect(await api.list(baseRoutes.list, {}, 'all')).toHaveLength(250);
		expect(await api.list(baseRoutes.list, {}, 120)).toHaveLength(120);
		// Exactly full pages are not followed by one that is empty.
		expect(sim.requests.map(({ query }) => query.get('page')).slice(0, 3)).toEqual(['1', '2', '3']);
	});

	test('D74: a delete is done with the number 204, an empty 204, and where there is nothing any more', async () => {
		const { api, base } = await scene();
		expect(await api.call(baseRoutes.delete, { dataset_id: base.id })).toBe(true);
		expect(await api.call(baseRoutes.delete, { dataset_id: base.id })).toBe(false);
	});

	test('D76: from Economy to High Quality without a model is refused', async () => {
		const { sim, api, base } = await scene({ technique: 'economy' });
		const failed = await failureOf(updateBase(api, base.id, { technique: 'high_quality' }));
		expect(failed.message).toContain('needs an embedding model');
		expect(writes(sim)).toEqual([]);
		expect(await failureOf(updateBase(api, base.id, {}))).toMatchObject({
			message: 'Nothing is to be changed',
		});
	});

	test('D77: API access that is switched off says where the switch is', async () => {
		const { api, base } = await scene({ apiEnabled: false });
		const failed = await failureOf(api.base(base.id));
		expect(failed).toMatchObject({ kind: 'knowledgeApiOff', status: 403 });
		expect(failed.remedy).toContain('API access');
	});

	test('D122: the limit per minute is waited for once, other refusals are not', async () => {
		const { sim, api, base } = await scene();
		const refusal = (message: string) => ({
			path: '/datasets',
			method: 'POST',
			status: 403,
			contentType: 'application/json',
			body: JSON.stringify({ code: 'forbidden', message, status: 403 }),
		});
		const rate =
			'Sorry, you have reached the knowledge base request rate limit of your subscription.';
		sim.fail(refusal(rate));
		expect(await createBase(api, { name: 'One' })).toMatchObject({ name: 'One' });
		// Dify counts the download of a document, a GET.
		sim.fail({ ...refusal(rate), path: `/datasets/${base.id}`, method: 'GET' });
		expect(await api.base(base.id)).toMatchObject({ id: base.id });
		sim.fail({ ...refusal(rate), times: 2 });
		expect(await failureOf(createBase(api, { name: 'Two' }))).toMatchObject({
			kind: 'knowledgeRate',
		});
		const before = sim.requests.length;
		sim.fail(refusal('The number of documents has reached the limit of your subscription.'));
		expect(await failureOf(createBase(api, { name: 'Three' }))).toMatchObject({
			kind: 'planLimit',
		});
		expect(sim.requests).toHaveLength(before + 1);
	});

	test('D5: the key of an app names the other kind of key', async () => {
		const { sim, base } = await scene();
		const { KnowledgeApi } = await import('../../../../lib/dify/knowledge/api');
		const { clientOf } = await import('../client');
		const failed = await failureOf(new KnowledgeApi(clientOf(sim)).base(base.id));
		expect(failed).toMatchObject({ kind: 'unauthorized', status: 401 });
		expect(failed.remedy).toContain('knowledge key');
	});
});
