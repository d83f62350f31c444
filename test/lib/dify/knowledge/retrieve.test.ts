import type { Condition } from '../../../../lib/dify/knowledge/filters';
import {
	cutQuery,
	hitsIn,
	mergedHits,
	retrievalModel,
	retrieve,
	type Hit,
} from '../../../../lib/dify/knowledge/retrieve';
import { metadataIn } from '../../../../lib/dify/knowledge/records';
import { recordsIn } from '../../../../lib/values';
import { addDocument, type SimDataset } from '../../../servers/dify';
import * as fc from 'fast-check';
import { anyCodePoint } from '../../../support/code-points';
import { calls, failureOf } from '../client';
import { lastBody, scene } from './setup';

const RERANKER = { provider: 'langgenius/gpustack/gpustack', model: 'bge-reranker-v2-m3' };

function withFields(fields: Array<[name: string, type: string]>): Partial<SimDataset> {
	return {
		technique: 'high_quality',
		fields: fields.map(([name, type]) => ({ id: `id of ${name}`, name, type })),
	};
}

async function filled(base: Partial<SimDataset> = {}) {
	const made = await scene({ technique: 'high_quality', ...base });
	const { sim } = made;
	const values = (author: string, year: number) =>
		new Map(
			Object.entries({ author, year }).map(([name, value]) => [
				name,
				{ id: `id of ${name}`, value },
			]),
		);
	addDocument(sim.store, made.base, {
		name: 'llama.txt',
		text: 'llama wool is soft',
		values: values('Ann', 2020),
	});
	addDocument(sim.store, made.base, {
		name: 'moon.txt',
		text: 'the moon is far',
		values: values('Bob', 2024),
	});
	return made;
}

