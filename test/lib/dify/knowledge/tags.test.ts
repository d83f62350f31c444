import { listModels, modelRef, modelValue } from '../../../../lib/dify/knowledge/models';
import { tagRoutes } from '../../../../lib/dify/knowledge/routes';
import { OLDEST_AND_NEWEST } from '../../../servers/dify';
import * as fc from 'fast-check';
import { calls, failureOf, UNKNOWN_ID } from '../client';
import { lastBody, scene } from './setup';

describe('tags of Dify 1.12', () => {
	test('D117, D118: its defect is told as that; nothing is made twice', async () => {
		const { sim, api } = await scene('1.12');
		const failed = await failureOf(api.call(tagRoutes.create, { name: 'one' }));
		expect(failed).toMatchObject({ kind: 'tagDefect', status: 400 });
		expect(failed.remedy).toContain('do not repeat');
		expect(calls(sim, '/datasets/tags')).toBe(1);
		expect(sim.store.knowledge.tags.size).toBe(1);
		expect(await failureOf(api.call(tagRoutes.list, {}))).toMatchObject({ kind: 'tagDefect' });
	});
});

describe.each(OLDEST_AND_NEWEST)('tags of Dify %s', (version) => {
	test('D119: binding and unbinding, one tag at a time with both spellings', async () => {
		const { sim, api, base } = await scene(version);
		const ids = ['one', 'two'].map((name) => {
			const id = sim.store.newId('tag');
			sim.store.knowledge.tags.set(id, { id, name });
			return id;
		});
		for (const id of ids) await api.call(tagRoutes.bind, { target_id: base.id, tag_ids: [id] });
		expect(
			(await api.call(tagRoutes.listOfBase, { dataset_id: base.id })).map(({ name }) => name),
		).toEqual(['one', 'two']);
		for (const id of ids)
			await api.call(tagRoutes.unbind, { target_id: base.id, tag_id: id, tag_ids: [id] });
		expect(lastBody(sim, /unbinding$/)).toEqual({
			tag_id: ids[1],
			tag_ids: [ids[1]],
			target_id: base.id,
		});
		expect(await api.call(tagRoutes.listOfBase, { dataset_id: base.id })).toEqual([]);
	});

	test('a tag that is gone is no failure', async () => {
		const { api } = await scene(version);
		expect(await api.call(tagRoutes.delete, { tag_id: UNKNOWN_ID })).toBe(false);
	});

	test('models: provider and model in one value', async () => {
		const { api } = await scene(version);
		const [first, second] = await listModels(api, 'text-embedding');
		expect(first).toEqual({
			provider: 'langgenius/openai_api_compatible/openai_api_compatible',
			model: 'embed',
			value: 'langgenius/openai_api_compatible/openai_api_compatible|embed',
			label: 'embed',
			providerLabel: 'OpenAI-API-compatible',
			type: 'text-embedding',
			status: 'active',
			features: [],
			contextSize: 4096,
		});
		expect(second?.model).toBe('minilm');
		expect(await listModels(api, 'moderation')).toEqual([]);
	});
});

test('tags of newer versions: create, list, rename, delete', async () => {
	const { api } = await scene('1.14');
	const made = await api.call(tagRoutes.create, { name: 'one' });
	expect(await api.call(tagRoutes.list, {})).toEqual([{ ...made, binding_count: '0' }]);
	expect(await api.call(tagRoutes.rename, { tag_id: String(made.id), name: 'two' })).toMatchObject({
		name: 'two',
	});
	expect(await failureOf(api.call(tagRoutes.create, { name: 'two' }))).toMatchObject({
		kind: 'nameTaken',
	});
	expect(await failureOf(api.call(tagRoutes.create, { name: 'x'.repeat(51) }))).toMatchObject({
		kind: 'invalidParam',
	});
	expect(await failureOf(api.call(tagRoutes.create, { name: '' }))).toMatchObject({
		kind: 'invalidParam',
	});
	expect(await api.call(tagRoutes.delete, { tag_id: String(made.id) })).toBe(true);
});

test('a model in one value is read back, whatever its name', () => {
	fc.assert(
		fc.property(
			fc.stringMatching(/^[a-z]+\/[a-z]+\/[a-z]+$/),
			fc.string({ minLength: 1 }),
			(provider, model) => {
				fc.pre(model.trim() === model);
				expect(modelRef(modelValue({ provider, model }))).toEqual({ provider, model });
			},
		),
	);
	expect(modelRef(' ')).toBeUndefined();
	expect(() => modelRef('bge-m3')).toThrow('does not say which provider');
});
