import { TAKES_EVERYTHING, testKind } from './kind-suite';

describe('sd-server', () => {
	testKind('sdServer', {
		told: [
			[
				'sd-server of stable-diffusion.cpp',
				{ models: { data: [{ id: 'sd-cpp-local', object: 'model', owned_by: 'local' }] } },
			],
		],
		chat: TAKES_EVERYTHING,
		advice: { noModels: 'Start it with a model' },
	});
});
