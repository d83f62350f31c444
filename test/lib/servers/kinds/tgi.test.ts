import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('Text Generation Inference', () => {
	testKind('tgi', {
		told: [
			['TGI', { models: list({ id: 'org/m', object: 'model', created: 0, owned_by: 'org/m' }) }],
			['its /info', { info: { model_id: 'org/m', max_total_tokens: 4096, version: '3.3.4' } }],
		],
		notTold: [
			[
				'a list whose dates are real',
				{ models: list({ id: 'm', created: 1, owned_by: 'm' }) },
				'other',
			],
		],
		version: [{ info: { model_id: 'org/m', max_total_tokens: 4096, version: '3.3.4' } }, '3.3.4'],
		chat: TAKES_EVERYTHING,
		simulated: { profile: 'tgi', refusal: 'other' },
		advice: { noModels: 'Start it with a model', moreContext: '9000 tokens' },
	});
});
