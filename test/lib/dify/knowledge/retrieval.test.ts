/** What a search asks for: options of the node, otherwise the settings of the knowledge base that are in force. */
import fc from 'fast-check';

import { retrieve, truncateQuery } from '../../../../lib/dify/knowledge/retrieval';
import type { RetrievalOptions } from '../../../../lib/dify/knowledge/retrieval';
import { json } from '../../../support/servers/scripted-server';
import { useDify } from '../run/scripted-dify';

const startDify = useDify();
const ID = '11111111-2222-4333-8444-555555555555';

/** The settings that are sent to Dify. */
async function getSentSettings(stored: object, options: RetrievalOptions = {}, more: object = {}) {
	const dataset = { id: ID, indexing_technique: 'high_quality', retrieval_model_dict: stored };
	const { client, server } = await startDify({
		[`GET /v1/datasets/${ID}`]: json({ ...dataset, ...more }),
		[`POST /v1/datasets/${ID}/retrieve`]: json({ query: {}, records: [] }),
	});
	await retrieve(client, { datasetId: ID, query: 'cats', ...options });
	return server.sent('/retrieve')[0]!.retrieval_model;
}

test('a keyword search returns no more than the limit, whatever Dify sends', async () => {
	const records = Array.from({ length: 6 }, (_none, at) => ({
		segment: { id: `s${at}`, content: `Cat ${at}`, document: { name: 'Cats' } },
		score: null,
	}));
	const dataset = { id: ID, indexing_technique: 'economy', retrieval_model_dict: {} };
	const { client } = await startDify({
		[`GET /v1/datasets/${ID}`]: json(dataset),
		[`POST /v1/datasets/${ID}/retrieve`]: json({ query: {}, records }),
	});
	const { hits, records: kept } = await retrieve(client, {
		datasetId: ID,
		query: 'cats',
		topK: 4,
	});
	expect(hits.map(({ content }) => content)).toEqual(['Cat 0', 'Cat 1', 'Cat 2', 'Cat 3']);
	expect(kept).toEqual(records.slice(0, 4));
});

test('a long query ends with its last word within 250 characters, unless that loses half of it', () => {
	const shortWord = fc.stringMatching(/^[a-z]{1,90}$/);
	const longWord = fc.integer({ min: 91, max: 260 }).map((length) => 'c'.repeat(length));
	const word = fc.oneof({ weight: 3, arbitrary: shortWord }, longWord);
	/** The second word ends with the limit. */
	const fitting = fc
		.integer({ min: 1, max: 248 })
		.map((length) => ['a'.repeat(length), 'b'.repeat(249 - length), 'more']);
	const texts = fc.oneof(fc.array(word, { minLength: 1, maxLength: 30 }), fitting);
	fc.assert(
		fc.property(texts, (words) => {
			const text = words.join(' ');
			const fits = (count: number) => words.slice(0, count).join(' ').length <= 250;
			const count = words.findLastIndex((_word, at) => fits(at + 1)) + 1;
			const atWord = words.slice(0, count).join(' ');
			const isHalf = atWord.length >= 125;
			const query = count === words.length || isHalf ? atWord : text.slice(0, 250).trim();
			expect(truncateQuery(text)).toEqual({ query, isTruncated: count < words.length });
		}),
	);
});

const off = { score_threshold_enabled: false, score_threshold: 0.7 };
const on = { score_threshold_enabled: true, score_threshold: 0.7 };

test.each([
	{ what: 'switched off', stored: off, options: {}, threshold: undefined },
	{ what: 'on', stored: on, options: {}, threshold: 0.7 },
	{
		what: 'on, but empty',
		stored: { ...on, score_threshold: null },
		options: {},
		threshold: undefined,
	},
	{ what: 'never set', stored: {}, options: {}, threshold: undefined },
	{ what: 'off, and the option', stored: off, options: { scoreThreshold: 0.2 }, threshold: 0.2 },
	{ what: 'on, and the option', stored: on, options: { scoreThreshold: 0.2 }, threshold: 0.2 },
	{ what: 'on, and an option of 0', stored: on, options: { scoreThreshold: 0 }, threshold: 0 },
])('the score threshold: $what', async ({ stored, options, threshold }) => {
	const sent = await getSentSettings(stored, options);
	const expected = { score_threshold_enabled: threshold !== undefined };
	expect(sent).toMatchObject(expected);
	expect({ threshold: (sent as typeof on).score_threshold }).toEqual({ threshold });
});

test.each([
	{ what: 'that of the knowledge base', stored: { top_k: 7 }, options: {}, topK: 7 },
	{ what: 'the option', stored: { top_k: 7 }, options: { topK: 3 }, topK: 3 },
	{ what: "Dify's default", stored: {}, options: {}, topK: 4 },
])('the number of chunks: $what', async ({ stored, options, topK }) => {
	expect(await getSentSettings(stored, options)).toMatchObject({ top_k: topK });
});

const model = { reranking_provider_name: 'p', reranking_model_name: 'm' };
const weights = { vector_setting: { vector_weight: 0.6 } };

test.each([
	{
		what: 'on',
		stored: { reranking_enable: true, reranking_mode: 'reranking_model', reranking_model: model },
		sent: { reranking_enable: true, reranking_mode: 'reranking_model', reranking_model: model },
	},
	{
		what: 'off, with a model that was chosen once',
		stored: { reranking_enable: false, reranking_model: model },
		sent: { reranking_enable: false },
	},
	{
		what: 'without a model',
		stored: { reranking_enable: true, reranking_model: { reranking_model_name: '' } },
		sent: { reranking_enable: true, reranking_model: undefined },
	},
	{
		what: 'by weights',
		stored: { reranking_enable: false, reranking_mode: 'weighted_score', weights },
		sent: { reranking_enable: false, reranking_mode: 'weighted_score', weights },
	},
])('reranking: $what', async ({ stored, sent }) => {
	const settings = (await getSentSettings(stored)) as Record<string, unknown>;
	const names = Object.keys(sent);
	expect(Object.fromEntries(names.map((name) => [name, settings[name]]))).toEqual(sent);
});

test.each([
	{ what: 'vectors', technique: 'high_quality', stored: 'hybrid_search', method: 'hybrid_search' },
	{ what: 'no vectors', technique: 'economy', stored: 'semantic_search', method: 'keyword_search' },
	{ what: 'no documents', technique: null, stored: 'keyword_search', method: 'semantic_search' },
	{ what: 'no setting', technique: 'high_quality', stored: undefined, method: 'semantic_search' },
])('the method of a knowledge base with $what', async ({ technique, stored, method }) => {
	const dataset = { indexing_technique: technique };
	const settings = await getSentSettings({ search_method: stored }, {}, dataset);
	expect(settings).toMatchObject({ search_method: method });
});