describe('retrieval from', () => {
	test('hits with their document, best first; the setting of the base counts where nothing is set', async () => {
		const { sim, api, base } = await filled(withFields([['author', 'string']]));
		const { hits } = await retrieve(api, base.id, 'llama wool');
		expect(lastBody(sim, /retrieve$/)).toEqual({ query: 'llama wool' });
		expect(hits).toMatchObject([
			{
				content: 'llama wool is soft',
				title: 'llama.txt',
				score: 1,
				metadata: { author: 'Ann', year: 2020 },
			},
		]);
		expect((await retrieve(api, base.id, 'is')).hits).toHaveLength(2);
		// The base is asked for once.
		expect(calls(sim, `/datasets/${base.id}`, 'GET')).toBe(1);
	});

	test('D107: a query of 251 characters is refused, one of 250 is not', async () => {
		const { sim, api, base } = await filled();
		expect((await failureOf(retrieve(api, base.id, 'x'.repeat(251)))).message).toContain(
			'251 characters',
		);
		expect(await failureOf(retrieve(api, base.id, '  '))).toMatchObject({ kind: 'emptyQuery' });
		expect(sim.requests).toEqual([]);
		expect(await retrieve(api, base.id, 'x'.repeat(250))).toEqual({ hits: [], records: [] });
	});

	test('D108: with one option the whole setting is sent, the rest from the base', async () => {
		const retrieval = {
			search_method: 'hybrid_search',
			reranking_enable: true,
			reranking_mode: 'reranking_model',
			reranking_model: { reranking_provider_name: 'p', reranking_model_name: 'm' },
			top_k: 7,
			score_threshold_enabled: true,
			score_threshold: 0.3,
		};
		const { sim, api, base } = await filled({ retrieval });
		await retrieve(api, base.id, 'llama', { topK: 1 });
		// A base that is asked for shows its own method.
		expect(lastBody(sim, /retrieve$/)).toEqual({
			query: 'llama',
			retrieval_model: { ...retrieval, top_k: 1 },
		});
		await retrieve(api, base.id, 'llama', {
			method: 'semantic_search',
			reranking: 'off',
			scoreThreshold: 0.5,
		});
		expect(lastBody(sim, /retrieve$/).retrieval_model).toEqual({
			search_method: 'semantic_search',
			reranking_enable: false,
			top_k: 7,
			score_threshold_enabled: true,
			score_threshold: 0.5,
		});
	});

	test('D108: a base without vectors is always searched by keywords, in full', async () => {
		const { sim, api, base } = await filled({ technique: 'economy' });
		const { hits } = await retrieve(api, base.id, 'llama');
		expect(hits).toMatchObject([{ content: 'llama wool is soft', score: 0 }]);
		expect(lastBody(sim, /retrieve$/).retrieval_model).toEqual({
			search_method: 'keyword_search',
			reranking_enable: false,
			top_k: 2,
			score_threshold_enabled: false,
		});
		const failed = await failureOf(retrieve(api, base.id, 'x', { method: 'semantic_search' }));
		expect(failed.message).toContain('by keywords only');
	});

	test('reranking by a model needs both of its names; weights come from the model of the base', async () => {
		const { sim, api, base } = await filled();
		expect(
			(await failureOf(retrieve(api, base.id, 'x', { reranking: 'model' }))).message,
		).toContain('rerank model');
		await retrieve(api, base.id, 'llama', { rerankModel: RERANKER });
		expect(lastBody(sim, /retrieve$/).retrieval_model).toMatchObject({
			reranking_enable: true,
			reranking_mode: 'reranking_model',
			reranking_model: {
				reranking_provider_name: RERANKER.provider,
				reranking_model_name: RERANKER.model,
			},
		});
		await retrieve(api, base.id, 'llama', {
			method: 'hybrid_search',
			reranking: 'weighted',
			semanticWeight: 0.6,
		});
		expect(lastBody(sim, /retrieve$/).retrieval_model).toMatchObject({
			reranking_mode: 'weighted_score',
			weights: {
				weight_type: 'customized',
				vector_setting: { vector_weight: 0.6, embedding_model_name: 'minilm' },
				keyword_setting: { keyword_weight: 0.4 },
			},
		});
	});

	test('D109: a filter without a value is refused, since Dify would drop it and find more', async () => {
		const { sim, api, base } = await filled(withFields([['author', 'string']]));
		const refused = async (value: unknown, operator: Condition['operator'] = 'is') =>
			await failureOf(
				retrieve(api, base.id, 'is', {
					filter: { logic: 'and', conditions: [{ field: 'author', operator, value }] },
				}),
			);
		for (const value of ['', undefined, null, []])
			expect((await refused(value)).message).toContain('has no value');
		expect((await refused(' , ', 'in')).message).toContain('has no value');
		expect(calls(sim, /retrieve$/)).toBe(0);
	});

	test('filters go into the setting, typed, and find what they say', async () => {
		const fields: Array<[string, string]> = [
			['author', 'string'],
			['year', 'number'],
			['when', 'time'],
		];
		const { sim, api, base } = await filled(withFields(fields));
		const found = async (...conditions: Condition[]) =>
			(await retrieve(api, base.id, 'is', { filter: { logic: 'and', conditions } })).hits.map(
				({ title }) => title,
			);
		expect(await found({ field: 'author', operator: 'is', value: 'Ann' })).toEqual(['llama.txt']);
		expect(await found({ field: 'year', operator: '>', value: '2021' })).toEqual(['moon.txt']);
		expect(await found({ field: 'author', operator: 'in', value: 'Ann, Bob' })).toHaveLength(2);
		expect(await found({ field: 'when', operator: 'empty', value: 'ignored' })).toHaveLength(2);
		expect(lastBody(sim, /retrieve$/).retrieval_model).toMatchObject({
			metadata_filtering_conditions: {
				logical_operator: 'and',
				conditions: [{ comparison_operator: 'empty' }],
			},
		});
		expect(
			await found(
				{ field: 'author', operator: 'is', value: 'Ann' },
				{ field: 'year', operator: '=', value: 1 },
			),
		).toEqual([]);
	});

	test('D109, D110: numbers and times that are none are refused; dates become Unix seconds', async () => {
		const { sim, api, base } = await filled(
			withFields([
				['when', 'time'],
				['year', 'number'],
			]),
		);
		const ask = async (condition: Condition) =>
			await retrieve(api, base.id, 'is', { filter: { logic: 'or', conditions: [condition] } });
		expect(
			(await failureOf(ask({ field: 'year', operator: '=', value: 'abc' }))).message,
		).toContain('needs a number');
		expect(
			(await failureOf(ask({ field: 'when', operator: 'after', value: 'soon' }))).message,
		).toContain('needs a time');
		for (const value of [
			'2026-01-31T12:00:00Z',
			1769860800,
			'1769860800',
			1769860800000,
			new Date(1769860800000),
		]) {
			await ask({ field: 'when', operator: 'before', value });
			expect(lastBody(sim, /retrieve$/).retrieval_model).toMatchObject({
				metadata_filtering_conditions: { conditions: [{ name: 'when', value: 1769860800 }] },
			});
		}
	});

	test('a field that the base does not have would find nothing', async () => {
		const { api, base } = await filled(withFields([['author', 'string']]));
		const ask = async (field: string) =>
			await failureOf(
				retrieve(api, base.id, 'is', {
					filter: { logic: 'and', conditions: [{ field, operator: 'is', value: 'x' }] },
				}),
			);
		expect(await ask('Author')).toMatchObject({
			message: 'The knowledge base has no metadata field "Author", so nothing would be found',
			remedy: 'Its fields are: author. Upper and lower case differ.',
		});
		expect((await ask('source')).message).toContain(
			'built-in metadata of the knowledge base is off',
		);
	});

	test('D109: of a failure with a whole database statement only the first line is shown', async () => {
		const { sim, api, base } = await filled();
		const message =
			'(psycopg2.errors.InvalidTextRepresentation) invalid input syntax for type double precision: "abc"\nLINE 3: ...D CAST((documents.doc_metadata ->> \'year\') AS FLOAT)\n ^\n\n[SQL: SELECT documents.id]';
		const body = JSON.stringify({ code: 'internal_server_error', message, status: 500 });
		sim.fail({ path: /retrieve$/, status: 500, contentType: 'application/json', body });
		const failed = await failureOf(retrieve(api, base.id, 'is'));
		expect(failed.serverText).toBe(message.split('\n')[0]);
	});

	test('D111: no hit is an empty list', async () => {
		const { api, base } = await filled();
		expect(await retrieve(api, base.id, 'nothing like this')).toEqual({ hits: [], records: [] });
	});

	test('D112: a model that is down is the model of Dify, not its key', async () => {
		const { sim, api, base } = await filled();
		sim.store.knowledge.embeddingDown = true;
		const failed = await failureOf(retrieve(api, base.id, 'is'));
		expect(failed.message).toBe('The embedding or rerank model behind Dify failed');
		expect(failed.remedy).toContain('is fine');
		const coded = JSON.stringify({
			code: 'completion_request_error',
			message: 'GPUStack is down',
			status: 400,
		});
		sim.fail({ path: /retrieve$/, status: 400, contentType: 'application/json', body: coded });
		expect((await failureOf(retrieve(api, base.id, 'is'))).message).toContain(
			'embedding or rerank model',
		);
	});

	test('external knowledge and a base that was never filled say so', async () => {
		const { api, base } = await scene({ provider: 'external' });
		expect((await failureOf(retrieve(api, base.id, 'x'))).message).toContain('external');
		const empty = await scene();
		expect((await failureOf(retrieve(empty.api, empty.base.id, 'x'))).message).toContain(
			'is empty',
		);
	});

	test('a search is asked again after 502, as nothing changes', async () => {
		const { sim, api, base } = await filled();
		sim.fail({ path: /retrieve$/, status: 502, body: '<html>502 Bad Gateway</html>' });
		expect((await retrieve(api, base.id, 'llama')).hits).toHaveLength(1);
	});

	test('parent-child: the parent is the text, the parts that fit come with it', async () => {
		const { sim, api, base } = await scene({
			technique: 'high_quality',
			form: 'hierarchical_model',
		});
		addDocument(sim.store, base, { text: 'Llamas eat grass. The moon is far.' });
		const { hits } = await retrieve(api, base.id, 'moon');
		expect(hits).toMatchObject([
			{
				content: 'Llamas eat grass. The moon is far.',
				childChunks: [{ content: ' The moon is far', score: 1 }],
			},
		]);
	});
});

