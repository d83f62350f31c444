import { list, TAKES_EVERYTHING, testKind } from './kind-suite';

describe('Kokoro-FastAPI', () => {
	testKind('kokoro', {
		told: [
			[
				'Kokoro-FastAPI',
				{ models: list({ id: 'tts-1', owned_by: 'kokoro' }, { id: 'kokoro', owned_by: 'kokoro' }) },
			],
		],
		chat: TAKES_EVERYTHING,
		advice: { noModels: 'Start it with a model' },
	});
});
