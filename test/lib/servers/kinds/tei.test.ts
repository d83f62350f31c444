import { kindOf } from '../../../../lib/servers/kinds';
import { answers, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('Text Embeddings Inference', () => {
	const INFO = {
		model_id: 'BAAI/bge-m3',
		max_client_batch_size: 32,
		max_input_length: 8192,
		version: '1.8.2',
	};
	const embedding = { ...INFO, model_type: { embedding: { pooling: 'cls' } } };
	const models = (info: object) => kindOf('tei').models.fromAnswers?.(answers({ info }));

	testKind('tei', {
		told: [
			['TEI', { info: 'tei/info' }],
			['TEI with a reranker', { info: { ...INFO, model_type: { reranker: { id2label: {} } } } }],
		],
		notTold: [
			[
				'TGI, which has another /info',
				{ info: { model_id: 'org/m', max_total_tokens: 4096 } },
				'tgi',
			],
		],
		version: [{ info: 'tei/info' }, '1.8.2'],
		chat: TAKES_EVERYTHING,
		advice: { noModels: 'Start it with a model', embeddingsOff: 'text-embeddings-router' },
	});

	it('has its one model from /info, as it has no list', () => {
		expect(models(embedding)).toEqual([
			{
				id: 'BAAI/bge-m3',
				aliases: [],
				tools: false,
				vision: false,
				embeddings: true,
				reranks: false,
				context: 8192,
			},
		]);
		expect(models({ ...INFO, model_type: { reranker: { id2label: {} } } })).toMatchObject([
			{ embeddings: false, reranks: true },
		]);
		expect(models({ ...embedding, served_model_name: 'my-bge' })).toMatchObject([
			{ id: 'my-bge', aliases: ['BAAI/bge-m3'] },
		]);
		expect(models({ ...embedding, max_input_length: 'long' })![0]).not.toHaveProperty('context');
		expect(models({ ...embedding, model_id: null })).toBeUndefined();
		expect(kindOf('tei').models.fromAnswers?.({})).toBeUndefined();
	});
});
