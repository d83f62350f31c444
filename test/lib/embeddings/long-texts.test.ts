import { EmbeddingsClient } from '../../../lib/embeddings/client';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { connectTo } from '../../../lib/servers/connect';
import { json, startScripted } from '../../servers/scripted';

describe('a server that silently cuts long texts', () => {
	beforeEach(clearSharedCaches);

	/** The remarks on texts, where the list of models and the counts are these. */
	const remarksOn = async (texts: string[], entry: object, tokens: number | undefined) => {
		const server = await startScripted(({ path, body }, response) => {
			if (path === '/v1/models')
				return json(response, { data: [{ id: 'other', max_tokens: 64 }, entry] });
			const input = body.input as string[] | undefined;
			if (path !== '/v1/embeddings' || input === undefined)
				return json(response, { detail: 'Not Found' }, 404);
			const data = input.map((_text, index) => ({ index, embedding: [1, 0] }));
			json(response, {
				data,
				...(tokens === undefined ? {} : { usage: { prompt_tokens: tokens } }),
			});
		});
		const settings = { model: 'm', batchSize: 8, limits: {}, retries: 0, prefixes: {} };
		const client = new EmbeddingsClient(connectTo({ baseUrl: server.url }), {
			...settings,
			longTexts: 'fail',
			blankTexts: 'refuse',
		});
		const { remarks } = await client.embed(texts, 'document');
		await server.close();
		return { remarks, lists: server.requests.filter(({ path }) => path === '/v1/models').length };
	};
	const LONG = 'word '.repeat(2_000);
	const XINFERENCE = { id: 'm', owned_by: 'xinference', model_type: 'embedding', max_tokens: 512 };

	test.each([
		['Xinference', [LONG], XINFERENCE, 512, 'for text 1:'],
		['several texts, all of them', [LONG, LONG, LONG], XINFERENCE, 1536, 'for text 1, 2, 3:'],
		['a server of unknown kind', [LONG], { id: 'm', max_model_len: 8192 }, 8192, '8192 tokens'],
	])('%s: as many tokens as the model reads', async (_what, texts, entry, tokens, said) => {
		expect((await remarksOn(texts, entry, tokens)).remarks).toEqual([
			expect.stringContaining(said) as string,
		]);
	});

	test.each([
		['one token less', [LONG], XINFERENCE, 511],
		['one of two, which nobody can tell', [LONG, 'a'], XINFERENCE, 515],
		['nothing counted', [LONG], XINFERENCE, undefined],
		['no maximum in the list', [LONG], { id: 'm', owned_by: 'infinity' }, 10_000],
		['the maximum of another model', [LONG], { id: 'n', max_tokens: 512 }, 512],
	])('%s is no evidence', async (_what, texts, entry, tokens) => {
		expect((await remarksOn(texts, entry, tokens)).remarks).toEqual([]);
	});

	test('for short texts, the list is not asked for', async () => {
		const few = await remarksOn(['a'], { ...XINFERENCE, owned_by: 'nobody', max_tokens: 4 }, 4);
		const many = await remarksOn([LONG], { ...XINFERENCE, owned_by: 'nobody' }, 512);
		expect([few.remarks, many.lists - few.lists]).toEqual([[], 1]);
	});
});
