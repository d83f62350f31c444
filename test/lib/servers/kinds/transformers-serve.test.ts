import { answer, list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('transformers serve', () => {
	const headers = { 'x-request-id': '45629c5d-0d4a-4da6-8a98-5a05e7061982' };
	const cached = list({
		id: 'Qwen/Qwen3-0.6B',
		object: 'model',
		owned_by: 'Qwen',
		created: 1795259496.69,
	});
	const { temperature, chat_template_kwargs, tool_choice } = TAKES_EVERYTHING.fields;
	testKind('transformersServe', {
		told: [
			[
				'its list, empty although it serves a model',
				{ models: 'transformers-serve-5.19.0/models-empty-although-serving' },
			],
			['its list of what is in its cache', { models: answer(cached, 200, headers) }],
			[
				'what it says of itself where it is dead',
				{ health: answer({ reason: 'cb_worker_dead' }, 503) },
			],
		],
		notTold: [
			['another server with an empty list', { models: list() }, 'other'],
			[
				'Xinference, which counts its requests in the same way',
				{ models: 'xinference-4.1.0/models' },
				'xinference',
			],
		],
		chat: {
			...TAKES_EVERYTHING,
			fields: { temperature, chat_template_kwargs, tool_choice },
			budget: undefined,
			notes: expect.any(Array),
		},
		advice: {
			noModels: 'type the name',
			missingModel: 'transformers serve',
			moreContext: '9000 tokens',
		},
	});
});