test('D107: a long query is cut behind a word', () => {
	expect(cutQuery(' short ')).toEqual({ query: 'short', cut: false });
	const words = `${'word '.repeat(60)}`;
	const { query, cut } = cutQuery(words);
	expect(cut).toBe(true);
	expect([...query].length).toBeLessThanOrEqual(250);
	expect(query.endsWith('word')).toBe(true);
	expect(cutQuery('x'.repeat(300)).query).toBe('x'.repeat(250));
	fc.assert(
		fc.property(fc.string({ minLength: 1, maxLength: 600, unit: anyCodePoint }), (text) => {
			const result = cutQuery(text);
			expect([...result.query].length).toBeLessThanOrEqual(250);
			expect(text).toContain(result.query);
			if (text.trim() !== '') expect(result.query).not.toBe('');
		}),
	);
});

test('a question and its answer are one text', () => {
	expect(hitsIn([{ segment: { content: 'Where?', answer: 'Peru.' }, score: 1 }])).toMatchObject([
		{ content: 'Where?\nPeru.' },
	]);
});

test('whatever a server sends as hits, each is text with a score', () => {
	fc.assert(
		fc.property(fc.jsonValue(), (json) => {
			const odd = [
				json,
				{ segment: json },
				{ segment: { content: 'x', document: json }, child_chunks: [json] },
			];
			for (const hit of hitsIn(recordsIn(odd))) {
				expect(hit.content).not.toBe('');
				expect(Number.isFinite(hit.score)).toBe(true);
				expect(typeof hit.title).toBe('string');
			}
			expect(metadataIn(json)).toBeDefined();
		}),
	);
});

test('whatever a base says of its setting, the whole of one is sent', () => {
	fc.assert(
		fc.property(
			fc.jsonValue(),
			fc.constantFrom('high_quality', 'economy', null),
			(stored, technique) => {
				const base = { indexing_technique: technique, retrieval_model_dict: stored as unknown };
				const model = retrievalModel(base, { topK: 3 })!;
				expect(model.top_k).toBe(3);
				expect(typeof model.search_method).toBe('string');
				expect(typeof model.reranking_enable).toBe('boolean');
				expect(typeof model.score_threshold_enabled).toBe('boolean');
			},
		),
	);
});

test('several bases: by score, those without scores at the end', () => {
	const hit = (content: string, score: number): Hit => ({
		content,
		score,
		title: '',
		metadata: {},
	});
	const merged = mergedHits([[hit('a', 0.2), hit('b', 0.1)], [hit('k', 0)], [hit('c', 0.9)]], 3);
	expect(merged.map(({ content }) => content)).toEqual(['c', 'a', 'b']);
});
