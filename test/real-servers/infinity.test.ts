/** A real infinity with all-MiniLM-L6-v2 and a reranker with the same weights. Its routes are at the root by default. */
import type { Connection } from '../../lib/http/connection';
import { listModels } from '../../lib/servers/model-list';
import { listModelsFor } from '../../lib/servers/purpose';
import { check, ids } from '../lib/health/support';
import { describeWith } from '../support/describe-with';
import {
	CAT,
	chat,
	embeddingsOf,
	failureOf,
	KITTEN,
	nearness,
	rerankOf,
	REVENUE,
} from './support/clients';
import { connection, parts, startPythonServer, stopServers } from './support/servers';

const { miniLmFolders, miniLmFoldersProblem, python } = parts();
const KEY = 'sk-test';

const startInfinity = async (...args: string[]) => {
	const { embedding, reranker } = miniLmFolders!;
	const models = ['--model-id', embedding, '--served-model-name', 'minilm'];
	const rank = ['--model-id', reranker, '--served-model-name', 'rank'];
	const plain = [
		'--device',
		'cpu',
		'--engine',
		'torch',
		'--no-bettertransformer',
		'--no-model-warmup',
	];
	return await startPythonServer('infinity', [...models, ...rank, ...plain, ...args]);
};

describeWith(python.infinity.problem ?? miniLmFoldersProblem, 'infinity', () => {
	let url: string;
	let kill: () => Promise<void>;
	let server: Connection;
	beforeAll(async () => {
		({ url, kill } = await startInfinity('--api-key', KEY));
		server = connection(url, KEY);
	});
	afterAll(stopServers);

	it('Server Health finds its routes at the root, and knows it', async () => {
		const result = await check(url, {}, { apiKey: KEY });
		expect(result).toMatchObject({ healthy: true, server: { kind: 'infinity' } });
		expect(ids(result)).toEqual([]);
		expect(result.models?.map(({ id }) => id)).toEqual(['minilm', 'rank']);
	});

	it('lists by what the models are for', async () => {
		expect((await listModels(server)).map(({ id }) => id)).toEqual(['minilm', 'rank']);
		expect((await listModelsFor(server, 'embeddings')).map(({ id }) => id)).toEqual(['minilm']);
		expect((await listModelsFor(server, 'reranking')).map(({ id }) => id)).toEqual(['rank']);
	});

	it('vectors, and a long text, which it cuts without a word', async () => {
		const { vectors, tokens } = await embeddingsOf(server, { model: 'minilm' }).embed(
			[CAT, KITTEN, REVENUE],
			'query',
		);
		const [cat, kitten, revenue] = vectors as [number[], number[], number[]];
		expect(nearness(cat, kitten)).toBeCloseTo(0.56, 2);
		expect(nearness(cat, revenue)).toBeCloseTo(-0.02, 2);
		expect(tokens).toBeGreaterThan(0);
		const long = await embeddingsOf(server, { model: 'minilm' }).embed(
			[CAT, 'word '.repeat(600)],
			'document',
		);
		expect(nearness(long.vectors[0]!, cat)).toBeCloseTo(1, 3);
	});

	it('reranking, best first', async () => {
		const { ranking } = await rerankOf(server, { model: 'rank' }).rerank('cat', [
			CAT,
			KITTEN,
			REVENUE,
		]);
		expect(ranking.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
		const scores = ranking.map(({ score }) => score!);
		expect([...scores].sort((one, other) => other - one)).toEqual(scores);
	});

	it('a model that is for something else, and one that is not there', async () => {
		const wrong = { kind: 'wrongModelType' };
		expect(
			await failureOf(embeddingsOf(server, { model: 'rank' }).embed([CAT], 'query')),
		).toMatchObject(wrong);
		expect(
			await failureOf(rerankOf(server, { model: 'minilm' }).rerank('cat', [CAT])),
		).toMatchObject(wrong);
		expect(await failureOf(chat(server, { model: 'minilm' }))).toMatchObject(wrong);
		expect(
			await failureOf(embeddingsOf(server, { model: 'nope' }).embed([CAT], 'query')),
		).toMatchObject({
			kind: 'modelNotFound',
			remedy: expect.stringContaining('--model-id nope') as string,
		});
	});

	it('a wrong key and none', async () => {
		for (const key of ['sk-wrong', undefined])
			expect(
				await failureOf(
					embeddingsOf(connection(url, key), { model: 'minilm' }).embed([CAT], 'query'),
				),
			).toMatchObject({ kind: 'unauthorized' });
		expect(ids(await check(url, {}, { apiKey: 'sk-wrong' }))).toEqual(['unauthorized']);
	});

	it('killed between two requests', async () => {
		await kill();
		const client = embeddingsOf(server, { model: 'minilm', retries: 0 });
		expect(['refused', 'connectionLost']).toContain(
			(await failureOf(client.embed([CAT], 'query'))).kind,
		);
	});
});
