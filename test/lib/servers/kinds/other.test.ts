import { workaroundsFor, list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('an OpenAI-compatible server of unknown kind', () => {
	testKind('other', {
		told: [
			[
				'a FastAPI server',
				{ models: 'fastapi-0.165.0/models-bearer', health: 'fastapi-0.165.0/health-404' },
			],
			['a FastAPI server that refuses the key', { models: 'fastapi-0.165.0/models-none' }],
			[
				'a server that plays Ollama and whose models belong to nobody of their names',
				{
					models: list({ id: 'phi-4', created: 1, owned_by: 'Foundry' }),
					apiVersion: { version: '0.6.4' },
				},
			],
			[
				'something with /api/version and more in it',
				{ apiVersion: { version: '1', name: 'something' } },
			],
			['nothing', {}],
		],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'fastapi', refusal: 'other' },
		advice: {
			noModels: 'Start it with a model',
			rerankOff: '--rerank',
			moreContext: '9000 tokens',
			toolParser: 'parser',
		},
	});

	it('that refuses unknown fields gets the request without them (FastAPI, pydantic)', () => {
		expect(workaroundsFor('fastapi-0.165.0/strict-extra-422')).toEqual([
			'withoutRefusedFields',
			'withoutUsageInStream',
		]);
		expect(workaroundsFor('fastapi/error-validation')).toEqual([]);
	});
});
