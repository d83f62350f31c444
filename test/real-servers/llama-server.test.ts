/** A real llama-server as a router: chat, embeddings and reranking, each with another model. */
import type { ModelServer } from '../../lib/servers/types/server-type';
import { check } from '../lib/health/support';
import { describeWith } from '../support/jest/describe-if';
import { CAT, chat, embeddingsOf, KITTEN, nearness, rerankOf, REVENUE } from './support/clients';
import { findUnknownFields, readParameters } from './support/known-fields';
import { connection, parts, startRouter, stopServers } from './support/servers';
import { getError } from '../support/jest/get-error';

const { llamaServer, noiseBert, smolLm2 } = parts();
/** This model has one token per word, and two special tokens around a text. */
const repeatWord = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');

describeWith(llamaServer.problem ?? smolLm2.problem, 'llama-server with three models', () => {
	let server: ModelServer;
	let url: string;
	beforeAll(async () => {
		url = await startRouter({
			chat: { model: smolLm2.file!, 'ctx-size': 2048, parallel: 1, threads: 1 },
			embed: { model: noiseBert, embeddings: true, pooling: 'mean', threads: 1 },
			rank: { model: noiseBert, reranking: true, threads: 1 },
		});
		server = connection(url);
	});
	afterAll(stopServers);

	it('has no field that neither a row nor a line of known-fields.tsv has', async () => {
		await chat(server, { model: 'chat' });
		const props: unknown = await (await fetch(`${url}/props?model=chat`)).json();
		const fields = readParameters(props);
		expect(fields).toContain('top_k');
		expect(findUnknownFields('llamaServer', fields)).toEqual([]);
	});

	it('vectors: "cat" is closer to "kitten" than to "revenue"', async () => {
		const client = embeddingsOf(server, { model: 'embed', expectedDimensions: 32 });
		const { vectors, tokens, requests } = await client.embed([CAT, KITTEN, REVENUE], 'document');
		const [cat, kitten, revenue] = vectors as [number[], number[], number[]];
		expect(nearness(cat, kitten)).toBeCloseTo(0.89, 2);
		expect(nearness(cat, revenue)).toBeCloseTo(0.62, 2);
		expect(Math.hypot(...cat)).toBeCloseTo(1, 5);
		// Six, seven and six words, and two special tokens for each text.
		expect({ tokens, requests }).toEqual({ tokens: 25, requests: 1 });
	});

	it('a text of 513 tokens is an error that names it; truncated or averaged, it has a vector', async () => {
		const texts = [CAT, repeatWord(511), KITTEN];
		expect(
			(await embeddingsOf(server, { model: 'embed' }).embed([repeatWord(510)], 'document')).tokens,
		).toBe(512);
		expect(
			await getError(embeddingsOf(server, { model: 'embed' }).embed(texts, 'document')),
		).toMatchObject({
			type: 'promptTooLong',
			message: expect.stringContaining('Text 2') as string,
			facts: expect.objectContaining({ tokens: 513, limit: 512 }) as object,
		});
		const truncated = await embeddingsOf(server, { model: 'embed', longTexts: 'truncate' }).embed(
			texts,
			'document',
		);
		expect(truncated.truncatedTexts).toHaveLength(1);
		expect(nearness(truncated.vectors[0]!, truncated.vectors[2]!)).toBeCloseTo(0.89, 2);
	});

	it('500 texts, one of them too long: all others have a vector or a score, and it is truncated or last', async () => {
		const tooLong = 250;
		const texts = Array.from({ length: 500 }, (_none, at) =>
			at === tooLong ? repeatWord(600) : repeatWord((at % 7) + 1),
		);
		const embedded = await embeddingsOf(server, { model: 'embed', longTexts: 'truncate' }).embed(
			texts,
			'document',
		);
		expect(embedded.vectors.filter((vector) => vector?.length === 32)).toHaveLength(500);
		expect(embedded.truncatedTexts.map(({ index }) => index)).toEqual([tooLong]);
		const ranked = await rerankOf(server, { model: 'rank' }).rerank('word', texts);
		expect(ranked.ranking.filter(({ score }) => score !== undefined)).toHaveLength(499);
		expect(ranked.ranking.at(-1)).toEqual({ index: tooLong });
		// 16 batches of 32, the halves of the one with the long text, and its shorter beginnings.
		expect(Math.max(embedded.requests, ranked.requests)).toBeLessThan(16 + 24);
	});

	it('reranking: every document once, best first, limited to Top N', async () => {
		const documents = [REVENUE, CAT, '', KITTEN];
		const { ranking, requests, tokens } = await rerankOf(server, { model: 'rank' }).rerank(
			'cat',
			documents,
		);
		expect(ranking.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3]);
		expect(ranking.at(-1)).toEqual({ index: 2 });
		const scores = ranking.slice(0, 3).map(({ score }) => score!);
		expect([...scores].sort((one, other) => other - one)).toEqual(scores);
		expect(requests).toBe(1);
		expect(tokens).toBeGreaterThan(0);
		const top = await rerankOf(server, { model: 'rank', topN: 1, scores: 'sigmoid' }).rerank(
			'cat',
			documents,
		);
		expect(top.ranking).toHaveLength(1);
		expect(top.ranking[0]!.index).toBe(ranking[0]!.index);
		expect(top.ranking[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-scores[0]!)), 5);
	});

	it('reranking: a document that is too long comes last, without a score, or is truncated', async () => {
		const documents = [CAT, repeatWord(600)];
		const { ranking, warnings } = await rerankOf(server, { model: 'rank' }).rerank(
			'cat',
			documents,
		);
		expect(ranking).toEqual([{ index: 0, score: expect.any(Number) as number }, { index: 1 }]);
		expect(warnings).toEqual([expect.stringContaining('document 2')]);
		const truncated = await rerankOf(server, { model: 'rank', longDocuments: 'truncate' }).rerank(
			'cat',
			documents,
		);
		expect(truncated.truncatedTexts).toHaveLength(1);
		expect(truncated.ranking).toHaveLength(2);
	});

	it('the chat continues at the same time, and Server Health reports all three', async () => {
		const { pieces, answer } = await chat(server, {
			model: 'chat',
			sampling: { maxTokens: 8 },
		});
		expect(pieces.join('')).toBe(answer.text);
		expect(answer.text).not.toBe('');
		const { models } = await check(url);
		expect(models?.map(({ id, state }) => [id, state])).toEqual([
			['chat', 'loaded'],
			['embed', 'loaded'],
			['rank', 'loaded'],
		]);
	});
});
