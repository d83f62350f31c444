import { readModels } from '../../../../lib/servers/models';
import { answer, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('infinity', () => {
	testKind('infinity', {
		told: [
			['its list of models', { models: 'infinity-0.0.78/models-at-root-without-v1' }],
			[
				'its health, where its list is elsewhere',
				{ models: 'infinity-0.0.78/v1-models-404', health: 'infinity-0.0.78/health' },
			],
		],
		chat: TAKES_EVERYTHING,
		advice: {
			missingModel: '--model-id qwen3',
			embeddingsOff: 'infinity_emb v2',
			rerankOff: 'infinity_emb v2',
		},
	});

	it('tells what its models are for', () => {
		expect(readModels(answer('infinity-0.0.78/models-at-root-without-v1').json)).toEqual([
			{ id: 'minilm', aliases: [], embeddings: true, reranks: false },
			{ id: 'rr', aliases: [], embeddings: true, reranks: true },
		]);
	});
});
