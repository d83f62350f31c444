import { readModels } from '../../../../lib/servers/models';
import { answer, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('Xinference', () => {
	const { repeat_penalty: repetition_penalty, ...fields } = TAKES_EVERYTHING.fields;
	testKind('xinference', {
		told: [['its list of models', { models: 'xinference-4.1.0/models' }]],
		chat: { ...TAKES_EVERYTHING, fields: { ...fields, repetition_penalty }, budget: undefined },
		advice: {
			noModels: 'xinference launch',
			missingModel: '--model-uid qwen3',
			rerankOff: '--model-type rerank',
			moreContext: '9000 tokens',
		},
	});

	it('tells what its models are for', () => {
		expect(readModels(answer('xinference-4.1.0/models').json)).toEqual([
			{ id: 'minilm', aliases: [], embeddings: true, reranks: false, context: 512 },
			{
				id: 'scripted',
				aliases: [],
				embeddings: false,
				reranks: false,
				tools: true,
				context: 4096,
			},
		]);
	});
});
