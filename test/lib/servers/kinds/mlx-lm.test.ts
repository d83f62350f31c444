import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('mlx-lm', () => {
	testKind('mlxLm', {
		told: [
			['its list', { models: 'mlx-lm-0.32.2/models' }],
			['its list without a cache', { models: 'mlx-lm-0.32.2/models-empty-body' }],
		],
		notTold: [['a list without its header', { models: list({ id: 'm', created: 1 }) }, 'other']],
		chat: {
			...TAKES_EVERYTHING,
			fields: Object.fromEntries(
				Object.entries(TAKES_EVERYTHING.fields).filter(([name]) => name !== 'grammar'),
			),
			notes: ['This server (mlx-lm) ignores these options, so they were not sent: GBNF Grammar'],
		},
		advice: {
			noModels: 'mlx_lm.server',
			missingModel: '--model',
			embeddingsOff: 'no embeddings',
			toolParser: 'tokenizer',
		},
	});
});
